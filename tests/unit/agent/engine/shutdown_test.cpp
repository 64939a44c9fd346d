// The device goes down in the middle: systemd stops the apps before, or together with, davitd. That is nobody's
// failure.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/agent/engine/world.h"

namespace davit {
namespace {

using test::app;
using test::EngineTest;
using test::Failed;
using test::FailsWith;
using test::Succeeded;
using test::Works;
using testing::_;
using testing::ElementsAre;
using testing::HasSubstr;

class ShutdownTest : public EngineTest {
protected:
    /// The device goes down when the engine has said that it is in @p phase.
    void goes_down_in(const std::string& phase) {
        device.before_call = [this, phase] {
            if (!device.told().empty() && device.told().back().starts_with(phase)) device.goes_down = true;
        };
    }
    void comes_up() {
        device.before_call = {};
        device.goes_down = false;
        device.reboots();
    }
};

TEST_F(ShutdownTest, GoesOnWithTheProbationAfterTheBoot) {
    device.has({app("hello", "1")});
    goes_down_in("probation");
    ASSERT_THAT(try_to_deploy({.id = "7", .parts = {device.publishes(app("hello", "2"))}}),
                FailsWith(Code::Canceled, _));
    EXPECT_THAT(deliver(), ElementsAre()) << "nothing has ended";

    comes_up();
    ASSERT_THAT(resume(), Works());
    EXPECT_THAT(journal().find("7").value()->outcome, Succeeded("updated hello 1 → 2"));
    EXPECT_THAT(device.running(), ElementsAre("hello 2"));
}

TEST_F(ShutdownTest, GoesOnRollingBackAfterTheBoot) {
    device.has({app("hello", "1")});
    device.fault("hello 2").unhealthy = true;
    goes_down_in("rolling-back");
    ASSERT_THAT(try_to_deploy({.id = "7", .parts = {device.publishes(app("hello", "2"))}}),
                FailsWith(Code::Canceled, _));

    comes_up();
    ASSERT_THAT(resume(), Works());
    EXPECT_THAT(journal().find("7").value()->outcome, Failed("app-failed", HasSubstr("rolled back: hello 1 again")));
    EXPECT_THAT(device.running(), ElementsAre("hello 1"));
}

}  // namespace
}  // namespace davit
