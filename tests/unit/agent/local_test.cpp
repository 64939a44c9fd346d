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

TEST_F(LocalTest, RemovesAnInstalledApp) {
    device.has({app("hello", "1"), app("old", "1")});
    const auto deployment = removal_deployment(Generations::open(state).value(), "old", 1'000).value();
    ASSERT_THAT(try_to_deploy(deployment), Works());

    EXPECT_THAT(journal().find("local-1000").value()->outcome, Succeeded("removed old 1"));
    EXPECT_THAT(device.running(), ElementsAre("hello 1"));
    EXPECT_THAT(deliver(), IsEmpty()) << "no server asked for it";
    EXPECT_THAT(removal_deployment(Generations::open(state).value(), "old", 2'000),
                FailsWith(Code::NotFound, HasSubstr("no app 'old' is installed")));
}

TEST(ParseOrigin, TakesFilesRepositoriesAndUrls) {
    const std::string commit(64, 'a');
    EXPECT_EQ(parse_origin("/media/usb/hello.davit").value(), (Origin{"file:///media/usb/hello.davit", "", ""}));
    EXPECT_EQ(parse_origin("/media/usb/repo#hello").value(), (Origin{"file:///media/usb/repo", "hello", ""}));
    EXPECT_EQ(parse_origin("https://updates/repo#app/hello@" + commit).value(),
              (Origin{"https://updates/repo", "app/hello", commit}));
    EXPECT_EQ(parse_origin("https://updates/repo").value(), (Origin{"https://updates/repo", "", ""}));
}

TEST(ParseOrigin, SaysWhatItExpected) {
    EXPECT_THAT(parse_origin("hello"), FailsWith(Code::InvalidInput, HasSubstr("davit app export")));
    EXPECT_THAT(parse_origin("ftp://updates/repo#hello"), FailsWith(Code::InvalidInput, HasSubstr("REPOSITORY-URL")));
    EXPECT_THAT(parse_origin("https://updates/repo#"), FailsWith(Code::InvalidInput, HasSubstr("#APP")));
    EXPECT_THAT(parse_origin("https://updates/repo#hello@beef"), FailsWith(Code::InvalidInput, HasSubstr("64 hex")));
}

TEST(ParseOrigin, AFileMayHaveAHashInItsName) {
    const test::Scratch scratch;
    const auto file = scratch.path() / "hello#2.davit";
    file::write_atomically(file, "").value();
    EXPECT_EQ(parse_origin(file.string()).value(), (Origin{"file://" + file.string(), "", ""}));
}

}  // namespace
}  // namespace davit
