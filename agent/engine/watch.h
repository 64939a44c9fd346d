#pragma once
/// One app in its probation: looked at when it is due, until it has stayed up long enough.

#include <string>

#include "agent/engine/seams.h"

namespace davit {

/// The app must be READY within its start timeout, must not restart or stop, and `failures` failed probes in a row,
/// the first of them `start_delay` after READY, end it. It has passed once it was up for `stays_up` and a probe after
/// that was good, so every watch ends; until the last app has passed it is watched all the same. A oneshot app has
/// passed when it has ended well.
class Watch {
public:
    Watch(AppVersion app, Manifest manifest, MonotonicTime now);

    /// Looks at the app. Error: AppFailed "app 'hello' 3 is unhealthy: GET http://… answered 500 (3 probes)".
    Result<void> look(Apps& apps, Probe& probe, Clock& clock);

    [[nodiscard]] bool passed() const { return passed_; }
    /// When to look again.
    [[nodiscard]] MonotonicTime due() const { return due_; }
    [[nodiscard]] const AppVersion& app() const { return app_; }

private:
    Result<void> check_state(const Apps::State& state, MonotonicTime now);
    Result<void> check_health(Probe& probe, MonotonicTime now);
    [[nodiscard]] Milliseconds watched_for() const;
    [[nodiscard]] bool has_stayed_up(MonotonicTime now) const;
    [[nodiscard]] std::string who() const;

    AppVersion app_;
    Manifest manifest_;
    MonotonicTime ready_by_;
    MonotonicTime due_;
    std::optional<MonotonicTime> up_since_;
    int failed_probes_ = 0;
    bool passed_ = false;
};

}  // namespace davit
