#include "agent/local.h"

#include <gmock/gmock.h>

#include "tests/unit/agent/engine/world.h"

namespace davit {
namespace {

using test::app;
using test::EngineTest;
using test::FailsWith;
using test::Succeeded;
using test::Works;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LocalTest : public EngineTest {
protected:
    [[nodiscard]] Result<Deployment> rollback(Generations::Number number = 0) const {
        return rollback_deployment(Generations::open(state).value(), number, 1'000);
    }
};

TEST_F(LocalTest, RollsBackToThePreviousSet) {
    device.has({app("hello", "1"), app("old", "1")});
    deploy({device.publishes(app("hello", "2")), device.publishes(app("extra", "1")), test::removal("old")});
    deliver();
    device.failing_fetches = 1'000'000;  // no network is needed

    const auto deployment = rollback().value();
    EXPECT_EQ(deployment.id, "local-1000");
    ASSERT_THAT(try_to_deploy(deployment), Works());

    EXPECT_THAT(journal().find("local-1000").value()->outcome,
                Succeeded("removed extra 1, updated hello 2 → 1, installed old 1"));
    EXPECT_THAT(device.running(), ElementsAre("hello 1", "old 1"));
    EXPECT_THAT(current(), ElementsAre("hello 1", "old 1"));
    EXPECT_THAT(deliver(), IsEmpty()) << "no server asked for it";
}

TEST_F(LocalTest, RollingBackTwiceIsWhereOneWas) {
    device.has({app("hello", "1")});
    deploy({device.publishes(app("hello", "2"))});
    ASSERT_THAT(try_to_deploy(rollback().value()), Works());
    auto again = rollback().value();
    again.id = "local-2000";
    ASSERT_THAT(try_to_deploy(again), Works());
    EXPECT_THAT(device.running(), ElementsAre("hello 2"));
}

TEST_F(LocalTest, SaysWhyThereIsNowhereToGo) {
    EXPECT_THAT(rollback(), FailsWith(Code::NotFound, HasSubstr("no previous generation")));
    device.has({app("hello", "1")});
    EXPECT_THAT(rollback(1), FailsWith(Code::AlreadyExists, "generation 1 is current"));
    EXPECT_THAT(rollback(7), FailsWith(Code::NotFound, HasSubstr("no generation 7")));
}

}  // namespace
}  // namespace davit
