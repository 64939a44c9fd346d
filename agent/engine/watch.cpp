#include "agent/engine/watch.h"

#include <algorithm>
#include <format>

#include "agent/engine/start.h"

namespace davit {
namespace {

/// How often to look at an app that is not READY yet. That is rare: the switch has waited for it, unless the device
/// booted since.
constexpr Milliseconds kUntilReady{500};

bool has_probe(const HealthCheck& health) {
    return health.http || health.tcp || !health.exec.empty();
}

/// ": it ended with exit code 3", from what systemd knows.
std::string reason(const Apps::State& state) {
    return state.reason.empty() ? "" : ": it " + state.reason;
}

}  // namespace

Watch::Watch(AppVersion app, Manifest manifest, MonotonicTime now)
    : app_(std::move(app)), manifest_(std::move(manifest)), ready_by_(now + manifest_.start_timeout), due_(now) {}

std::string Watch::who() const {
    return label(app_);
}

/// A probe must have been good after its start delay.
Milliseconds Watch::watched_for() const {
    const auto& health = manifest_.health;
    return has_probe(health) ? std::max(health.stays_up, health.start_delay) : health.stays_up;
}

bool Watch::has_stayed_up(MonotonicTime now) const {
    return manifest_.start == StartType::Oneshot || now - *up_since_ >= watched_for();
}

Result<void> Watch::look(Apps& apps, Probe& probe, Clock& clock) {
    const auto state = TRY(apps.state(app_.name).transform_error(in(who())));
    TRY(check_state(state, clock.now()));
    if (!up_since_) {
        due_ = clock.now() + kUntilReady;
        return {};
    }
    TRY(check_health(probe, clock.now()));
    const auto now = clock.now();  // a probe takes its time
    if (failed_probes_ == 0 && has_stayed_up(now)) passed_ = true;
    due_ = now + manifest_.health.every;
    const auto first_probe = *up_since_ + manifest_.health.start_delay;
    if (first_probe > now) due_ = std::min(due_, first_probe);
    const auto end = *up_since_ + watched_for();
    if (end > now) due_ = std::min(due_, end);
    return {};
}

Result<void> Watch::check_state(const Apps::State& state, MonotonicTime now) {
    if (state.failed) return fail(Code::AppFailed, who() + " failed" + reason(state));
    if (state.restarts > 0) {
        return fail(Code::AppFailed, who() + " did not stay up and was restarted by systemd" + reason(state));
    }
    if (state.active) {
        if (!up_since_) up_since_ = now;
        return {};
    }
    if (up_since_) return fail(Code::AppFailed, who() + " did not stay up" + reason(state));
    if (now < ready_by_) return {};
    return fail(Code::AppFailed,
                std::format("{} did not become READY within {}", who(), to_string(manifest_.start_timeout)));
}

Result<void> Watch::check_health(Probe& probe, MonotonicTime now) {
    const auto& health = manifest_.health;
    if (now - *up_since_ < health.start_delay) return {};
    if (!has_probe(health) || manifest_.start == StartType::Oneshot) return {};
    const auto answer = probe.probe(app_.name, health);
    failed_probes_ = answer ? 0 : failed_probes_ + 1;
    if (failed_probes_ < std::max(health.failures, 1)) return {};
    return fail(Code::AppFailed, std::format("{} is unhealthy: {} ({} probe{})", who(), answer.error().message,
                                             failed_probes_, failed_probes_ == 1 ? "" : "s"));
}

}  // namespace davit
