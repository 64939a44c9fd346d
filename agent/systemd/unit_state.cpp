#include "agent/systemd/unit_state.h"

#include <csignal>
#include <format>

#include "common/text.h"

namespace davit {
namespace {

constexpr std::size_t kLongestStatus = 300;  // of what an app says about itself, in a message for the server

/// How the main process ended: "exit code 3", "killed by signal 11"; empty if it did not.
std::string how_it_ended(const UnitProperties& unit) {
    if (unit.result == "protocol") return {};  // then it is how the launcher ended
    switch (unit.exit_kind) {
        case CLD_EXITED:
            return std::format("exit code {}", unit.exit_status);
        case CLD_KILLED:
            return std::format("killed by signal {}", unit.exit_status);
        case CLD_DUMPED:
            return std::format("killed by signal {}, core dumped", unit.exit_status);
        default:
            return {};
    }
}

std::string seconds(Milliseconds duration) {
    return duration.count() % 1000 == 0 ? std::format("{} s", duration.count() / 1000)
                                        : std::format("{} ms", duration.count());
}

/// When in its life the app failed.
std::string_view before(const UnitProperties& unit) {
    if (unit.type == "notify") return " before it was READY";
    return unit.type == "oneshot" ? "" : " while it started";
}

std::string timed_out(const UnitProperties& unit, Milliseconds start_timeout) {
    const std::string_view goal = unit.type == "notify" ? "become READY" : unit.type == "oneshot" ? "end" : "start";
    return std::format("did not {} within {}", goal, seconds(start_timeout));
}

/// The sentence's verb, from systemd's result of the service.
std::string what_happened(const UnitProperties& unit, Milliseconds start_timeout) {
    const auto end = how_it_ended(unit);
    if (unit.result == "timeout") return timed_out(unit, start_timeout);
    if (unit.result == "watchdog") return "hung: its watchdog was not fed";
    if (unit.result == "oom-kill") return std::format("ran out of memory{}", before(unit));
    if (unit.result == "start-limit-hit") return "was started too often in a short time";
    if (unit.result == "exit-code" && !end.empty()) return std::format("ended with {}{}", end, before(unit));
    if ((unit.result == "signal" || unit.result == "core-dump") && !end.empty()) {
        return std::format("was {}{}", end, before(unit));
    }
    // The launcher succeeded, but its container was gone before systemd could take it over.
    const bool gone = unit.result == "protocol" || (unit.result == "success" && unit.exit_kind == CLD_EXITED);
    if (gone) return std::format("ended{}", before(unit));
    return std::format("could not be started (systemd's result: {})", unit.result);
}

/// Failures that are not the service's own but of systemd's job.
std::string what_became_of_the_job(std::string_view job) {
    if (job == "dependency") return "was not started: an app that it requires did not start";
    if (job == "canceled") return "was not started: another job for it took over (somebody stopped it?)";
    return {};
}

}  // namespace

Apps::State state_of(const UnitProperties& unit) {
    Apps::State state;
    state.exists = unit.load_state == "loaded";
    state.active = unit.active_state == "active" || unit.active_state == "reloading";
    state.failed = unit.active_state == "failed";
    state.restarts = unit.restarts;
    state.result = unit.result;
    state.detail = how_it_ended(unit);
    return state;
}

std::string why_not_started(std::string_view app, std::string_view job, const UnitProperties& unit,
                            Milliseconds start_timeout) {
    auto reason = what_became_of_the_job(job);
    if (reason.empty()) reason = what_happened(unit, start_timeout);
    const auto status = cut(one_line(unit.status_text), kLongestStatus);
    return std::format("{} {}{}", app, reason, status.empty() ? "" : std::format("; its last status: {}", status));
}

}  // namespace davit
