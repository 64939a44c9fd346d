#include "scripted_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <format>
#include <optional>
#include <stdexcept>

namespace davit::test {
namespace {

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
}

/// Adds what comes from @p connection to @p text; false at its end.
bool receive(int connection, std::string& text) {
    std::array<char, 4096> buffer{};
    const auto got = ::recv(connection, buffer.data(), buffer.size(), 0);
    if (got <= 0) return false;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
}

Asked parse_head(std::string_view head) {
    Asked asked;
    const auto first = head.substr(0, head.find("\r\n"));
    asked.method = first.substr(0, first.find(' '));
    const auto rest = first.substr(asked.method.size() + 1);
    asked.target = rest.substr(0, rest.find(' '));
    for (auto at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
        const auto line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
        const auto colon = line.find(": ");
        if (colon != std::string_view::npos)
            asked.headers[lower(std::string(line.substr(0, colon)))] = line.substr(colon + 2);
    }
    return asked;
}

std::optional<Asked> read_request(int connection) {
    std::string text;
    while (!text.contains("\r\n\r\n")) {
        if (!receive(connection, text)) return std::nullopt;
    }
    const auto head = text.find("\r\n\r\n");
    auto asked = parse_head(std::string_view(text).substr(0, head));
    const auto length = asked.headers.contains("content-length") ? std::stoul(asked.headers["content-length"]) : 0;
    while (text.size() < head + 4 + length) {
        if (!receive(connection, text)) return std::nullopt;
    }
    asked.body = text.substr(head + 4, length);
    return asked;
}

}  // namespace

ScriptedServer::ScriptedServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 16) != 0 ||
        ::getsockname(listener_.get(), generic, &size) != 0) {
        throw std::runtime_error("the test's server cannot listen on the loopback");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { serve(); });
}

ScriptedServer::~ScriptedServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);  // wakes accept()
}

std::string ScriptedServer::url() const {
    return std::format("http://127.0.0.1:{}", port_);
}

void ScriptedServer::answers(const std::string& method, const std::string& path, Answer answer) {
    const std::lock_guard lock(mutex_);
    script_[{method, path}].push_back(std::move(answer));
}

void ScriptedServer::now_answers(const std::string& method, const std::string& path, Answer answer) {
    const std::lock_guard lock(mutex_);
    script_[{method, path}] = {std::move(answer)};
}

std::vector<Asked> ScriptedServer::asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
}

Asked ScriptedServer::last() const {
    const std::lock_guard lock(mutex_);
    return asked_.empty() ? Asked{} : asked_.back();
}

void ScriptedServer::serve() {
    while (true) {
        const Fd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!connection) return;
        serve_one(connection.get());
    }
}

void ScriptedServer::serve_one(int connection) {
    auto asked = read_request(connection);
    if (!asked) return;
    const auto answer = next_answer(*asked);
    const auto text = std::format(
        "HTTP/1.1 {} Scripted\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
        answer.status, answer.body.size(), answer.body);
    for (std::size_t sent = 0; sent < text.size();) {
        const auto n = ::send(connection, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) return;
        sent += static_cast<std::size_t>(n);
    }
}

Answer ScriptedServer::next_answer(const Asked& asked) {
    const std::lock_guard lock(mutex_);
    asked_.push_back(asked);
    const auto found = script_.find({asked.method, asked.target.substr(0, asked.target.find('?'))});
    if (found == script_.end()) return {.status = 404, .body = ""};
    auto& queue = found->second;
    const auto answer = queue.front();
    if (queue.size() > 1) queue.erase(queue.begin());
    return answer;
}

}  // namespace davit::test
