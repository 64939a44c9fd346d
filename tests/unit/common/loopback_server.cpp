#include "tests/unit/common/loopback_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <cstdlib>

namespace davit::test {

namespace {

/// Takes one request off the front of @p buffer; empty if it is not complete yet.
std::string take_request(std::string& buffer) {
    const auto head = buffer.find("\r\n\r\n");
    if (head == buffer.npos) return {};
    std::size_t length = head + 4;
    const std::string name = "Content-Length: ";
    if (const auto at = buffer.find(name); at < head) length += std::stoul(buffer.substr(at + name.size()));
    if (buffer.size() < length) return {};
    std::string request = buffer.substr(0, length);
    buffer.erase(0, length);
    return request;
}

void send_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

}  // namespace

LoopbackServer::LoopbackServer(std::function<Reply(const std::string&)> answer)
    : answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 16) != 0 ||
        ::getsockname(listener_.get(), generic, &size) != 0)
        std::abort();
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { serve(); });
}

LoopbackServer::~LoopbackServer() {
    {
        std::lock_guard lock(mutex_);
        closing_ = true;
        ::shutdown(listener_.get(), SHUT_RDWR);  // wakes accept()
        if (connection_ >= 0) ::shutdown(connection_, SHUT_RDWR);
    }
    thread_.join();
}

std::vector<std::string> LoopbackServer::requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
}

void LoopbackServer::serve() {
    while (true) {
        const Fd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        {
            std::lock_guard lock(mutex_);
            if (closing_ || !connection) return;
            connection_ = connection.get();
        }
        ++connections_;
        serve(connection.get());
        std::lock_guard lock(mutex_);
        connection_ = -1;
    }
}

void LoopbackServer::serve(int connection) {
    std::string received;
    std::array<char, 4096> chunk;
    while (true) {
        const ssize_t n = ::recv(connection, chunk.data(), chunk.size(), 0);
        if (n <= 0) return;
        received.append(chunk.data(), static_cast<std::size_t>(n));
        for (auto request = take_request(received); !request.empty(); request = take_request(received)) {
            {
                std::lock_guard lock(mutex_);
                requests_.push_back(request);
            }
            const auto reply = answer_(request);
            send_all(connection, reply.bytes);
            if (reply.then == Reply::Then::Close) return;
        }
    }
}

LoopbackServer::Reply LoopbackServer::reply(int status, const std::string& body, const std::string& headers) {
    return {std::format("HTTP/1.1 {} Whatever\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), headers, body)};
}

}  // namespace davit::test
