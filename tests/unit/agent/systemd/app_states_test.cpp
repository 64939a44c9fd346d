#include "agent/systemd/app_states.h"

#include <gtest/gtest.h>

namespace davit {
namespace {

using namespace std::chrono_literals;

const MonotonicTime kNow{100h};

Apps::State running(unsigned restarts, Milliseconds up) {
    return {.exists = true,
            .active = true,
            .restarts = restarts,
            .reason = "ended with exit code 3",
            .started_at = kNow - up};
}

TEST(Trouble, IsNoneWhenTheAppRuns) {
    EXPECT_EQ(trouble(running(0, 1s), kNow), "");
    EXPECT_EQ(trouble(running(5, 10min), kNow), "") << "its last crash was long ago";
}

TEST(Trouble, IsACircleOfCrashes) {
    EXPECT_EQ(trouble(running(5, 1s), kNow), "restarting (5 times): it ended with exit code 3");
    auto waiting = running(7, 1h);
    waiting.active = false;
    waiting.starting = true;
    EXPECT_EQ(trouble(waiting, kNow), "restarting (more than 5 times): it ended with exit code 3");
}

TEST(Trouble, IsWhatSystemdHasGivenUp) {
    Apps::State state{
        .exists = true, .failed = true, .restarts = 2, .reason = "was ended because it used too much memory"};
    EXPECT_EQ(trouble(state, kNow), "failed: it was ended because it used too much memory");
}

TEST(Trouble, IsNotWhatSomebodyStopped) {
    Apps::State state{.exists = true, .stopped = true, .restarts = 2, .reason = "ended with exit code 3"};
    EXPECT_EQ(trouble(state, kNow), "");
}

TEST(Trouble, CostsNothingWhileNoAppHasCrashed) {
    EXPECT_TRUE(states_of_troubled_apps({.state = "/none", .run = "/none"}, kNow).empty());
}

}  // namespace
}  // namespace davit
