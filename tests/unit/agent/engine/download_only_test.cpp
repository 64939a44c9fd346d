// Get everything ready now, switch when another deployment says so.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/agent/engine/world.h"

namespace davit {
namespace {

using test::app;
using test::EngineTest;
using test::Failed;
using test::Succeeded;
using test::Works;
using testing::_;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class DownloadOnlyTest : public EngineTest {
protected:
    Outcome downloads(const std::vector<Part>& parts, const std::string& id = "7") {
        EXPECT_THAT(try_to_deploy({.id = id, .parts = parts, .download_only = true}), Works());
        return journal().find(id).value()->outcome;
    }
    void no_network() { device.failing_fetches = 1'000'000; }
};

TEST_F(DownloadOnlyTest, FetchesAndSwitchesNothing) {
    device.has({app("hello", "1")});

    const auto outcome = downloads({device.publishes(app("hello", "2"))});

    EXPECT_TRUE(outcome.success);
    EXPECT_TRUE(outcome.downloaded());
    EXPECT_EQ(outcome.message, "downloaded, to update hello 1 → 2");
    EXPECT_THAT(device.commits(), Contains("hello-2"));
    EXPECT_THAT(device.running(), ElementsAre("hello 1"));
    EXPECT_THAT(current(), ElementsAre("hello 1"));
    EXPECT_THAT(device.did(), Not(Contains(HasSubstr("start"))));
}

TEST_F(DownloadOnlyTest, TheLaterDeploymentNeedsNoNetwork) {
    device.has({app("hello", "1")});
    const auto part = device.publishes(app("hello", "2"));
    downloads({part});
    ASSERT_THAT(resume(), Works());  // davitd restarts and cleans up
    no_network();

    EXPECT_THAT(deploy({part}, "8"), Succeeded("updated hello 1 → 2"));
    EXPECT_THAT(device.running(), ElementsAre("hello 2"));
}

TEST_F(DownloadOnlyTest, IsKeptWhenTheLaterDeploymentIsCanceled) {
    device.has({app("hello", "1")});
    const auto part = device.publishes(app("hello", "2"));
    downloads({part});
    cancellation.request("8");
    ASSERT_THAT(deploy({part}, "8"), Failed("canceled", _));
    no_network();

    EXPECT_THAT(deploy({part}, "9"), Succeeded(_));
}

TEST_F(DownloadOnlyTest, OnlyTheNewestIsKept) {
    device.has({app("hello", "1")});
    downloads({device.publishes(app("hello", "2"))}, "7");
    downloads({device.publishes(app("hello", "3"))}, "8");

    EXPECT_THAT(device.commits(), ElementsAre("hello-1", "hello-3"));
}

TEST_F(DownloadOnlyTest, IsForgottenAfterAnotherDeployment) {
    device.has({app("hello", "1")});
    downloads({device.publishes(app("hello", "2"))});
    ASSERT_THAT(deploy({device.publishes(app("hello", "3"))}, "8"), Succeeded(_));

    EXPECT_THAT(device.commits(), ElementsAre("hello-1", "hello-3"));
}

TEST_F(DownloadOnlyTest, FailsLikeAnyOther) {
    device.has({app("hello", "1")});
    auto wrong = app("hello", "2");
    wrong.is_signed = false;

    EXPECT_THAT(downloads({device.publishes(wrong)}), Failed("untrusted", _));
}

}  // namespace
}  // namespace davit
