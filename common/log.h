#pragma once
/// Log lines: one sentence, a level, and fields for the journal. Logged once, where the decision is made.
///
/// The sink is set once at start, before threads exist. Default: standard error with systemd's "<N>" prefixes when it
/// is a journal stream, plain otherwise. Thread-safe. Fields of this thread (DAVIT_ACTION, DAVIT_APP, DAVIT_PHASE) are
/// added to each line that this thread logs.

#include <format>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace davit::log {

enum class Level { Error = 3, Warning = 4, Notice = 5, Info = 6, Debug = 7 };  // syslog's numbers

using Fields = std::vector<std::pair<std::string, std::string>>;
using Sink = std::function<void(Level, std::string_view message, const Fields&)>;

void set_sink(Sink sink);  ///< an empty one brings the default back
void set_level(Level most_verbose);
void write(Level level, std::string_view message);

template <typename... A>
void error(std::format_string<A...> f, A&&... a) {
    write(Level::Error, std::format(f, std::forward<A>(a)...));
}
template <typename... A>
void warning(std::format_string<A...> f, A&&... a) {
    write(Level::Warning, std::format(f, std::forward<A>(a)...));
}
template <typename... A>
void notice(std::format_string<A...> f, A&&... a) {
    write(Level::Notice, std::format(f, std::forward<A>(a)...));
}
template <typename... A>
void info(std::format_string<A...> f, A&&... a) {
    write(Level::Info, std::format(f, std::forward<A>(a)...));
}
template <typename... A>
void debug(std::format_string<A...> f, A&&... a) {
    write(Level::Debug, std::format(f, std::forward<A>(a)...));
}

/// Sets one field of this thread's lines for a scope: `log::Field action("DAVIT_ACTION", id);`
class Field {
public:
    Field(std::string name, std::string value);
    ~Field();
    Field(const Field&) = delete;
    Field& operator=(const Field&) = delete;
};

}  // namespace davit::log
