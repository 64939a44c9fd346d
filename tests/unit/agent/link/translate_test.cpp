#include "agent/link/translate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string kCommit(64, 'a');

ddi::Chunk app(std::string name, std::vector<ddi::Metadata> metadata) {
    return {
        .part = "bApp", .name = std::move(name), .version = "1.0", .metadata = std::move(metadata), .artifacts = {}};
}

ddi::Deployment offered(std::vector<ddi::Chunk> chunks) {
    return {.id = "70",
            .download = ddi::Mode::Forced,
            .update = ddi::Mode::Forced,
            .window_open = {},
            .chunks = std::move(chunks)};
}

std::string refusal(const ddi::Deployment& deployment) {
    const auto translated = translate(deployment);
    return translated ? "it was accepted" : translated.error().message;
}

TEST(TranslateTest, MakesPartsOfChunksInAnOrderOfTheirOwn) {
    const auto deployment = translate(offered({app("web", {{"commit", kCommit}}), app("db", {{"commit", kCommit}})}));
    ASSERT_TRUE(deployment) << deployment.error().message;
    EXPECT_EQ(deployment->id, "70");
    ASSERT_EQ(deployment->parts.size(), 2U);
    EXPECT_EQ(deployment->parts[0].app, "db");
    EXPECT_EQ(deployment->parts[1].app, "web");
    EXPECT_EQ(deployment->parts[1].version, "1.0");
    EXPECT_EQ(deployment->parts[1].ref, "web") << "the ref is the app's name unless the metadata says otherwise";
    EXPECT_FALSE(deployment->parts[1].legacy);
}

TEST(TranslateTest, ReadsRefRepositoryAndTheOptionsOfFullMetalUpdate) {
    const auto deployment = translate(offered({app("cam", {{"rev", kCommit},
                                                           {"ref", "apps/cam"},
                                                           {"repo", "https://cdn.example/repo"},
                                                           {"notify", "1"},
                                                           {"autostart", "0"},
                                                           {"timeout", "45"},
                                                           {"screenused", "1"}})}));
    ASSERT_TRUE(deployment) << deployment.error().message;
    const auto& part = deployment->parts.at(0);
    EXPECT_EQ(part.commit, kCommit);
    EXPECT_EQ(part.ref, "apps/cam");
    EXPECT_EQ(part.repository, "https://cdn.example/repo");
    EXPECT_EQ(part.legacy, (LegacyOptions{.notify = true, .autostart = false, .timeout = Milliseconds(45'000)}));
}

TEST(TranslateTest, RemovesAnAppWithoutACommit) {
    for (const char* key : {"remove", "autoremove"}) {
        const auto deployment = translate(offered({app("old", {{key, "true"}})}));
        ASSERT_TRUE(deployment) << deployment.error().message;
        EXPECT_TRUE(deployment->parts.at(0).remove);
    }
}

TEST(TranslateTest, SaysWhichModuleHasNoCommit) {
    EXPECT_THAT(refusal(offered({app("hello", {})})),
                AllOf(HasSubstr("'hello' 1.0"), HasSubstr("no metadata 'commit'")));
}

TEST(TranslateTest, RefusesACommitThatIsNone) {
    EXPECT_THAT(refusal(offered({app("hello", {{"commit", "main"}})})),
                AllOf(HasSubstr("'main'"), HasSubstr("64 lower-case hex digits")));
    EXPECT_THAT(refusal(offered({app("hello", {{"commit", std::string(64, 'A')}})})),
                HasSubstr("64 lower-case hex digits"));
}

TEST(TranslateTest, RefusesAnUnknownPartByName) {
    auto chunk = app("fpga", {{"commit", kCommit}});
    chunk.part = "bitstream";
    EXPECT_THAT(refusal(offered({chunk})), AllOf(HasSubstr("'fpga'"), HasSubstr("'bitstream'"), HasSubstr("bApp")));
}

TEST(TranslateTest, SaysThatItDoesNotUpdateTheOs) {
    auto chunk = app("image", {{"commit", kCommit}});
    chunk.part = "os";
    const auto translated = translate(offered({chunk}));
    ASSERT_FALSE(translated);
    EXPECT_EQ(translated.error().code, Code::Unsupported);
}

TEST(TranslateTest, RefusesNamesThatCouldLeaveTheirPlace) {
    for (const char* name : {"../etc", "a/b", "", "Hello", "x y", "-x"}) {
        EXPECT_NE(refusal(offered({app(name, {{"commit", kCommit}})})), "it was accepted") << name;
    }
}

TEST(TranslateTest, RefusesAnAppThatIsThereTwice) {
    EXPECT_THAT(refusal(offered({app("a", {{"commit", kCommit}}), app("a", {{"commit", kCommit}})})),
                HasSubstr("twice"));
}

TEST(TranslateTest, RefusesAnEmptySet) {
    EXPECT_THAT(refusal(offered({})), HasSubstr("no software module"));
}

TEST(TranslateTest, NamesTheMetadataThatIsNotWhatItsKeyNeeds) {
    EXPECT_THAT(refusal(offered({app("a", {{"commit", kCommit}, {"notify", "maybe"}})})),
                AllOf(HasSubstr("'notify'"), HasSubstr("'maybe'")));
    EXPECT_THAT(refusal(offered({app("a", {{"commit", kCommit}, {"timeout", "soon"}})})), HasSubstr("'timeout'"));
}

TEST(TranslateTest, KnowsADownloadOnlyDeployment) {
    auto deployment = offered({app("a", {{"commit", kCommit}})});
    EXPECT_FALSE(translate(deployment)->download_only);
    deployment.update = ddi::Mode::Skip;
    EXPECT_TRUE(translate(deployment)->download_only);
}

TEST(TranslateTest, KeepsTheServersTermsForDownloadAndUpdateApart) {
    auto deployment = offered({app("a", {{"commit", kCommit}})});
    EXPECT_EQ(translate(deployment)->terms, Terms{});
    deployment.download = ddi::Mode::Skip;
    deployment.update = ddi::Mode::Attempt;
    EXPECT_EQ(translate(deployment)->terms, (Terms{.download = When::NotYet, .update = When::WhenAllowed}));
}

TEST(TranslateTest, AClosedWindowMakesTheSwitchWaitAndIsNoDownloadOnlyDeployment) {
    auto deployment = offered({app("a", {{"commit", kCommit}})});
    deployment.update = ddi::Mode::Skip;
    deployment.window_open = false;
    EXPECT_EQ(translate(deployment)->terms, (Terms{.download = When::Now, .update = When::NotYet}));
    EXPECT_FALSE(translate(deployment)->download_only);
}

TEST(TranslateTest, KnowsADowngradeThatTheOperatorWants) {
    EXPECT_FALSE(translate(offered({app("a", {{"commit", kCommit}})}))->parts.at(0).downgrade);
    EXPECT_TRUE(translate(offered({app("a", {{"commit", kCommit}, {"downgrade", "true"}})}))->parts.at(0).downgrade);
}

}  // namespace
}  // namespace davit
