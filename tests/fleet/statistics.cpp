#include "tests/fleet/statistics.h"

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

namespace davit::fleet {
namespace {

std::string label(const Deployment& deployment) {
    std::string out;
    for (const auto& part : deployment.parts)
        out += (out.empty() ? "" : ", ") + part.app + (part.remove ? " removed" : " " + part.version);
    return out.empty() ? "unreadable" : out;
}

}  // namespace

Result<http::Response> Counting::send(const http::Request& request) {
    ++fleet_.requests;
    ++device_;
    auto answer = sender_->send(request);
    if (!answer) {
        ++fleet_.unanswered;
    } else if (answer->status >= 400) {
        ++fleet_.refused;
    }
    return answer;
}

void Statistics::ended(const Deployment& deployment, const Outcome& outcome) {
    const std::lock_guard lock(mutex_);
    auto& row = rows_[label(deployment)];
    if (outcome.canceled()) {
        ++row.ends.canceled;
    } else if (outcome.success) {
        ++row.ends.succeeded;
    } else {
        ++row.ends.failed;
        ++row.causes[outcome.cause];
        row.example = outcome.message;
    }
}

Statistics::Ends Statistics::ends() const {
    const std::lock_guard lock(mutex_);
    Ends sum;
    for (const auto& [_, row] : rows_) {
        sum.succeeded += row.ends.succeeded;
        sum.failed += row.ends.failed;
        sum.canceled += row.ends.canceled;
    }
    return sum;
}

nlohmann::json Statistics::to_json() const {
    const std::lock_guard lock(mutex_);
    auto out = nlohmann::json::object();
    for (const auto& [deployed, row] : rows_) {
        out[deployed] = {{"succeeded", row.ends.succeeded},
                         {"failed", row.ends.failed},
                         {"canceled", row.ends.canceled},
                         {"causes", row.causes},
                         {"example", row.example}};
    }
    return out;
}

Size own_size() {
    Size size;
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        if (word == "VmRSS:") status >> size.rss_kb;
        if (word == "Threads:") status >> size.threads;
    }
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
        ++size.files;
    return size;
}

}  // namespace davit::fleet
