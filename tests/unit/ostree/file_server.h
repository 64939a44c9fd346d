#pragma once
/// Serves a directory over HTTP as a static web server does, counts what it sends, and misbehaves on demand.

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "common/file.h"
#include "tests/unit/common/loopback_server.h"

namespace davit::test {

class FileServer {
public:
    explicit FileServer(Path root);

    [[nodiscard]] std::string url() const { return server_.url(""); }
    /// Paths that were asked for, with the status each got: "200 /objects/ab/cd….commit".
    [[nodiscard]] std::vector<std::string> log() const;
    [[nodiscard]] std::vector<std::string> requests() const { return server_.requests(); }
    [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_; }  ///< headers included
    void forget();                                                     ///< starts log and count anew

    /// Paths that end like this get this status from now on.
    void answer(const std::string& ending, int status);
    /// Paths that end like this get one byte in the middle changed.
    void damage(const std::string& ending);
    /// From now on requests are taken, and never answered.
    void fall_silent() { fall_silent_after(0); }
    void fall_silent_after(int answers) { answers_left_ = answers; }
    void behave();

private:
    static constexpr int kUnlimited = -1;
    LoopbackServer::Reply reply(const std::string& request);

    Path root_;
    mutable std::mutex mutex_;
    std::map<std::string, int> statuses_;
    std::vector<std::string> damaged_;
    std::vector<std::string> log_;
    std::atomic<std::uint64_t> bytes_ = 0;
    std::atomic<int> answers_left_ = kUnlimited;
    LoopbackServer server_;  // last: its thread uses everything above
};

}  // namespace davit::test
