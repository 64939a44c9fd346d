#include "agent/systemd/unit_state.h"

#include <csignal>
#include <cstring>
#include <format>
#include <sstream>

#include "common/text.h"

namespace davit {
namespace {

constexpr std::string_view kByWatchdog = "was ended by its watchdog: it hung";
constexpr std::string_view kOutOfMemory = "was ended because it used too much memory";
constexpr std::string_view kTooOften = "was restarted too often";

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
    if (unit.result == "watchdog") return std::string(kByWatchdog);
    if (unit.result == "oom-kill") return std::format("{}{}", kOutOfMemory, before(unit));
    if (unit.result == "start-limit-hit") return std::string(kTooOften);
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

/// What systemd knows by itself, in the form that davit-launch notes.
std::string as_noted(const UnitProperties& unit) {
    if (unit.result.empty() || unit.result == "success") return {};
    if (unit.result == "protocol") return {};  // the exit code is the launcher's
    if (unit.exit_kind == 0) return unit.result;
    const bool exited = unit.exit_kind == CLD_EXITED;
    const char* signal = exited ? nullptr : ::sigabbrev_np(unit.exit_status);
    return std::format("{} - {}", unit.result, signal ? signal : std::to_string(unit.exit_status));
}

std::optional<MonotonicTime> moment(std::chrono::microseconds since_boot) {
    if (since_boot.count() == 0) return std::nullopt;
    return MonotonicTime(since_boot);  // systemd's monotonic clock and steady_clock are the kernel's CLOCK_MONOTONIC
}

}  // namespace

std::string how_it_ended_last(std::string_view last_end) {
    std::istringstream words{std::string(last_end)};
    std::string result, code, status;
    words >> result >> code >> status;
    status = one_line(cut(status, kLongestStatus));
    if (result == "oom-kill") return std::string(kOutOfMemory);
    if (result == "watchdog") return std::string(kByWatchdog);
    if (result == "start-limit-hit") return std::string(kTooOften);
    if (result == "timeout") return "took too long";
    if (result == "exit-code") return "ended with exit code " + status;
    if (result == "signal") return "was killed by SIG" + status;
    if (result == "core-dump") return "crashed (SIG" + status + ")";
    return result.empty() ? "" : "ended (systemd's result: " + one_line(cut(result, kLongestStatus)) + ")";
}

Apps::State state_of(const UnitProperties& unit, std::string_view last_end) {
    Apps::State state;
    state.exists = unit.load_state == "loaded";
    state.active = unit.active_state == "active" || unit.active_state == "reloading";
    state.failed = unit.active_state == "failed" && !unit.has_job;
    state.starting = !state.active && !state.failed && (unit.has_job || unit.active_state == "activating");
    const bool has_run = unit.ended_at.count() != 0;
    state.stopped = unit.active_state == "inactive" && unit.result == "success" && has_run && !unit.has_job;
    state.restarts = unit.restarts;
    state.reason = how_it_ended_last(last_end);
    if (state.reason.empty()) state.reason = how_it_ended_last(as_noted(unit));
    // Systemd keeps the result of the last crash. But an app that is restarted ends in "failed" only by the start
    // limit.
    if (unit.result == "start-limit-hit" || (state.failed && unit.restarts > 0))
        state.reason = std::string(kTooOften) + (last_end.empty() ? "" : "; it " + how_it_ended_last(last_end));
    state.started_at = moment(unit.started_at);
    state.ended_at = moment(unit.ended_at);
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
