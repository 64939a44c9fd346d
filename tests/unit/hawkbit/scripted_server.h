#pragma once
/// A small HTTP server on the loopback that answers what a test scripted, and remembers what it was asked.

#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/fd.h"

namespace davit::test {

struct Answer {
    int status = 200;
    std::string body = {};
};

struct Asked {
    std::string method;
    std::string target;                          ///< path and query
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body = {};
};

/// Answers 404 to what was not scripted. Thread-safe; one connection at a time, closed after each answer.
class ScriptedServer {
public:
    ScriptedServer();
    ~ScriptedServer();
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    [[nodiscard]] std::string url() const;
    /// The next answer to @p method of @p path (without query). The last one scripted is repeated.
    void answers(const std::string& method, const std::string& path, Answer answer);
    /// From now on only this answer: forgets what was scripted for @p path.
    void now_answers(const std::string& method, const std::string& path, Answer answer);
    [[nodiscard]] std::vector<Asked> asked() const;
    [[nodiscard]] Asked last() const;  ///< the last request; an empty one when there was none

private:
    void serve();
    void serve_one(int connection);
    Answer next_answer(const Asked& asked);

    Fd listener_;
    int port_ = 0;
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, std::vector<Answer>> script_;
    std::vector<Asked> asked_;
    std::jthread thread_;
};

}  // namespace davit::test
