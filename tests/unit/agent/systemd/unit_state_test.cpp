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
    EXPECT_EQ(state_of(unit).reason, "");
}

TEST(WhyNotStarted, KnowsSystemdsOtherResults) {
    EXPECT_EQ(why_not_started("hello", "failed", failed("notify", "watchdog"), kTimeout),
              "hello was ended by its watchdog: it hung");
    EXPECT_EQ(why_not_started("hello", "failed", failed("notify", "oom-kill"), kTimeout),
              "hello was ended because it used too much memory before it was READY");
    EXPECT_EQ(why_not_started("hello", "failed", failed("notify", "start-limit-hit"), kTimeout),
              "hello was restarted too often");
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
    EXPECT_EQ(state.reason, "was restarted too often");
}

TEST(StateOf, TellsInAPersonsWordsHowTheAppEnded) {
    EXPECT_EQ(how_it_ended_last("oom-kill killed KILL\n"), "was ended because it used too much memory");
    EXPECT_EQ(how_it_ended_last("watchdog killed KILL\n"), "was ended by its watchdog: it hung");
    EXPECT_EQ(how_it_ended_last("exit-code exited 3\n"), "ended with exit code 3");
    EXPECT_EQ(how_it_ended_last("signal killed TERM\n"), "was killed by SIGTERM");
    EXPECT_EQ(how_it_ended_last("core-dump dumped SEGV\n"), "crashed (SIGSEGV)");
    EXPECT_EQ(how_it_ended_last(""), "");
    EXPECT_EQ(how_it_ended_last("novelty - -\n"), "ended (systemd's result: novelty)");
}

TEST(StateOf, RemembersTheReasonThatSystemdForgetsWithTheNextStart) {
    UnitProperties unit;
    unit.load_state = "loaded";
    unit.active_state = "active";
    unit.result = "success";
    unit.restarts = 2;

    EXPECT_EQ(state_of(unit, "oom-kill killed KILL\n").reason, "was ended because it used too much memory");
}

TEST(StateOf, AnAppThatIsGivenUpSaysWhatMadeItCrash) {
    EXPECT_EQ(state_of(failed("notify", "start-limit-hit"), "exit-code exited 3\n").reason,
              "was restarted too often; it ended with exit code 3");
    auto unit = failed("notify", "exit-code");
    EXPECT_EQ(state_of(unit, "exit-code exited 3\n").reason, "ended with exit code 3");
    unit.restarts = 2;  // systemd keeps the result of the last crash
    EXPECT_EQ(state_of(unit, "exit-code exited 3\n").reason, "was restarted too often; it ended with exit code 3");
}

TEST(StateOf, TellsAnAppThatSomebodyStoppedFromOneThatNeverRanOrIsAboutToStart) {
    UnitProperties unit;
    unit.load_state = "loaded";
    unit.active_state = "inactive";
    unit.result = "success";
    EXPECT_FALSE(state_of(unit).stopped) << "it never ran";
    unit.ended_at = std::chrono::seconds(7);
    EXPECT_TRUE(state_of(unit).stopped);
    unit.has_job = true;
    EXPECT_FALSE(state_of(unit).stopped);
    EXPECT_TRUE(state_of(unit).starting);
    EXPECT_FALSE(state_of(failed("notify", "exit-code")).stopped);
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
