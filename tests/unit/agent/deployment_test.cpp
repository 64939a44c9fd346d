#include "agent/deployment.h"

#include <gmock/gmock.h>

#include "agent/phase.h"
#include "tests/unit/agent/matchers.h"

namespace davit {
namespace {

using test::FailsWith;
using test::Works;
using testing::HasSubstr;

TEST(Deployment, SurvivesTheJournal) {
    Deployment deployment{.id = "17", .parts = {}};
    deployment.parts.push_back(
        {.app = "hello", .version = "2", .commit = "abc", .ref = "hello", .repository = "http://r"});
    deployment.parts.push_back({.app = "old", .version = "1", .ref = "old", .remove = true});
    deployment.parts.push_back(
        {.app = "fmu",
         .version = "3",
         .commit = "def",
         .ref = "x/fmu",
         .legacy = LegacyOptions{.notify = true, .autostart = false, .timeout = Milliseconds{1500}}});

    deployment.download_only = true;
    deployment.local = true;
    deployment.confirm = true;
    deployment.terms = {.download = When::WhenAllowed, .update = When::NotYet};
    deployment.parts.at(0).downgrade = true;

    const auto read = deployment_from_json(to_json(deployment));

    ASSERT_THAT(read, Works());
    EXPECT_EQ(*read, deployment);
}

TEST(Deployment, WithTextThatIsNoUtf8CanBeWritten) {
    const Deployment deployment{.id = "\xff", .parts = {}};

    EXPECT_THAT(deployment_from_json(to_json(deployment)), Works());
}

TEST(Deployment, ThatIsDamagedNamesThePlace) {
    const auto read = deployment_from_json(R"({"id":"1","parts":[{"app":7}]})");

    EXPECT_THAT(read, FailsWith(Code::InvalidInput, HasSubstr("parts[0].app")));
}

TEST(Cause, IsTheCodeInKebabCase) {
    EXPECT_EQ(cause(Code::AppFailed), "app-failed");
    EXPECT_EQ(cause(Code::NoSpace), "no-space");
    EXPECT_EQ(cause(Code::Untrusted), "untrusted");
}

TEST(Phase, IsFoundByItsName) {
    for (int i = 0; i <= static_cast<int>(Phase::Done); ++i) {
        const auto phase = static_cast<Phase>(i);
        EXPECT_EQ(phase_from_name(name(phase)), phase);
    }
    EXPECT_EQ(phase_from_name("nonsense"), std::nullopt);
}

TEST(Deployment, OfAnOlderDavitdHasNoTermsOfItsOwn) {
    const auto read = deployment_from_json(R"({"id":"17","parts":[],"download_only":false,"local":false})");
    ASSERT_THAT(read, Works());
    EXPECT_EQ(read->terms, Terms{});
    EXPECT_FALSE(read->confirm);
}

TEST(Deployment, IsTheSameWorkWhateverIsSaidAboutWhen) {
    Deployment one{.id = "17", .parts = {{.app = "hello", .version = "2", .commit = "abc", .ref = "hello"}}};
    auto other = one;
    other.confirm = true;
    other.terms.update = When::NotYet;
    EXPECT_TRUE(is_same_work(one, other));
    other.parts.at(0).commit = "def";
    EXPECT_FALSE(is_same_work(one, other));
}

}  // namespace
}  // namespace davit
