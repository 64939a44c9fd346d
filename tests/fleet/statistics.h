#pragma once
/// What all devices of the fleet did, counted. Thread-safe.

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "agent/deployment.h"
#include "common/http.h"

namespace davit::fleet {

/// Requests of the whole fleet by what was answered.
struct Traffic {
    std::atomic<std::uint64_t> requests = 0;
    std::atomic<std::uint64_t> refused = 0;     ///< an answer that is no 2xx and no 304
    std::atomic<std::uint64_t> unanswered = 0;  ///< no answer at all
};

/// Sends by @p sender and counts, for the fleet and for this device.
class Counting : public http::Sender {
public:
    Counting(std::unique_ptr<http::Sender> sender, Traffic& fleet, std::atomic<std::uint64_t>& device)
        : sender_(std::move(sender)), fleet_(fleet), device_(device) {}
    [[nodiscard]] Result<http::Response> send(const http::Request& request) override;

private:
    std::unique_ptr<http::Sender> sender_;
    Traffic& fleet_;
    std::atomic<std::uint64_t>& device_;
};

class Statistics {
public:
    /// Ends of deployments are gathered by what was deployed ("hello 7"), since each device has an action id of its
    /// own.
    void ended(const Deployment& deployment, const Outcome& outcome);

    struct Ends {
        std::uint64_t succeeded = 0, failed = 0, canceled = 0;
    };
    [[nodiscard]] Ends ends() const;
    [[nodiscard]] nlohmann::json to_json() const;

private:
    struct Row {
        Ends ends;
        std::map<std::string, std::uint64_t> causes;
        std::string example;  ///< the message of a failure
    };
    mutable std::mutex mutex_;
    std::map<std::string, Row> rows_;  ///< by what was deployed
};

/// What the kernel says about this process.
struct Size {
    std::uint64_t rss_kb = 0, threads = 0, files = 0;
};
Size own_size();

}  // namespace davit::fleet
