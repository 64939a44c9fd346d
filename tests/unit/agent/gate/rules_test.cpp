#include "agent/gate/rules.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace davit {
namespace {

using namespace std::chrono_literals;

/// The time of some day in the zone of the test, "22:30".
std::int64_t at(int hour, int minute) {
    std::tm local{};
    local.tm_year = 126;
    local.tm_mon = 10;
    local.tm_mday = 21;
    local.tm_hour = hour;
    local.tm_min = minute;
    local.tm_isdst = -1;
    return static_cast<std::int64_t>(std::mktime(&local)) * 1000;
}

constexpr Config::Hours kNight{.from = 22 * 60, .to = 5 * 60};
constexpr Config::Hours kNoon{.from = 12 * 60, .to = 13 * 60};

class HoursTest : public testing::TestWithParam<const char*> {
protected:
    HoursTest() {
        ::setenv("TZ", GetParam(), 1);
        ::tzset();
    }
    ~HoursTest() override {
        ::unsetenv("TZ");
        ::tzset();
    }
};

TEST_P(HoursTest, AreOpenFromTheirFirstMinuteUntilBeforeTheirLast) {
    EXPECT_GT(until_open(kNoon, at(11, 59)), 0ms);
    EXPECT_EQ(until_open(kNoon, at(12, 0)), 0ms);
    EXPECT_EQ(until_open(kNoon, at(12, 59)), 0ms);
    EXPECT_GT(until_open(kNoon, at(13, 0)), 0ms);
}

TEST_P(HoursTest, MayGoOverMidnight) {
    EXPECT_GT(until_open(kNight, at(21, 59)), 0ms);
    for (const auto& [hour, minute] : {std::pair{22, 0}, {23, 59}, {0, 0}, {4, 59}})
        EXPECT_EQ(until_open(kNight, at(hour, minute)), 0ms) << hour << ":" << minute;
    EXPECT_GT(until_open(kNight, at(5, 0)), 0ms);
}

TEST_P(HoursTest, AreLookedAtAgainBeforeLongSinceClocksAreSet) {
    EXPECT_EQ(until_open(kNight, at(5, 0)), 15min);
    EXPECT_EQ(until_open(kNight, at(21, 50)), 10min);
}

INSTANTIATE_TEST_SUITE_P(Zones, HoursTest, testing::Values("UTC", "CET-1CEST", "<+0545>-5:45"),
                         [](const auto& param_info) { return "Zone" + std::to_string(param_info.index); });

}  // namespace
}  // namespace davit
