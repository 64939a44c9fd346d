#include "agent/ctl/print.h"

#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>
#include <vector>

#include "agent/app_words.h"
#include "common/clock.h"

namespace davit {
namespace {

using Json = nlohmann::json;
using Row = std::vector<std::string>;

constexpr std::size_t kShownOfCommit = 12;

/// Columns as wide as their widest cell; the last one is not padded.
std::string table(const std::vector<Row>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            text += i + 1 < row.size() ? std::format("{:<{}}  ", row[i], widths[i]) : row[i];
        }
        text.resize(text.find_last_not_of(' ') + 1);
        text += '\n';
    }
    return text;
}

/// "3 s", "5 min", "2 h", "4 d"
std::string span(std::int64_t ms) {
    const auto seconds = std::max<std::int64_t>(ms, 0) / 1000;
    if (seconds < 120) return std::format("{} s", seconds);
    if (seconds < 120 * 60) return std::format("{} min", seconds / 60);
    if (seconds < 48 * 3600) return std::format("{} h", seconds / 3600);
    return std::format("{} d", seconds / 86400);
}

std::string ago(std::int64_t then_ms, std::int64_t now_ms) {
    return then_ms == 0 ? "never" : span(now_ms - then_ms) + " ago";
}

std::string server_line(const Json& status, std::int64_t now_ms) {
    const auto url = status.value("server_url", "");
    if (url.empty()) return "none configured";
    const auto next = status.value("next_poll_ms", std::int64_t{0});
    if (next == 0) return url + ", not asked yet";
    const auto asks = next > now_ms ? ", asks again in " + span(next - now_ms) : std::string(", asking");
    if (status.value("server_reached", false))
        return url + ", answered " + ago(status.value("last_contact_ms", std::int64_t{0}), now_ms) + asks;
    return std::format("{}, NOT REACHED: {} (last answer: {}{})", url, status.value("server_error", ""),
                       ago(status.value("last_contact_ms", std::int64_t{0}), now_ms), asks);
}

std::string deployment_line(const Json& status) {
    const auto id = status.value("deployment_id", "");
    if (id.empty()) return "none under way";
    auto line = std::format("{}, {}: {}", id, status.value("phase", ""), status.value("message", ""));
    const auto bytes = status.value("bytes", std::uint64_t{0});
    const auto expected = status.value("expected_bytes", std::uint64_t{0});
    if (expected > 0)
        line += std::format(" ({} of {} kB, {} %)", bytes / 1000, expected / 1000,
                            std::min<std::uint64_t>(bytes * 100 / expected, 100));
    return line;
}

/// What a deployment will do, a line for each app that it changes.
void add_plan(std::vector<Row>& rows, const Json& status) {
    for (const auto& part : status.value("parts", Json::array())) {
        const auto todo = part.value("todo", "");
        if (!todo.empty()) rows.push_back({rows.back().front() == "Deployment:" ? "Plan:" : "", todo});
    }
}

void add_inhibitors(std::vector<Row>& rows, const Json& status) {
    for (const auto& one : status.value("inhibitors", Json::array())) {
        rows.push_back({"Held off by:", std::format("{}: {} ({}, {} left)", one.value("who", ""), one.value("why", ""),
                                                    one.value("strong", false) ? "forced updates too" : "soft updates",
                                                    span(one.value("left_ms", std::int64_t{0})))});
    }
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words)
        text += (text.empty() ? "" : ", ") + word;
    return text.empty() ? "none" : text;
}

/// systemd's word, or that it is caught in a circle of crashes.
std::string state_of(const Json& app, std::int64_t now_ms) {
    const auto state = app.value("state", "");
    const auto restarts = app.value("restarts", 0u);
    const auto since = app.value("since_ms", std::int64_t{0});
    const bool up = state == "active";
    if (is_restarting(up, restarts, Milliseconds(now_ms - since)) && state != "failed" && state != "inactive")
        return restarting(restarts);
    return state;
}

std::string result_of(const Json& deployment) {
    if (deployment.value("success", false)) return "success";
    const auto cause = deployment.value("cause", "");
    return cause == "canceled" || cause == "denied" ? cause : "failed (" + cause + ")";
}

}  // namespace

std::string print_status(const Json& status, std::int64_t now_ms) {
    const auto generation = status.value("generation", std::uint64_t{0});
    std::vector<Row> rows = {
        {"Agent:", "davitd " + status.value("version", "")},
        {"Server:", server_line(status, now_ms)},
        {"Generation:", generation == 0 ? "none, no app was ever installed" : std::to_string(generation)},
        {"Deployment:", deployment_line(status)}};
    add_plan(rows, status);
    add_inhibitors(rows, status);
    return table(rows);
}

std::string print_apps(const Json& apps, std::int64_t now_ms) {
    if (apps.empty()) return "No apps are installed.\n";
    std::vector<Row> rows = {{"APP", "VERSION", "STATE", "SINCE", "PID", "RESTARTS", "COMMIT", "ENDED LAST"}};
    for (const auto& app : apps) {
        const auto pid = app.value("pid", 0u);
        rows.push_back({app.value("name", ""), app.value("version", ""), state_of(app, now_ms),
                        ago(app.value("since_ms", std::int64_t{0}), now_ms), pid == 0 ? "-" : std::to_string(pid),
                        std::to_string(app.value("restarts", 0u)), app.value("commit", "").substr(0, kShownOfCommit),
                        app.value("last_end", "")});
    }
    return table(rows);
}

std::string print_generations(const Json& generations) {
    if (generations.empty()) return "No apps were ever installed.\n";
    std::vector<Row> rows = {{"GENERATION", "ROLE", "APPS"}};
    for (const auto& generation : generations)
        rows.push_back({std::to_string(generation.value("number", std::uint64_t{0})),
                        joined(generation.value("roles", std::vector<std::string>())),
                        joined(generation.value("apps", std::vector<std::string>()))});
    return table(rows);
}

std::string print_history(const Json& deployments) {
    if (deployments.empty()) return "No deployment has ended on this device yet.\n";
    std::vector<Row> rows = {{"FINISHED", "DEPLOYMENT", "RESULT", "MESSAGE"}};
    for (const auto& deployment : deployments) {
        rows.push_back({iso_time(deployment.value("finished_ms", std::int64_t{0})), deployment.value("id", ""),
                        result_of(deployment), deployment.value("message", "")});
    }
    return table(rows);
}

}  // namespace davit
