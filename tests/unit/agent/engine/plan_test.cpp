#include "agent/engine/plan.h"

#include <gmock/gmock.h>

#include "tests/unit/agent/engine/fake_device.h"
#include "tests/unit/common/support.h"

namespace davit {
namespace {

using test::app;
using test::FailsWith;
using test::removal;
using testing::ElementsAre;
using testing::HasSubstr;

Generation installed(const std::vector<test::Release>& apps) {
    Generation out{.number = 3, .apps = {}};
    for (const auto& one : apps)
        out.apps.push_back(one.version());
    return out;
}
Plan plan(const Generation& from, const std::vector<Part>& parts) {
    return make_plan(from, {.id = "7", .parts = parts}).value();
}
Action action_of(const Plan& plan, std::string_view name) {
    return plan.find(name)->action;
}

TEST(Plan, ComparesEachPartWithWhatIsInstalled) {
    const auto found = plan(
        installed({app("hello", "1"), app("old", "3"), app("same", "5")}),
        {app("hello", "2").part(), app("new", "1").part(), removal("old"), app("same", "5").part(), removal("absent")});

    EXPECT_EQ(action_of(found, "hello"), Action::Update);
    EXPECT_EQ(action_of(found, "new"), Action::Install);
    EXPECT_EQ(action_of(found, "old"), Action::Remove);
    EXPECT_EQ(action_of(found, "same"), Action::Nothing);
    EXPECT_EQ(action_of(found, "absent"), Action::Nothing);
}

TEST(Plan, SaysInWordsWhatWillBeAndWhatWasDone) {
    const auto found =
        plan(installed({app("hello", "1"), app("old", "3"), app("same", "5")}),
             {app("hello", "2").part(), app("new", "1").part(), removal("old"), app("same", "5").part()});

    EXPECT_EQ(found.todo(), "update hello 1 → 2, install new 1, remove old 3");
    EXPECT_EQ(found.done(), "updated hello 1 → 2, installed new 1, removed old 3");
}

TEST(Plan, SaysWhenThereIsNothingToDo) {
    const auto from = installed({app("hello", "1")});

    EXPECT_EQ(plan(from, {app("hello", "1").part()}).done(), "already installed: hello 1");
    EXPECT_EQ(plan(from, {removal("absent")}).done(), "already absent: absent");
    EXPECT_EQ(plan(from, {app("hello", "1").part(), removal("absent")}).done(),
              "already installed: hello 1; already absent: absent");
    EXPECT_EQ(plan(from, {}).done(), "nothing to do: the deployment names no apps");
    EXPECT_TRUE(plan(from, {app("hello", "1").part()}).changes_nothing());
}

TEST(Plan, LeavesAppsAloneThatTheDeploymentDoesNotName) {
    const auto found = plan(installed({app("hello", "1"), app("ticker", "1")}), {app("hello", "2").part()});

    EXPECT_EQ(found.find("ticker"), nullptr);
    EXPECT_THAT(found.after, ElementsAre(app("hello", "2").version(), app("ticker", "1").version()));
}

TEST(Plan, CallsOtherOptionsForTheSameCommitAnUpdateThatReplacesOnlyWhatTheyChange) {
    auto part = app("hello", "1").part();
    part.legacy = LegacyOptions{.notify = false, .autostart = true, .timeout = Milliseconds(5'000)};

    const auto timeout = plan(installed({app("hello", "1")}), {part});
    EXPECT_EQ(action_of(timeout, "hello"), Action::Update);
    EXPECT_FALSE(timeout.find("hello")->replaces()) << "it counts from the next start";

    part.legacy->notify = true;
    EXPECT_TRUE(plan(installed({app("hello", "1")}), {part}).find("hello")->replaces()) << "now it must send READY";
}

TEST(Plan, RefusesAnAppThatIsNamedTwice) {
    const auto found = make_plan({}, {.id = "7", .parts = {app("hello", "1").part(), removal("hello")}});

    EXPECT_THAT(found, FailsWith(Code::InvalidInput, HasSubstr("names app 'hello' twice")));
}

}  // namespace
}  // namespace davit
