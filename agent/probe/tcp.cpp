#include "agent/probe/tcp.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <format>
#include <memory>
#include <system_error>

#include "common/fd.h"

namespace davit {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

/// The addresses of "host:port". Looking up a name may take longer than a probe's time-out; numbers and localhost do
/// not.
Result<Addresses> look_up(const std::string& address) {
    const auto colon = address.rfind(':');
    if (colon == address.npos) return fail(Code::InvalidInput, std::format("tcp '{}': expected host:port", address));
    auto host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), address.substr(colon + 1).c_str(), &hints, &found);
    if (error != 0) return fail(Code::AppFailed, std::format("tcp {}: {}", address, ::gai_strerror(error)));
    return Addresses(found, &::freeaddrinfo);
}

/// @return errno, ETIMEDOUT at the @p deadline, or 0 when the connection stands.
int connect_one(const addrinfo& address, MonotonicTime deadline) {
    const Fd fd(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return errno;
    if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    pollfd event{fd.get(), POLLOUT, 0};
    for (;;) {
        const auto left = std::chrono::ceil<Milliseconds>(deadline - std::chrono::steady_clock::now()).count();
        const int ready = ::poll(&event, 1, static_cast<int>(std::max<Milliseconds::rep>(left, 0)));
        if (ready < 0 && errno == EINTR) continue;
        if (ready < 0) return errno;
        if (ready == 0) return ETIMEDOUT;
        int error = 0;
        socklen_t size = sizeof error;
        return ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
    }
}

}  // namespace

Result<void> connect_tcp(const std::string& address, Milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    const auto addresses = TRY(look_up(address));
    int error = 0;
    for (const auto* one = addresses.get(); one; one = one->ai_next) {
        error = connect_one(*one, deadline);
        if (error == 0) return {};
    }
    const auto why =
        error == ETIMEDOUT ? "no answer within " + to_string(timeout) : std::generic_category().message(error);
    return fail(Code::AppFailed, std::format("tcp {}: {}", address, why));
}

}  // namespace davit
