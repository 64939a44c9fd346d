#include "cli/release.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../hawkbit/matchers.h"
#include "bundles.h"

namespace davit::cli {
namespace {

using test::FailsWith;
using test::Succeeds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

class ReadRelease : public testing::Test {
protected:
    Result<AppRelease> read(const std::string& operand) {
        const auto repository = ostree::Repository::open(workshop.repository());
        if (!repository) return fail(repository.error());
        return read_release(*repository, operand);
    }
    test::Workshop workshop;
};

TEST_F(ReadRelease, TakesWhatTheRefIsAt) {
    workshop.commit("hello", "1");
    const auto commit = workshop.commit("hello", "2");
    const auto release = read("hello");
    ASSERT_THAT(release, Succeeds());
    EXPECT_EQ(release->name + " " + release->version, "hello 2");
    EXPECT_THAT(release->metadata, UnorderedElementsAre(Pair("commit", commit), Pair("ref", "hello")));
}

TEST_F(ReadRelease, TakesAnEarlierCommitByItsId) {
    const auto commit = workshop.commit("hello", "1");
    workshop.commit("hello", "2");
    const auto release = read("hello=" + commit);
    ASSERT_THAT(release, Succeeds());
    EXPECT_EQ(release->version, "1");
}

TEST_F(ReadRelease, NamesTheAppAfterItsManifestWhateverTheRef) {
    auto options = workshop.commit_options(workshop.bundle("hello", "1"));
    options.ref = "stable/arm64/hello";
    ASSERT_THAT(commit_app(options, [](const char*) { return std::nullopt; }), Succeeds());
    const auto release = read("stable/arm64/hello");
    ASSERT_THAT(release, Succeeds());
    EXPECT_EQ(release->name, "hello");
    EXPECT_EQ(release->ref, "stable/arm64/hello");
}

TEST_F(ReadRelease, TakesNameAndVersionOfTheOlderFormFromRefAndCommit) {
    auto options = workshop.commit_options(workshop.legacy_bundle("hello"));
    options.name = "hello";
    options.version = "7";
    ASSERT_THAT(commit_app(options, [](const char*) { return std::nullopt; }), Succeeds());
    const auto release = read("hello");
    ASSERT_THAT(release, Succeeds());
    EXPECT_EQ(release->name + " " + release->version, "hello 7");
}

TEST_F(ReadRelease, SaysWhatIsNotThere) {
    const auto commit = workshop.commit("hello", "1");
    EXPECT_THAT(read("ticker"), FailsWith(Code::NotFound, AllOf(HasSubstr("'ticker'"), HasSubstr("davit app commit"))));
    EXPECT_THAT(read("hello=" + std::string(64, 'a')), FailsWith(Code::NotFound, HasSubstr("aaaa")));
    EXPECT_THAT(read("hello=abc"), FailsWith(Code::InvalidInput, HasSubstr("64 hex digits")));
    EXPECT_THAT(read("hello="), FailsWith(Code::InvalidInput, HasSubstr("APP=COMMIT")));
    EXPECT_THAT(read("ticker=" + commit),
                FailsWith(Code::InvalidInput, AllOf(HasSubstr("is app 'hello'"), HasSubstr("not 'ticker'"))));
}

TEST(AddMetadata, GoesToEveryAppOrToTheOneThatIsNamed) {
    std::vector<AppRelease> apps = {{.name = "a", .version = {}, .ref = {}, .commit = {}, .metadata = {}},
                                    {.name = "b", .version = {}, .ref = {}, .commit = {}, .metadata = {}}};
    ASSERT_THAT(add_metadata(apps, {"notify=1", "b:timeout=20", "note=x:y=z"}), Succeeds());
    EXPECT_THAT(apps[0].metadata, UnorderedElementsAre(Pair("notify", "1"), Pair("note", "x:y=z")));
    EXPECT_THAT(apps[1].metadata,
                UnorderedElementsAre(Pair("notify", "1"), Pair("note", "x:y=z"), Pair("timeout", "20")));
}

TEST(AddMetadata, RefusesWhatWouldHaveNoEffectOrTooMuch) {
    std::vector<AppRelease> apps = {{.name = "a", .version = {}, .ref = {}, .commit = {}, .metadata = {}}};
    EXPECT_THAT(add_metadata(apps, {"notify"}), FailsWith(Code::InvalidInput, HasSubstr("KEY=VALUE")));
    EXPECT_THAT(add_metadata(apps, {"a:=1"}), FailsWith(Code::InvalidInput, HasSubstr("KEY=VALUE")));
    EXPECT_THAT(add_metadata(apps, {"c:notify=1"}), FailsWith(Code::InvalidInput, HasSubstr("'c'")));
    EXPECT_THAT(add_metadata(apps, {"commit=abc"}), FailsWith(Code::InvalidInput, HasSubstr("'commit'")));
}

AppRelease released(std::string name, std::vector<std::string> needs, std::vector<std::string> wants = {}) {
    AppRelease release;
    release.name = name;
    release.manifest.name = std::move(name);
    release.manifest.requires_ = std::move(needs);
    release.manifest.wants = std::move(wants);
    return release;
}

TEST(CheckRelations, RefusesASetThatLacksARequiredAppUnlessTheDevicesHaveIt) {
    const std::vector apps = {released("web", {"db"})};
    EXPECT_THAT(check_relations(apps, {}),
                FailsWith(Code::InvalidInput, AllOf(HasSubstr("app 'web' requires app 'db', which is not in this set"),
                                                    HasSubstr("--on-device db"))));
    EXPECT_THAT(check_relations(apps, {"db"}), Succeeds());
    EXPECT_THAT(check_relations({released("web", {"db"}), released("db", {})}, {}), Succeeds());
}

TEST(CheckRelations, WarnsOfAWantedAppThatIsNotThere) {
    const auto warnings = check_relations({released("web", {}, {"metrics", "db"})}, {"db"});
    ASSERT_THAT(warnings, Succeeds());
    EXPECT_THAT(*warnings, testing::ElementsAre(HasSubstr("app 'web' wants app 'metrics'")));
}

TEST(CheckRelations, NamesACircle) {
    EXPECT_THAT(check_relations({released("a", {"b"}), released("b", {}, {"a"})}, {}),
                FailsWith(Code::InvalidInput, HasSubstr("in a circle: a → b → a")));
}

}  // namespace
}  // namespace davit::cli
