#include "agent/link/schedule.h"

#include <gtest/gtest.h>

#include <set>

namespace davit {
namespace {

constexpr Milliseconds kLongest{600'000};

Schedule schedule() {
    return {kLongest, std::mt19937{7}};
}

bool within_ten_percent(Milliseconds wait, Milliseconds around) {
    return wait >= around * 9 / 10 && wait <= around * 11 / 10;
}

TEST(ScheduleTest, SpreadsPollsTenPercentAroundTheServersInterval) {
    auto polls = schedule();
    std::set<Milliseconds> seen;
    for (int i = 0; i < 200; ++i) {
        const auto wait = polls.answered(Milliseconds(300'000));
        EXPECT_TRUE(within_ten_percent(wait, Milliseconds(300'000))) << wait.count();
        seen.insert(wait);
    }
    EXPECT_GT(seen.size(), 100U) << "a fleet would ask in step";
    EXPECT_LT(*seen.begin(), Milliseconds(280'000));
    EXPECT_GT(*seen.rbegin(), Milliseconds(320'000));
}

TEST(ScheduleTest, DoublesTheWaitWhileTheServerDoesNotAnswerUpToItsLimit) {
    auto polls = schedule();
    for (const int seconds : {5, 10, 20, 40, 80, 160, 320, 600, 600}) {
        const auto wait = polls.failed();
        EXPECT_TRUE(within_ten_percent(wait, Milliseconds(seconds * 1000)))
            << wait.count() << " instead of about " << seconds << " s";
    }
    for (int i = 0; i < 100; ++i)
        EXPECT_TRUE(within_ten_percent(polls.failed(), kLongest));
}

TEST(ScheduleTest, BeginsTheBackOffAnewAfterAnAnswer) {
    auto polls = schedule();
    for (int i = 0; i < 6; ++i)
        polls.failed();
    polls.answered(Milliseconds(60'000));
    EXPECT_TRUE(within_ten_percent(polls.failed(), Milliseconds(5'000)));
}

TEST(ScheduleTest, IsNeverAskedToAskWithoutAPause) {
    auto polls = schedule();
    EXPECT_GE(polls.answered(Milliseconds(0)), Milliseconds(1'000));
}

TEST(ScheduleTest, AsksAtOnceAfterAResultButNotAfterManyInARow) {
    auto polls = schedule();
    const MonotonicTime start{std::chrono::hours(1)};
    EXPECT_EQ(polls.reported(start), start);
    EXPECT_EQ(polls.reported(start + Milliseconds(50)), start + Milliseconds(10'000));
    EXPECT_EQ(polls.reported(start + Milliseconds(10'050)), start + Milliseconds(20'000));
    EXPECT_EQ(polls.reported(start + std::chrono::hours(1)), start + std::chrono::hours(1));
}

}  // namespace
}  // namespace davit
