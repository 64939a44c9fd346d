#include <gmock/gmock.h>

#include "tests/unit/agent/engine/world.h"

namespace davit {
namespace {

using namespace std::chrono_literals;
using test::app;
using test::Failed;
using test::FailsWith;
using test::Succeeded;
using test::Works;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

class DownloadTest : public test::EngineTest {
protected:
    DownloadTest() { device.has({app("hello", "1"), app("ticker", "1")}); }

    /// What of the sleeps was waiting for the network.
    std::vector<Milliseconds> waits() const {
        const auto n = static_cast<std::ptrdiff_t>(std::min<std::size_t>(failures_, clock.sleeps.size()));
        return {clock.sleeps.begin(), clock.sleeps.begin() + n};
    }
    void network_fails(int times) {
        device.failing_fetches = times;
        failures_ = static_cast<std::size_t>(times);
    }
    std::size_t failures_ = 0;
};

TEST_F(DownloadTest, IsRefusedWithTheExactNumberOfMissingBytesBeforeAnythingIsFetched) {
    auto hello = app("hello", "2");
    hello.bytes = 8'000;
    auto ticker = app("ticker", "2");
    ticker.bytes = 5'345;
    device.free = 1'000;

    const auto outcome = deploy({device.publishes(hello), device.publishes(ticker)});

    EXPECT_THAT(outcome,
                Failed("no-space", HasSubstr("needs 12345 bytes more than are free (needs 13345, 1000 are free)")));
    EXPECT_THAT(device.did(), IsEmpty());
}

TEST_F(DownloadTest, NeedsNoSpaceForWhatIsHereAlready) {
    const auto hello = device.publishes(app("hello", "2"));
    ASSERT_THAT(deploy({hello}, "1"), Succeeded(testing::_));
    device.free = 0;

    EXPECT_THAT(deploy({device.publishes(app("hello", "1"))}, "2"), Succeeded("updated hello 2 → 1"));
}

TEST_F(DownloadTest, IsTriedAgainAfterDoubledPausesUpToTheLongest) {
    network_fails(5);
    options.first_retry = 5s;
    options.longest_retry = 30s;

    const auto outcome = deploy({device.publishes(app("hello", "2"))});

    EXPECT_THAT(outcome, Succeeded("updated hello 1 → 2"));
    EXPECT_THAT(waits(), ElementsAre(5s, 10s, 20s, 30s, 30s));
}

TEST_F(DownloadTest, TellsWhyAndWhenItIsTriedAgain) {
    network_fails(1);

    deploy({device.publishes(app("hello", "2"))});

    EXPECT_THAT(device.told(), Contains("downloading: app 'hello': connection refused; trying again in 5s"));
}

TEST_F(DownloadTest, GivesUpAtTheDeadlineWithTheLastReason) {
    network_fails(1000);
    options.download_deadline = 1h;
    const auto begin = clock.now();

    const auto outcome = deploy({device.publishes(app("hello", "2"))});

    EXPECT_THAT(outcome, Failed("network", "gave up fetching after 1h: app 'hello': connection refused"));
    EXPECT_LE(clock.now() - begin, 1h);
    EXPECT_GE(clock.now() - begin, 50min);
    EXPECT_THAT(device.did(), IsEmpty());
}

TEST_F(DownloadTest, CountsTheTimeBeforeARestartOfDavitd) {
    network_fails(1000);
    options.download_deadline = 1h;
    std::stop_source stop;
    clock.called = [&, calls = 0]() mutable {
        if (++calls == 10) stop.request_stop();
    };
    ASSERT_THAT(try_to_deploy({.id = "7", .parts = {device.publishes(app("hello", "2"))}}, stop.get_token()),
                FailsWith(Code::Canceled, testing::_));
    clock.called = nullptr;
    clock.passes(50min);
    const auto begin = clock.now();

    ASSERT_THAT(resume(), Works());

    EXPECT_THAT(journal().find("7").value()->outcome, Failed("network", testing::_));
    EXPECT_LE(clock.now() - begin, 10min);
}

TEST_F(DownloadTest, SurvivesAWallClockThatJumpsWhileItWaits) {
    network_fails(4);
    clock.called = [&, calls = 0]() mutable {
        if (++calls == 5) clock.wall_jumps(24h * 365);
    };

    EXPECT_THAT(deploy({device.publishes(app("hello", "2"))}), Succeeded(testing::_));
    EXPECT_EQ(device.failing_fetches, 0);
}

TEST_F(DownloadTest, IsTriedForAWhileEvenIfTheWallClockSaysThatItIsTooLate) {
    std::stop_source stop;
    network_fails(1);
    clock.called = [&] {
        if (device.failing_fetches == 0) stop.request_stop();
    };
    ASSERT_THAT(try_to_deploy({.id = "7", .parts = {device.publishes(app("hello", "2"))}}, stop.get_token()),
                FailsWith(Code::Canceled, testing::_));
    clock.called = nullptr;
    clock.wall_jumps(24h * 365);
    network_fails(5);  // at boot it often comes later than davitd

    ASSERT_THAT(resume(), Works());

    EXPECT_THAT(journal().find("7").value()->outcome, Succeeded(testing::_));
}

TEST_F(DownloadTest, FailsAtOnceWhenTheCommitDoesNotExist) {
    const auto outcome = deploy({app("hello", "9").part()});

    EXPECT_THAT(outcome, Failed("not-found", HasSubstr("hello-9")));
    EXPECT_THAT(clock.sleeps, IsEmpty());
}

TEST_F(DownloadTest, RefusesAnUntrustedCommitWithoutTouchingAnything) {
    auto forged = app("hello", "2");
    forged.is_signed = false;

    const auto outcome = deploy({device.publishes(app("ticker", "2")), device.publishes(forged)});

    EXPECT_THAT(outcome, Failed("untrusted", HasSubstr("app 'hello': no signature by a trusted key")));
    EXPECT_THAT(device.did(), IsEmpty());
    EXPECT_THAT(device.running(), ElementsAre("hello 1", "ticker 1"));
}

TEST_F(DownloadTest, FetchesOnlyWhatChanges) {
    deploy({device.publishes(app("hello", "2")), app("ticker", "1").part()});

    EXPECT_THAT(device.did(), Contains("pull hello 2"));
    EXPECT_THAT(device.did(), Not(Contains("pull ticker 1")));
}

TEST_F(DownloadTest, LooksAtTheContentOfAnAppThatIsHereAndDoesNotRun) {
    device.crashes("hello");

    EXPECT_THAT(deploy({device.publishes(app("hello", "1")), device.publishes(app("ticker", "1"))}),
                Succeeded(testing::_));
    EXPECT_EQ(device.inspections, 1) << "hello's; ticker runs";
    EXPECT_THAT(device.running(), ElementsAre("hello 1", "ticker 1"));
}

TEST_F(DownloadTest, BringsBackWhatIsLostOfAnAppThatIsHere) {
    std::filesystem::remove_all(state / "checkouts/hello");
    device.crashes("hello");

    EXPECT_THAT(deploy({device.publishes(app("hello", "1"))}), Succeeded(testing::_));
    EXPECT_THAT(device.running(), ElementsAre("hello 1", "ticker 1"));
}

TEST_F(DownloadTest, SaysHowMuchOfEachPartHasCome) {
    deploy({device.publishes(app("hello", "2")), device.publishes(app("ticker", "2"))});

    EXPECT_THAT(device.progresses(), ElementsAre("hello 0 of 500", "ticker 0 of 500", "hello 250 of 500",
                                                 "hello 500 of 500", "ticker 250 of 500", "ticker 500 of 500"));
}

}  // namespace
}  // namespace davit
