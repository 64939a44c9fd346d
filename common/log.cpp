#include "common/log.h"

#include <sys/stat.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <mutex>

#include "common/text.h"

namespace davit::log {

namespace {

/// Whether standard error is the journal's stream, as sd_journal_stream_fd(3) says to find out: a child may have got
/// another standard error.
bool is_journal_stream() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat status{};
    if (!stream || ::fstat(STDERR_FILENO, &status) != 0) return false;
    return stream == std::format("{}:{}", status.st_dev, status.st_ino);
}

std::string_view plain_prefix(Level level) {
    if (level == Level::Error) return "error: ";
    if (level == Level::Warning) return "warning: ";
    return "";
}

void to_standard_error(Level level, std::string_view message, const Fields&) {
    const bool journal = is_journal_stream();
    // One line is one message, also when a server's text inside it has newlines.
    std::string line = journal ? std::format("<{}>{}\n", static_cast<int>(level), one_line(message))
                               : std::format("{}{}\n", plain_prefix(level), one_line(message));
    std::string_view rest = line;
    while (!rest.empty()) {
        const ssize_t n = ::write(STDERR_FILENO, rest.data(), rest.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;  // nowhere left to complain
        rest.remove_prefix(static_cast<std::size_t>(n));
    }
}

std::mutex sink_mutex;  // also keeps the lines of two threads apart
Sink sink = to_standard_error;
std::atomic<Level> most_verbose_level = Level::Info;
thread_local Fields fields;

}  // namespace

void set_sink(Sink new_sink) {
    std::lock_guard lock(sink_mutex);
    sink = new_sink ? std::move(new_sink) : to_standard_error;
}

void set_level(Level most_verbose) {
    most_verbose_level = most_verbose;
}

void write(Level level, std::string_view message) {
    if (level > most_verbose_level) return;
    std::lock_guard lock(sink_mutex);
    sink(level, message, fields);
}

Field::Field(std::string name, std::string value) {
    fields.emplace_back(std::move(name), std::move(value));
}

Field::~Field() {
    fields.pop_back();
}

}  // namespace davit::log
