#include "cli/app.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "../hawkbit/matchers.h"
#include "bundles.h"
#include "ostree/repository.h"

namespace davit::cli {
namespace {

using test::FailsWith;
using test::Succeeds;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

std::optional<std::string> no_environment(const char*) {
    return std::nullopt;
}
Environment with(const std::string& name, const std::string& value) {
    return [=](const char* asked) { return name == asked ? std::optional(value) : std::nullopt; };
}

class AppCommit : public testing::Test {
protected:
    test::Workshop workshop;
};

TEST_F(AppCommit, CommitsWhatTheManifestSaysAndSignsIt) {
    const auto committed = commit_app(workshop.commit_options(workshop.bundle("hello", "1.2")), no_environment);
    ASSERT_THAT(committed, Succeeds());
    EXPECT_EQ(committed->name + " " + committed->version + " " + committed->ref, "hello 1.2 hello");
    EXPECT_THAT(committed->warning, IsEmpty());

    auto repository = ostree::Repository::open(workshop.repository());
    ASSERT_THAT(repository, Succeeds());
    const auto info = repository->info(committed->commit);
    ASSERT_THAT(info, Succeeds());
    EXPECT_EQ(info->version, "1.2");
    EXPECT_EQ(info->timestamp, 1'700'000'000u);
    EXPECT_THAT(info->refs, testing::ElementsAre("hello"));
    const auto key = read_public_key(workshop.path("release.pub"));
    ASSERT_THAT(key, Succeeds());
    EXPECT_THAT(repository->verify(committed->commit, "hello", "hello", std::span(&*key, 1)), Succeeds());
}

TEST_F(AppCommit, GivesTheSameIdForTheSameDirectoryInAnotherRepository) {
    auto options = workshop.commit_options(workshop.bundle("hello", "1"));
    const auto first = commit_app(options, no_environment);
    options.repository = workshop.path("other-repo");
    const auto second = commit_app(options, no_environment);
    ASSERT_THAT(first, Succeeds());
    ASSERT_THAT(second, Succeeds());
    EXPECT_EQ(first->commit, second->commit);
}

TEST_F(AppCommit, TakesItsTimeFromSourceDateEpochOrTheNewestFile) {
    const auto bundle = workshop.bundle("hello", "1");
    auto options = workshop.commit_options(bundle);
    options.timestamp = std::nullopt;
    const auto time_of = [&](const Environment& environment) {
        const auto committed = commit_app(options, environment);
        EXPECT_THAT(committed, Succeeds());
        return ostree::Repository::open(workshop.repository())->info(committed->commit)->timestamp;
    };
    EXPECT_EQ(time_of(with("SOURCE_DATE_EPOCH", "1500000000")), 1'500'000'000u);

    for (const auto* file : {"davit.json", "rootfs/bin/hello"}) {
        const timespec times[] = {{.tv_sec = 1'600'000'000, .tv_nsec = 0}, {.tv_sec = 1'600'000'000, .tv_nsec = 0}};
        ASSERT_EQ(::utimensat(AT_FDCWD, (bundle / file).c_str(), times, 0), 0);
    }
    EXPECT_EQ(time_of(no_environment), 1'600'000'000u);
}

TEST_F(AppCommit, RefusesASourceDateEpochThatIsNoTime) {
    auto options = workshop.commit_options(workshop.bundle("hello", "1"));
    options.timestamp = std::nullopt;
    EXPECT_THAT(commit_app(options, with("SOURCE_DATE_EPOCH", "yesterday")),
                FailsWith(Code::InvalidInput, AllOf(HasSubstr("SOURCE_DATE_EPOCH"), HasSubstr("yesterday"))));
}

TEST_F(AppCommit, RefusesOptionsThatContradictTheManifest) {
    auto options = workshop.commit_options(workshop.bundle("hello", "1"));
    options.version = "2";
    EXPECT_THAT(commit_app(options, no_environment),
                FailsWith(Code::InvalidInput, AllOf(HasSubstr("--version 2"), HasSubstr("'1'"))));
    options.version = "1";
    options.name = "other";
    EXPECT_THAT(commit_app(options, no_environment),
                FailsWith(Code::InvalidInput, AllOf(HasSubstr("--name other"), HasSubstr("'hello'"))));
    options.name = "hello";
    EXPECT_THAT(commit_app(options, no_environment), Succeeds());
}

TEST_F(AppCommit, NeedsNameAndVersionForTheOlderForm) {
    auto options = workshop.commit_options(workshop.legacy_bundle("hello"));
    EXPECT_THAT(commit_app(options, no_environment), FailsWith(Code::InvalidInput, HasSubstr("--name and --version")));
    options.name = "hello";
    options.version = "3";
    const auto committed = commit_app(options, no_environment);
    ASSERT_THAT(committed, Succeeds());
    EXPECT_EQ(committed->version, "3");
}

TEST_F(AppCommit, RefusesANameThatCannotBeAnApp) {
    auto options = workshop.commit_options(workshop.legacy_bundle("hello"));
    options.name = "../hello";
    options.version = "1";
    EXPECT_THAT(commit_app(options, no_environment), FailsWith(Code::InvalidInput, HasSubstr("../hello")));
}

TEST_F(AppCommit, RefusesABundleThatWouldFailOnADevice) {
    const auto bundle = workshop.bundle("hello", "1");
    std::filesystem::remove(bundle / "rootfs/proc");
    EXPECT_THAT(commit_app(workshop.commit_options(bundle), no_environment),
                FailsWith(Code::InvalidInput, HasSubstr("/proc")));
    EXPECT_FALSE(file::exists(workshop.repository()));
}

TEST_F(AppCommit, WarnsOfWhatADeviceMustAllowFirst) {
    const auto committed = commit_app(
        workshop.commit_options(workshop.bundle("hello", "1", R"(,"capabilities":["CAP_SYS_ADMIN"])")), no_environment);
    ASSERT_THAT(committed, Succeeds());
    EXPECT_THAT(committed->warning, AllOf(HasSubstr("policy.json"), HasSubstr("CAP_SYS_ADMIN")));
    EXPECT_THAT(nlohmann::json::parse(to_json(*committed))["warning"].get<std::string>(), HasSubstr("CAP_SYS_ADMIN"));
}

TEST_F(AppCommit, CommitsNothingWithoutItsKey) {
    auto options = workshop.commit_options(workshop.bundle("hello", "1"));
    options.key = workshop.path("absent.key");
    EXPECT_THAT(commit_app(options, no_environment), FailsWith(Code::NotFound, HasSubstr("absent.key")));
    EXPECT_FALSE(file::exists(workshop.repository()));
}

TEST_F(AppCommit, SaysWhatItMade) {
    const Committed committed{.name = "hello", .version = "1", .ref = "r", .commit = "abc", .warning = ""};
    EXPECT_EQ(to_text(committed), "hello 1 committed as abc (ref r)\n");
    EXPECT_EQ(nlohmann::json::parse(to_json(committed)),
              nlohmann::json::parse(R"({"name":"hello","version":"1","ref":"r","commit":"abc"})"));
}

class AppExport : public AppCommit {};

TEST_F(AppExport, WritesAVersionIntoOneFileThatSaysWhatItIs) {
    const auto commit = workshop.commit("hello", "1");
    workshop.commit("hello", "2");
    const auto file = workshop.path("hello.davit");

    const auto exported = export_app({.repository = workshop.repository(), .app = "hello=" + commit, .file = file});

    ASSERT_THAT(exported, Succeeds());
    EXPECT_EQ(exported->version, "1");
    EXPECT_EQ(exported->bytes, std::filesystem::file_size(file));
    const auto read = ostree::read_delta(file);
    ASSERT_THAT(read, Succeeds());
    EXPECT_EQ(read->id, commit);
    EXPECT_EQ(read->app, "hello");
    EXPECT_EQ(read->version, "1");
}

TEST_F(AppExport, RefusesWhatNobodyHasSigned) {
    workshop.commit("hello", "1");
    auto repository = ostree::Repository::open(workshop.repository());
    ASSERT_THAT(repository, Succeeds());
    const auto commit =
        repository->commit({.directory = workshop.bundle("raw", "1"), .ref = "raw", .version = "1", .subject = "raw"});
    ASSERT_THAT(commit, Succeeds());

    EXPECT_THAT(export_app({.repository = workshop.repository(), .app = "raw", .file = workshop.path("raw.davit")}),
                FailsWith(Code::Untrusted, HasSubstr("is not signed")));
    EXPECT_FALSE(file::exists(workshop.path("raw.davit")));
}

}  // namespace
}  // namespace davit::cli
