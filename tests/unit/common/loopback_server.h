#pragma once
/// An HTTP server on 127.0.0.1 that says, byte for byte, what a test wants: also nonsense, nothing, or half an answer.

#include <atomic>
#include <format>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/fd.h"

namespace davit::test {

/// Serves one connection at a time, each until either side closes it.
class LoopbackServer {
public:
    struct Reply {
        std::string bytes;                                  ///< as they go over the wire, headers included
        enum class Then { Wait, Close } then = Then::Wait;  ///< Wait: for the next request, or for ever
    };
    /// @p answer gets each request (head and body) as it came and is called on the server's thread.
    explicit LoopbackServer(std::function<Reply(const std::string& request)> answer);
    ~LoopbackServer();
    LoopbackServer(const LoopbackServer&) = delete;
    LoopbackServer& operator=(const LoopbackServer&) = delete;

    [[nodiscard]] int port() const { return port_; }
    [[nodiscard]] std::string url(const std::string& path = "/") const {
        return std::format("http://127.0.0.1:{}{}", port_, path);
    }
    [[nodiscard]] std::vector<std::string> requests() const;
    [[nodiscard]] int connections() const { return connections_; }

    /// A whole answer: status line, Content-Length, @p headers ("Name: value\r\n" each) and @p body.
    static Reply reply(int status, const std::string& body, const std::string& headers = "");

private:
    void serve();
    void serve(int connection);

    std::function<Reply(const std::string&)> answer_;
    Fd listener_;
    int port_ = 0;
    std::atomic<int> connections_ = 0;
    mutable std::mutex mutex_;
    int connection_ = -1;  ///< the open one, so that the destructor can interrupt it
    bool closing_ = false;
    std::vector<std::string> requests_;
    std::jthread thread_;
};

}  // namespace davit::test
