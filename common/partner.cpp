#include "common/partner.h"

#include <poll.h>
#include <sys/socket.h>
#include <array>
#include <cerrno>
#include <format>

#include "common/detail/child.h"

namespace davit::process {

namespace {

/// Waits until @p fd takes more. @return false at @p deadline
bool writable(int fd, MonotonicTime deadline) {
    pollfd watched{fd, POLLOUT, 0};
    while (true) {
        const auto left = std::chrono::ceil<Milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left <= Milliseconds(0)) return false;
        if (::poll(&watched, 1, static_cast<int>(left.count())) > 0) return true;
    }
}

}  // namespace

Partner::Partner(std::string name, std::unique_ptr<Child> child, Fd to)
    : name_(std::move(name)), child_(std::move(child)), to_(std::move(to)) {}
Partner::Partner(Partner&&) noexcept = default;
Partner& Partner::operator=(Partner&&) noexcept = default;
Partner::~Partner() = default;

Result<Partner> Partner::start(const Command& command) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return fail(system_error("cannot make a socket pair", errno));
    Fd ours(ends[0]);
    const Fd theirs(ends[1]);
    auto child = TRY(Child::start(command, theirs));
    return Partner(command.argv[0], std::make_unique<Child>(std::move(child)), std::move(ours));
}

Result<std::string> Partner::ask(std::string_view line, Milliseconds timeout) {
    if (!child_) return fail(Code::Interrupted, std::format("'{}' has ended", name_));
    const auto until = after(timeout);
    if (!send(std::string(line) + "\n", until)) return fail(give_up(timeout));
    std::size_t end = std::string::npos;
    auto deadline = until;
    const auto on_out = [&](std::string_view chunk) {
        const auto searched = heard_.size();
        heard_.append(chunk);
        end = heard_.find('\n', searched);
        if (end != std::string::npos) deadline = {};  // enough heard
    };
    const auto how = child_->follow(deadline, -1, on_out, [this](std::string_view chunk) { keep_last(err_, chunk); });
    if (end == std::string::npos) return fail(how == Child::End::Exited ? ended() : give_up(timeout));
    auto answer = heard_.substr(0, end);
    heard_.erase(0, end + 1);
    return answer;
}

/// To a dead child it succeeds: how the child ended is found out by listening to it.
bool Partner::send(std::string_view text, MonotonicTime deadline) {
    while (!text.empty()) {
        if (!writable(to_.get(), deadline)) return false;
        const ssize_t n = ::send(to_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
        if (n < 0 && errno != EAGAIN && errno != EINTR) return true;
    }
    return true;
}

Error Partner::ended() {
    const auto exit = child_->reap();
    child_.reset();
    return {Code::Interrupted, std::format("'{}' ended: {}{}", name_, exit.describe(), last_words(err_))};
}

Error Partner::give_up(Milliseconds timeout) {
    child_.reset();
    return {Code::Network,
            std::format("'{}' did not answer within {}{}", name_, in_seconds(timeout), last_words(err_))};
}

}  // namespace davit::process
