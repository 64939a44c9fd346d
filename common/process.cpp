#include "common/process.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cerrno>
#include <format>

#include "common/detail/child.h"

namespace davit::process {

namespace {

constexpr std::size_t kOutKept = 1u << 20;
constexpr std::size_t kLongestLine = 64u << 10;

/// What the child reads. A file in memory needs no second thread or poll loop to feed it, and nobody gets a SIGPIPE.
Result<Fd> make_input(std::string_view input) {
    if (input.empty()) {
        Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        if (!null) return fail(system_error("cannot open '/dev/null'", errno));
        return null;
    }
    Fd memory(::memfd_create("stdin", MFD_CLOEXEC));
    if (!memory) return fail(system_error("cannot make a file in memory", errno));
    while (!input.empty()) {
        const ssize_t n = ::write(memory.get(), input.data(), input.size());
        if (n < 0) return fail(system_error("cannot write a file in memory", errno));
        input.remove_prefix(static_cast<std::size_t>(n));
    }
    if (::lseek(memory.get(), 0, SEEK_SET) != 0) return fail(system_error("cannot rewind a file in memory", errno));
    return memory;
}

Result<Child> start(const Command& command) {
    const auto input = TRY(make_input(command.input));
    return Child::start(command, input);
}

void keep_first(std::string& kept, std::string_view chunk) {
    kept.append(chunk.substr(0, kOutKept - kept.size()));
}

/// Cuts a stream into lines.
class Lines {
public:
    explicit Lines(const OnOutput& on_line) : on_line_(on_line) {}

    /// @return whether at least one line was complete
    bool add(std::string_view chunk) {
        bool any = false;
        for (const char c : chunk) {
            if (c != '\n' && partial_.size() < kLongestLine) {
                partial_ += c;
                continue;
            }
            any = true;
            on_line_(partial_);
            partial_.clear();
            if (c != '\n') partial_ += c;
        }
        return any;
    }
    void finish() {
        if (!partial_.empty()) on_line_(partial_);
    }

private:
    const OnOutput& on_line_;
    std::string partial_;
};

}  // namespace

std::string Exit::describe() const {
    return signal ? std::format("killed by signal {}", signal) : std::format("exit code {}", code);
}

Result<Exit> run(const Command& command, std::chrono::milliseconds timeout) {
    auto child = TRY(start(command));
    std::string out, err;
    const auto end = child.follow(
        after(timeout), -1, [&](std::string_view chunk) { keep_first(out, chunk); },
        [&](std::string_view chunk) { keep_last(err, chunk); });
    if (end != Child::End::Exited) {
        child.kill_and_reap();
        return fail(Code::System,
                    std::format("'{}' did not end within {}{}", command.argv[0], in_seconds(timeout), last_words(err)));
    }
    Exit exit = child.reap();
    exit.out = std::move(out);
    exit.err = std::move(err);
    return exit;
}

Result<Exit> watch(const Command& command, std::chrono::milliseconds stall, std::stop_token stop,
                   const std::function<void(std::string_view)>& on_line) {
    const auto canceled = [&] {
        return fail(Code::Canceled, std::format("'{}' was stopped", command.argv.empty() ? "" : command.argv[0]));
    };
    if (stop.stop_requested()) return canceled();
    const Fd wake(::eventfd(0, EFD_CLOEXEC));
    if (!wake) return fail(system_error("cannot make an eventfd", errno));
    const std::stop_callback wake_up(std::move(stop), [&wake] { ::eventfd_write(wake.get(), 1); });

    auto child = TRY(start(command));
    Lines lines(on_line);
    std::string err;
    auto deadline = after(stall);
    const auto on_out = [&](std::string_view chunk) {
        if (lines.add(chunk)) deadline = after(stall);
    };
    switch (child.follow(deadline, wake.get(), on_out, [&](std::string_view chunk) { keep_last(err, chunk); })) {
        case Child::End::Stopped:
            child.kill_and_reap();
            return canceled();
        case Child::End::Late:
            child.kill_and_reap();
            return fail(Code::Network, std::format("no progress for {}{}", in_seconds(stall), last_words(err)));
        case Child::End::Exited:
            break;
    }
    lines.finish();
    Exit exit = child.reap();
    exit.err = std::move(err);
    return exit;
}

}  // namespace davit::process
