#include "common/detail/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <format>

#include "common/text.h"

namespace davit::process {

namespace {

constexpr std::size_t kErrKept = 64u << 10;

struct Pipe {
    Fd read, write;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(system_error("cannot make a pipe", errno));
    return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
    std::vector<char*> result;
    result.reserve(strings.size());
    for (const auto& s : strings)
        result.push_back(const_cast<char*>(s.c_str()));  // exec's signature predates const
    return result;
}

/// Our environment with @p extra over it.
std::vector<char*> environment(const std::vector<std::string>& extra) {
    auto result = pointers(extra);
    const auto is_replaced = [&](std::string_view entry) {
        const auto name = entry.substr(0, entry.find('=') + 1);
        return std::ranges::any_of(extra, [&](const std::string& e) { return e.starts_with(name); });
    };
    for (char** entry = environ; *entry; ++entry) {
        if (!is_replaced(*entry)) result.push_back(*entry);
    }
    result.push_back(nullptr);
    return result;
}

struct ChildSide {
    std::array<int, 3> stdio;  ///< become 0, 1, 2
    int report;                ///< takes the errno if exec fails; closed by a successful exec
    pid_t parent;
    char** argv;
    char** envp;
};

/// In the child, between fork and exec: only calls that are safe after a fork of a process with threads.
[[noreturn]] void become(ChildSide side) {
    const auto give_up = [&side](int error_number) {
        [[maybe_unused]] const ssize_t n = ::write(side.report, &error_number, sizeof error_number);
        ::_exit(127);
    };
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != side.parent) ::_exit(127);  // it died before prctl

    // A parent with a closed standard stream may have got 0, 1 or 2 for one of these.
    side.report = ::fcntl(side.report, F_DUPFD_CLOEXEC, 3);
    for (int& fd : side.stdio)
        fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    for (int fd = 0; fd < 3; ++fd) {
        if (::dup2(side.stdio[static_cast<std::size_t>(fd)], fd) < 0) give_up(errno);
    }
    ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);  // what a library opened without O_CLOEXEC; fails on Linux < 5.11 only

    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);  // an ignored signal would stay ignored
    ::execvpe(side.argv[0], side.argv, side.envp);
    give_up(errno);
    ::_exit(127);
}

/// The errno that the child reports when exec fails, or 0 when its end of the pipe closes without a word.
int exec_error(int report) {
    int error_number = 0;
    ssize_t n = 0;
    do
        n = ::read(report, &error_number, sizeof error_number);
    while (n < 0 && errno == EINTR);
    return n == sizeof error_number ? error_number : 0;
}

}  // namespace

Result<Child> Child::start(const Command& command, const Fd& input) {
    if (command.argv.empty()) return fail(Code::Defect, "a command without a program");
    const auto cannot = [&](int error_number) {
        return fail(system_error(std::format("cannot start '{}'", command.argv[0]), error_number));
    };
    auto out = TRY(make_pipe());
    auto err = TRY(make_pipe());
    auto report = TRY(make_pipe());
    auto argv = pointers(command.argv);
    argv.push_back(nullptr);
    auto envp = environment(command.extra_env);
    const ChildSide side{
        {input.get(), out.write.get(), err.write.get()}, report.write.get(), ::getpid(), argv.data(), envp.data()};

    const pid_t pid = ::fork();
    if (pid < 0) return cannot(errno);
    if (pid == 0) become(side);
    const auto ended =
        static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));  // <sys/pidfd.h> of glibc 2.41 lacks its extern "C"
    Child child(pid, Fd(ended), std::move(out.read), std::move(err.read));
    if (!child.ended_) return cannot(errno);
    out.write.reset();
    err.write.reset();
    report.write.reset();
    if (const int error_number = exec_error(report.read.get())) return cannot(error_number);
    for (const int fd : {child.out_.get(), child.err_.get()})
        ::fcntl(fd, F_SETFL, O_NONBLOCK);
    return child;
}

void Child::pass_on(Fd& from, const OnOutput& to) {
    std::array<char, 16384> chunk;
    const ssize_t n = ::read(from.get(), chunk.data(), chunk.size());
    if (n > 0) return to({chunk.data(), static_cast<std::size_t>(n)});
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    from.reset();  // the end of this stream
}

/// What is left in the pipe of a child that has ended. Bounded: a descendant that holds the other end may write for
/// ever.
void Child::drain(Fd& from, const OnOutput& to) {
    bool more = true;
    for (int reads = 0; from && more && reads < 64; ++reads) {
        more = false;
        pass_on(from, [&](std::string_view chunk) {
            more = true;
            to(chunk);
        });
    }
}

Child::End Child::follow(const MonotonicTime& deadline, int wake, const OnOutput& on_out, const OnOutput& on_err) {
    while (true) {
        const auto left = std::chrono::ceil<Milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left <= Milliseconds(0)) return End::Late;
        // poll() skips the entries of closed streams: their descriptor is -1.
        std::array<pollfd, 4> watched{
            {{wake, POLLIN, 0}, {out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}, {ended_.get(), POLLIN, 0}}};
        constexpr Milliseconds kLongestPoll = std::chrono::hours(24);
        ::poll(watched.data(), watched.size(), static_cast<int>(std::min(left, kLongestPoll).count()));
        if (watched[0].revents) return End::Stopped;
        if (watched[1].revents) pass_on(out_, on_out);
        if (watched[2].revents) pass_on(err_, on_err);
        if (watched[3].revents) {
            drain(out_, on_out);
            drain(err_, on_err);
            return End::Exited;
        }
    }
}

void Child::kill_and_reap() {
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);  // it may not have reached its setpgid yet
    reap();
}

Exit Child::reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    Exit exit;
    if (WIFEXITED(status)) exit.code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) exit.signal = WTERMSIG(status);
    return exit;
}

void keep_last(std::string& kept, std::string_view chunk) {
    kept.append(chunk);
    if (kept.size() > kErrKept) kept.erase(0, kept.size() - kErrKept);
}

std::string last_words(std::string_view err) {
    while (err.ends_with('\n'))
        err.remove_suffix(1);
    if (err.empty()) return "";
    return std::format("; its last words: '{}'", cut(one_line(err.substr(err.rfind('\n') + 1)), 200));
}

MonotonicTime after(Milliseconds duration) {
    constexpr Milliseconds kLongest = std::chrono::hours(24 * 365);  // now + Milliseconds::max() would overflow
    return std::chrono::steady_clock::now() + std::min(duration, kLongest);
}

}  // namespace davit::process
