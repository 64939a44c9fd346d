#include <gmock/gmock.h>

#include "tests/unit/agent/engine/world.h"

namespace davit {
namespace {

using namespace std::chrono_literals;
using test::app;
using test::Failed;
using test::Succeeded;
using test::Works;
using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::SizeIs;

class ProbationTest : public test::EngineTest {
protected:
    ProbationTest() { device.has({app("hello", "1")}); }
};

TEST_F(ProbationTest, LastsTheStaysUpTimeWithAProbeAtEachInterval) {
    const auto begin = clock.now();

    EXPECT_THAT(deploy({device.publishes(app("hello", "2"))}), Succeeded("updated hello 1 → 2"));

    EXPECT_EQ(clock.now() - begin, 30s);
    EXPECT_EQ(device.times("probe hello"), 7);  // at 0 s, 5 s … 30 s
}

TEST_F(ProbationTest, SleepsUntilTheNextLookInsteadOfWaitingBusily) {
    deploy({device.publishes(app("hello", "2"))});

    EXPECT_THAT(clock.sleeps, ElementsAre(5s, 5s, 5s, 5s, 5s, 5s));
}

TEST_F(ProbationTest, LooksAtTheEndWhenTheIntervalIsLongerThanTheStaysUpTime) {
    auto hello = app("hello", "2");
    hello.manifest.health.every = 1min;
    hello.manifest.health.stays_up = 2s;

    EXPECT_THAT(deploy({device.publishes(hello)}), Succeeded(testing::_));
    EXPECT_THAT(clock.sleeps, ElementsAre(2s));
}

TEST_F(ProbationTest, ProbesForTheFirstTimeAfterTheStartDelay) {
    auto hello = app("hello", "2");
    hello.manifest.health.start_delay = 12s;
    device.fault("hello 2").sick_probes = 2;  // counted from then on

    EXPECT_THAT(deploy({device.publishes(hello)}), Succeeded(testing::_));
    EXPECT_THAT(clock.sleeps, ElementsAre(5s, 5s, 2s, 5s, 5s, 5s, 3s));
    EXPECT_EQ(device.times("probe hello"), 5);  // at 12 s, 17 s … 30 s
}

TEST_F(ProbationTest, ProbesAtLeastOnceWhenTheStartDelayIsLongerThanTheStaysUpTime) {
    auto hello = app("hello", "3");
    hello.manifest.health.start_delay = 50s;
    device.fault("hello 3").unhealthy = true;
    const auto begin = clock.now();

    EXPECT_THAT(deploy({device.publishes(hello)}), Failed("app-failed", HasSubstr("answered 500 (3 probes)")));
    EXPECT_EQ(clock.now() - begin, 60s);
}

TEST_F(ProbationTest, EndsForTheWorseAfterTheProbesThatTheManifestAllows) {
    device.fault("hello 3").unhealthy = true;

    const auto outcome = deploy({device.publishes(app("hello", "3"))});

    EXPECT_THAT(outcome, Failed("app-failed",
                                "app 'hello' 3 is unhealthy: GET http://127.0.0.1:8080/health answered 500 "
                                "(3 probes); rolled back: hello 1 again"));
    EXPECT_EQ(device.times("probe hello"), 3);
}

TEST_F(ProbationTest, ForgivesAnAppThatIsSickForLessThanThat) {
    device.fault("hello 2").sick_probes = 2;

    EXPECT_THAT(deploy({device.publishes(app("hello", "2"))}), Succeeded(testing::_));
}

TEST_F(ProbationTest, DoesNotEndWellOnAFailedProbe) {
    auto hello = app("hello", "2");
    hello.manifest.health.stays_up = 1s;
    device.fault("hello 2").sick_probes = 2;  // at 0 s and 1 s
    const auto begin = clock.now();

    EXPECT_THAT(deploy({device.publishes(hello)}), Succeeded(testing::_));
    EXPECT_EQ(clock.now() - begin, 6s);
}

TEST_F(ProbationTest, WatchesAnAppThatHasPassedUntilTheLastOneHas) {
    auto slow = app("slow", "1");
    slow.manifest.health.stays_up = 2min;
    device.fault("hello 2").dies_after = 1min;

    const auto outcome = deploy({device.publishes(app("hello", "2")), device.publishes(slow)});

    EXPECT_THAT(outcome, Failed("app-failed", HasSubstr("app 'hello' 2 did not stay up")));
}

TEST_F(ProbationTest, NoticesARestartBySystemd) {
    device.fault("hello 2").dies_after = 12s;

    const auto outcome = deploy({device.publishes(app("hello", "2"))});

    EXPECT_THAT(
        outcome,
        Failed("app-failed",
               HasSubstr("app 'hello' 2 did not stay up and was restarted by systemd: it ended with exit code 3")));
    EXPECT_THAT(device.running(), ElementsAre("hello 1"));
}

TEST_F(ProbationTest, NoticesAnAppThatEnds) {
    device.fault("hello 2").ends_after = 29s;

    EXPECT_THAT(deploy({device.publishes(app("hello", "2"))}),
                Failed("app-failed", HasSubstr("app 'hello' 2 did not stay up")));
}

TEST_F(ProbationTest, WatchesAnAppWithoutAProbeAsWell) {
    auto hello = app("hello", "2");
    hello.manifest.health.http.reset();
    device.fault("hello 2").dies_after = 12s;

    EXPECT_THAT(deploy({device.publishes(hello)}), Failed("app-failed", HasSubstr("did not stay up")));
    EXPECT_EQ(device.times("probe hello"), 0);
}

TEST_F(ProbationTest, WatchesEachAppForItsOwnTime) {
    auto slow = app("slow", "1");
    slow.manifest.health.stays_up = 2min;
    slow.manifest.health.every = 7s;
    const auto begin = clock.now();

    EXPECT_THAT(deploy({device.publishes(app("hello", "2")), device.publishes(slow)}), Succeeded(testing::_));

    EXPECT_EQ(clock.now() - begin, 2min);
    EXPECT_EQ(device.times("probe slow"), 19);
    EXPECT_EQ(device.times("probe hello"), 25);  // until the last of them has passed
}

TEST_F(ProbationTest, IsOverForAOneshotAppWhenItHasEndedWell) {
    auto migrate = app("migrate", "1");
    migrate.manifest.start = StartType::Oneshot;

    EXPECT_THAT(deploy({device.publishes(migrate)}), Succeeded("installed migrate 1"));
    EXPECT_THAT(clock.sleeps, SizeIs(0));
    EXPECT_EQ(device.times("probe migrate"), 0);
}

TEST_F(ProbationTest, WaitsAfterAPowerCutForAnAppThatIsNotReadyYet) {
    device.fault("hello 2").never_ready = false;
    bool cut = false;
    clock.called = [&] {
        if (device.times("probe hello") == 2 && !std::exchange(cut, true)) throw std::runtime_error("power cut");
    };
    EXPECT_THROW(deploy({device.publishes(app("hello", "2"))}), std::runtime_error);
    device.fault("hello 2").never_ready = true;
    device.reboots();
    const auto begin = clock.now();

    ASSERT_THAT(resume(), Works());

    EXPECT_THAT(journal().find("7").value()->outcome,
                Failed("app-failed", HasSubstr("app 'hello' 2 failed: it took too long")));
    EXPECT_GE(clock.now() - begin, 60s);
    EXPECT_THAT(device.running(), ElementsAre("hello 1"));
}

}  // namespace
}  // namespace davit
