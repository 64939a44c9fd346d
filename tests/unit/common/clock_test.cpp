#include "common/clock.h"

#include <gmock/gmock.h>
#include <thread>

#include "tests/unit/common/support.h"

namespace davit {
namespace {

using namespace std::chrono_literals;
using test::FailsWith;
using test::Gives;
using testing::HasSubstr;

TEST(Clock, SleepLastsAtLeastItsDuration) {
    auto& clock = system_clock();
    const auto before = clock.now();
    EXPECT_TRUE(clock.sleep(5ms, {}));
    EXPECT_GE(clock.now() - before, 5ms);
}

TEST(Clock, SleepEndsWhenStopped) {
    std::stop_source stop;
    const std::jthread stopper([&] { stop.request_stop(); });
    EXPECT_FALSE(system_clock().sleep(Milliseconds::max(), stop.get_token()));
}

TEST(Clock, SleepDoesNotStartAfterAStop) {
    std::stop_source stop;
    stop.request_stop();
    EXPECT_FALSE(system_clock().sleep(1h, stop.get_token()));
}

TEST(Duration, IsANumberWithAUnit) {
    EXPECT_THAT(parse_duration("500ms"), Gives(500ms));
    EXPECT_THAT(parse_duration("5s"), Gives(5s));
    EXPECT_THAT(parse_duration("2m"), Gives(2min));
    EXPECT_THAT(parse_duration("1h"), Gives(1h));
    EXPECT_THAT(parse_duration("30"), Gives(30s));
    EXPECT_THAT(parse_duration("0"), Gives(0s));
}

TEST(Duration, RefusesEverythingElseAndSaysHowToWriteIt) {
    for (const char* bad : {"", "s", "5 s", "-5s", "5x", "1.5s", "5s ", " 5s", "+5s", "5S", "99999999999999999999s",
                            "9223372036854775807h", "1d"}) {
        EXPECT_THAT(parse_duration(bad), FailsWith(Code::InvalidInput, HasSubstr("500ms, 5s, 2m or 1h"))) << bad;
    }
}

TEST(Duration, IsWrittenInTheShortestExactForm) {
    EXPECT_EQ(to_string(500ms), "500ms");
    EXPECT_EQ(to_string(1500ms), "1500ms");
    EXPECT_EQ(to_string(5s), "5s");
    EXPECT_EQ(to_string(90s), "90s");
    EXPECT_EQ(to_string(2min), "2m");
    EXPECT_EQ(to_string(24h), "24h");
    EXPECT_EQ(to_string(0s), "0s");
}

TEST(Duration, ReadsAsSecondsInSentences) {
    EXPECT_EQ(in_seconds(60s), "60 s");
    EXPECT_EQ(in_seconds(200ms), "0.2 s");
}

TEST(PollingTime, IsHoursMinutesSeconds) {
    EXPECT_THAT(parse_polling_time("00:05:00"), Gives(5min));
    EXPECT_THAT(parse_polling_time("23:59:59"), Gives(23h + 59min + 59s));
    EXPECT_THAT(parse_polling_time("100:00:00"), Gives(100h));
}

TEST(PollingTime, IsAnIso8601Duration) {
    EXPECT_THAT(parse_polling_time("PT24H"), Gives(24h));
    EXPECT_THAT(parse_polling_time("PT5M"), Gives(5min));
    EXPECT_THAT(parse_polling_time("P1DT2H3M4S"), Gives(26h + 3min + 4s));
    EXPECT_THAT(parse_polling_time("P2D"), Gives(48h));
}

TEST(PollingTime, RefusesEverythingElse) {
    for (const char* bad :
         {"", "P", "PT", "P1DT", "PT5", "PT5M4H", "PTT5M", "P1M", "00:60:00", "00:00:60", "00:05", "00:05:00:00",
          "-1:00:00", "x", "5", "9223372036854775807:00:00", "PT9223372036854775807H"}) {
        EXPECT_THAT(parse_polling_time(bad), FailsWith(Code::InvalidInput, HasSubstr("00:05:00"))) << bad;
    }
}

TEST(IsoTime, IsUtcToTheSecond) {
    EXPECT_EQ(iso_time(0), "1970-01-01T00:00:00Z");
    EXPECT_EQ(iso_time(1'795'255'200'999), "2026-11-21T10:00:00Z");
    EXPECT_EQ(iso_time(-1), "1969-12-31T23:59:59Z");
}

}  // namespace
}  // namespace davit
