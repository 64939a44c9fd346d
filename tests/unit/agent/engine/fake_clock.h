#pragma once
/// Time that moves when somebody sleeps.

#include <functional>
#include <vector>

#include "common/clock.h"

namespace davit::test {

class FakeClock : public Clock {
public:
    [[nodiscard]] MonotonicTime now() const override { return now_; }
    [[nodiscard]] std::int64_t wall_ms() const override {
        if (called) called();
        return wall_ms_;
    }
    bool sleep(Milliseconds duration, std::stop_token stop) override {
        if (called) called();
        if (stop.stop_requested()) return false;
        sleeps.push_back(duration);
        passes(duration);
        return !stop.stop_requested();
    }

    void passes(Milliseconds duration) {
        now_ += duration;
        wall_ms_ += duration.count();
    }
    /// Somebody sets the wall clock.
    void wall_jumps(Milliseconds by) { wall_ms_ += by.count(); }

    std::vector<Milliseconds> sleeps;
    std::function<void()> called;  ///< at each call that the engine makes between two steps

private:
    MonotonicTime now_{std::chrono::hours{1}};
    std::int64_t wall_ms_ = 1'790'000'000'000;
};

}  // namespace davit::test
