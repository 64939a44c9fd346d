// Somebody wants the deployment stopped: until the switch it is, and the device is as it was; after that it is too
// late.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/agent/engine/world.h"

namespace davit {
namespace {

using namespace std::chrono_literals;
using test::app;
using test::EngineTest;
using test::Failed;
using test::FailsWith;
using test::Succeeded;
using test::Works;
using testing::_;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class CancelTest : public EngineTest {
protected:
    /// Somebody wants deployment 7 canceled as soon as the engine has said that it is in @p phase.
    void is_canceled_in(const std::string& phase) {
        device.when_told = [this, phase] {
            if (device.told().back().starts_with(phase)) accepted = cancellation.request("7");
        };
    }
    std::optional<bool> accepted;  ///< what the request was told
};

class CancelInTime : public CancelTest, public testing::WithParamInterface<const char*> {};

TEST_P(CancelInTime, ChangesNothing) {
    device.has({app("hello", "1")});
    is_canceled_in(GetParam());

    const auto outcome = deploy({device.publishes(app("hello", "2"))});

    EXPECT_EQ(accepted, true);
    EXPECT_THAT(outcome, Failed("canceled", "canceled; nothing was changed"));
    EXPECT_TRUE(outcome.canceled());
    EXPECT_THAT(device.running(), ElementsAre("hello 1"));
    EXPECT_THAT(device.did(), Not(Contains(HasSubstr("start"))));
    EXPECT_THAT(current(), ElementsAre("hello 1"));
    EXPECT_THAT(deliver(), ElementsAre("7"));
    EXPECT_THAT(device.finished_ids(), ElementsAre("7"));
}

INSTANTIATE_TEST_SUITE_P(Phases, CancelInTime, testing::Values("received", "downloading", "verifying", "staged"),
                         [](const auto& param_info) { return std::string(param_info.param); });

class CancelTooLate : public CancelTest, public testing::WithParamInterface<const char*> {};

TEST_P(CancelTooLate, IsRefusedAndTheDeploymentGoesOn) {
    device.has({app("hello", "1")});
    is_canceled_in(GetParam());

    const auto outcome = deploy({device.publishes(app("hello", "2"))});

    EXPECT_EQ(accepted, false);
    EXPECT_THAT(outcome, Succeeded("updated hello 1 → 2"));
    EXPECT_THAT(device.running(), ElementsAre("hello 2"));
}

INSTANTIATE_TEST_SUITE_P(Phases, CancelTooLate, testing::Values("switching", "probation"),
                         [](const auto& param_info) { return std::string(param_info.param); });

TEST_F(CancelTest, ThatIsThereBeforeTheDeploymentBeginsCounts) {
    device.has({app("hello", "1")});
    EXPECT_TRUE(cancellation.request("7"));

    EXPECT_THAT(deploy({device.publishes(app("hello", "2"))}), Failed("canceled", _));
    EXPECT_THAT(device.commits(), Not(Contains("hello-2")));
}

TEST_F(CancelTest, EndsTheWaitForANetwork) {
    device.has({app("hello", "1")});
    device.failing_fetches = 1'000'000;
    clock.called = [this] {
        if (clock.sleeps.size() == 3) accepted = cancellation.request("7");
    };

    EXPECT_THAT(deploy({device.publishes(app("hello", "2"))}), Failed("canceled", _));
    EXPECT_THAT(clock.sleeps, SizeIs(3));
}

TEST_F(CancelTest, IsForOneDeploymentOnly) {
    device.has({app("hello", "1")});
    EXPECT_TRUE(cancellation.request("6"));

    EXPECT_THAT(deploy({device.publishes(app("hello", "2"))}), Succeeded(_));
    EXPECT_TRUE(cancellation.request("8"));
    EXPECT_THAT(deploy({device.publishes(app("hello", "3"))}, "8"), Failed("canceled", _));
    EXPECT_THAT(deploy({device.publishes(app("hello", "4"))}, "9"), Succeeded(_));
}

TEST_F(CancelTest, OfWhatIsOverIsTooLate) {
    device.has({app("hello", "1")});
    deploy({device.publishes(app("hello", "2"))});
    EXPECT_FALSE(cancellation.request("7"));
}

TEST_F(CancelTest, AfterARestartInTheMiddleOfTheSwitchIsTooLate) {
    device.has({app("hello", "1")});
    device.before_call = [this] {
        if (!device.told().empty() && device.told().back().starts_with("probation")) device.goes_down = true;
    };
    ASSERT_THAT(try_to_deploy({.id = "7", .parts = {device.publishes(app("hello", "2"))}}),
                FailsWith(Code::Canceled, _));
    device.before_call = {};
    device.goes_down = false;
    device.reboots();
    cancellation.request("7");  // before the engine of the new process has looked at its journal
    is_canceled_in("probation");

    ASSERT_THAT(resume(), Works());
    EXPECT_EQ(accepted, false) << "asked again, it must be told";
    EXPECT_THAT(journal().find("7").value()->outcome, Succeeded("updated hello 1 → 2"));
}

TEST_F(CancelTest, AndAShutdownAtTheSameTimeLeaveItToTheNextStart) {
    device.has({app("hello", "1")});
    std::stop_source stop;
    device.before_call = [&] {
        if (device.told().empty() || !device.told().back().starts_with("downloading")) return;
        cancellation.request("7");
        stop.request_stop();
    };
    EXPECT_THAT(try_to_deploy({.id = "7", .parts = {device.publishes(app("hello", "2"))}}, stop.get_token()),
                FailsWith(Code::Canceled, _));
    EXPECT_THAT(deliver(), IsEmpty());

    device.before_call = {};
    ASSERT_THAT(resume(), Works());
    EXPECT_THAT(journal().find("7").value()->outcome, Failed("canceled", _)) << "the same process still knows of it";
}

}  // namespace
}  // namespace davit
