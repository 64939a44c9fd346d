#include "agent/systemd/unit_state.h"

#include <gtest/gtest.h>
#include <csignal>

namespace davit {
namespace {

constexpr Milliseconds kTimeout{60'000};

UnitProperties failed(std::string type, std::string result) {
    UnitProperties unit;
    unit.load_state = "loaded";
    unit.active_state = "failed";
    unit.type = std::move(type);
    unit.result = std::move(result);
    return unit;
}

UnitProperties ended(UnitProperties unit, int kind, int status) {
    unit.exit_kind = kind;
    unit.exit_status = status;
    return unit;
}

TEST(WhyNotStarted, SaysThatAnAppWasNotReadyInTime) {
    EXPECT_EQ(why_not_started("hello", "failed", failed("notify", "timeout"), kTimeout),
              "hello did not become READY within 60 s");
    EXPECT_EQ(why_not_started("hello", "failed", failed("forking", "timeout"), Milliseconds{1500}),
              "hello did not start within 1500 ms");
    EXPECT_EQ(why_not_started("hello", "failed", failed("oneshot", "timeout"), kTimeout),
              "hello did not end within 60 s");
}

TEST(WhyNotStarted, SaysHowAnAppEnded) {
    EXPECT_EQ(why_not_started("hello", "failed", ended(failed("notify", "exit-code"), CLD_EXITED, 3), kTimeout),
              "hello ended with exit code 3 before it was READY");
    EXPECT_EQ(why_not_started("hello", "failed", ended(failed("notify", "signal"), CLD_KILLED, 9), kTimeout),
              "hello was killed by signal 9 before it was READY");
    EXPECT_EQ(why_not_started("hello", "failed", ended(failed("forking", "core-dump"), CLD_DUMPED, 11), kTimeout),
              "hello was killed by signal 11, core dumped while it started");
    EXPECT_EQ(why_not_started("hello", "failed", ended(failed("oneshot", "exit-code"), CLD_EXITED, 1), kTimeout),
              "hello ended with exit code 1");
    EXPECT_EQ(why_not_started("hello", "failed", ended(failed("notify", "success"), CLD_EXITED, 0), kTimeout),
              "hello ended before it was READY");
}

TEST(WhyNotStarted, AnAppThatIsGoneBeforeSystemdSawItHasNoExitCode) {
    const auto unit = ended(failed("notify", "protocol"), CLD_EXITED, 0);  // the 0 is the launcher's

    EXPECT_EQ(why_not_started("hello", "failed", unit, kTimeout), "hello ended before it was READY");
    EXPECT_EQ(state_of(unit).detail, "");
}

TEST(WhyNotStarted, KnowsSystemdsOtherResults) {
    EXPECT_EQ(why_not_started("hello", "failed", failed("notify", "watchdog"), kTimeout),
              "hello hung: its watchdog was not fed");
    EXPECT_EQ(why_not_started("hello", "failed", failed("notify", "oom-kill"), kTimeout),
              "hello ran out of memory before it was READY");
    EXPECT_EQ(why_not_started("hello", "failed", failed("notify", "start-limit-hit"), kTimeout),
              "hello was started too often in a short time");
    EXPECT_EQ(why_not_started("hello", "failed", failed("notify", "resources"), kTimeout),
              "hello could not be started (systemd's result: resources)");
}

TEST(WhyNotStarted, BlamesTheDependencyNotTheApp) {
    EXPECT_EQ(why_not_started("web", "dependency", failed("notify", "success"), kTimeout),
              "web was not started: an app that it requires did not start");
}

TEST(WhyNotStarted, AddsWhatTheAppSaidLastOnOneLine) {
    auto unit = ended(failed("notify", "exit-code"), CLD_EXITED, 1);
    unit.status_text = "cannot open\n/dev/camera";

    EXPECT_EQ(why_not_started("hello", "failed", unit, kTimeout),
              "hello ended with exit code 1 before it was READY; its last status: cannot open /dev/camera");
}

TEST(StateOf, SaysWhatTheEngineAsks) {
    auto unit = ended(failed("notify", "signal"), CLD_KILLED, 11);
    unit.restarts = 3;

    const auto state = state_of(unit);

    EXPECT_TRUE(state.exists);
    EXPECT_TRUE(state.failed);
    EXPECT_FALSE(state.active);
    EXPECT_EQ(state.restarts, 3u);
    EXPECT_EQ(state.result, "signal");
    EXPECT_EQ(state.detail, "killed by signal 11");
}

TEST(StateOf, AUnitThatSystemdDoesNotKnowDoesNotExist) {
    UnitProperties unit;
    unit.load_state = "not-found";
    unit.active_state = "inactive";

    EXPECT_FALSE(state_of(unit).exists);
    EXPECT_FALSE(state_of(unit).active);
}

TEST(StateOf, AnAppThatIsStillStartingIsNotActive) {
    UnitProperties unit;
    unit.load_state = "loaded";
    unit.active_state = "activating";

    EXPECT_FALSE(state_of(unit).active);
    EXPECT_FALSE(state_of(unit).failed);
}

}  // namespace
}  // namespace davit
