#include "cli/publish.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <format>
#include <nlohmann/json.hpp>

#include "../hawkbit/matchers.h"
#include "../hawkbit/scripted_server.h"
#include "bundles.h"

namespace davit::cli {
namespace {

using nlohmann::json;
using test::FailsWith;
using test::Succeeds;
using testing::AllOf;
using testing::Each;
using testing::Field;
using testing::HasSubstr;
using testing::SizeIs;

constexpr auto kModules = "/rest/v1/softwaremodules";
constexpr auto kMetadata = "/rest/v1/softwaremodules/7/metadata";
constexpr auto kSets = "/rest/v1/distributionsets";
constexpr auto kHello = R"({"id":7,"name":"hello","version":"1","type":"application"})";
constexpr auto kSet = R"({"id":3,"name":"shop","version":"2","type":"app"})";

std::string list(const std::string& element) {
    return R"({"content":[)" + element + "]}";
}

class PublishTest : public testing::Test {
protected:
    Result<Published> publish_hello(std::vector<std::string> metadata = {}) {
        return publish({.repository = workshop.repository(),
                        .published = published,
                        .apps = {"hello"},
                        .set = "shop",
                        .set_version = "2",
                        .metadata = std::move(metadata),
                        .repository_url = {}},
                       hawkbit);
    }
    /// hawkBit has the module at @p its_commit, and the set with @p modules.
    void server_has(const std::string& its_commit, const std::string& modules) {
        server.answers("GET", kModules, {.body = list(kHello)});
        server.answers("GET", kMetadata,
                       {.body = list(std::format(R"({{"key":"commit","value":"{}"}},{{"key":"ref","value":"hello"}})",
                                                 its_commit))});
        server.answers("GET", kSets, {.body = list(kSet)});
        server.answers("GET", std::string(kSets) + "/3/assignedSM", {.body = list(modules)});
    }
    std::vector<test::Asked> changes() {
        auto asked = server.asked();
        std::erase_if(asked, [](const auto& request) { return request.method == "GET"; });
        return asked;
    }

    test::Workshop workshop;
    std::string commit = workshop.commit("hello", "1");
    Path published = workshop.path("published");
    test::ScriptedServer server;
    mgmt::Client hawkbit{{.url = server.url(), .user = "u", .password = "p"}, {}};
};

class PublishToAnEmptyServer : public PublishTest {
protected:
    PublishToAnEmptyServer() {
        server.answers("GET", kModules, {.body = list("")});
        server.answers("GET", kMetadata, {.body = list("")});
        server.answers("GET", kSets, {.body = list("")});
        server.answers("POST", kModules, {.status = 201, .body = std::string("[") + kHello + "]"});
        server.answers("POST", kMetadata, {.status = 201});
        server.answers("POST", kSets, {.status = 201, .body = std::string("[") + kSet + "]"});
    }
};

TEST_F(PublishToAnEmptyServer, RegistersModuleMetadataAndSet) {
    const auto result = publish_hello({"hello:notify=1"});
    ASSERT_THAT(result, Succeeds());
    EXPECT_FALSE(result->already);
    EXPECT_EQ(result->set_id, 3);
    const auto made = changes();
    ASSERT_THAT(made, SizeIs(3));
    EXPECT_EQ(json::parse(made[0].body)[0]["type"], "application");
    EXPECT_EQ(json::parse(made[1].body), json::array({{{"key", "commit"}, {"value", commit}, {"targetVisible", true}},
                                                      {{"key", "notify"}, {"value", "1"}, {"targetVisible", true}},
                                                      {{"key", "ref"}, {"value", "hello"}, {"targetVisible", true}}}));
    EXPECT_EQ(json::parse(made[2].body)[0]["modules"], json::parse(R"([{"id":7}])"));
}

TEST_F(PublishToAnEmptyServer, CopiesTheCommitToThePublishedRepository) {
    ASSERT_THAT(publish_hello(), Succeeds());
    const auto repository = ostree::Repository::open(published);
    ASSERT_THAT(repository, Succeeds());
    const auto at = repository->resolve("hello");
    ASSERT_THAT(at, Succeeds());
    EXPECT_EQ(*at, commit);
}

TEST_F(PublishToAnEmptyServer, RegistersNothingWhenTheContentCannotBeCopied) {
    test::write(published, "a file where the repository should be");
    EXPECT_FALSE(publish_hello());
    EXPECT_THAT(changes(), SizeIs(0));
}

TEST_F(PublishToAnEmptyServer, RefusesAnAppThatIsNamedTwice) {
    EXPECT_THAT(publish({.repository = workshop.repository(),
                         .published = published,
                         .apps = {"hello", "hello=" + commit},
                         .set = "s",
                         .set_version = "1",
                         .metadata = {},
                         .repository_url = {}},
                        hawkbit),
                FailsWith(Code::InvalidInput, HasSubstr("named twice")));
}

TEST_F(PublishTest, DoesNothingWhenEverythingIsThere) {
    server_has(commit, kHello);
    const auto result = publish_hello();
    ASSERT_THAT(result, Succeeds());
    EXPECT_TRUE(result->already);
    EXPECT_THAT(result->apps, Each(Field(&PublishedApp::already, true)));
    EXPECT_THAT(changes(), SizeIs(0));
    EXPECT_THAT(to_text(*result), AllOf(HasSubstr("hello 1"), HasSubstr("shop:2 already published")));
}

TEST_F(PublishTest, RefusesAnotherCommitUnderTheSameVersionBeforeItChangesAnything) {
    server_has(std::string(64, 'a'), kHello);
    EXPECT_THAT(publish_hello(),
                FailsWith(Code::AlreadyExists, AllOf(HasSubstr("hello 1"), HasSubstr("commit is aaaa"),
                                                     HasSubstr("not " + commit), HasSubstr("raise the version"))));
    EXPECT_THAT(changes(), SizeIs(0));
    EXPECT_FALSE(file::exists(published));
}

TEST_F(PublishTest, RefusesOtherMetadataUnderTheSameVersion) {
    server_has(commit, kHello);
    EXPECT_THAT(publish_hello({"notify=1"}), FailsWith(Code::AlreadyExists, HasSubstr("notify is not set, not 1")));
}

TEST_F(PublishTest, RefusesASetWithOtherModules) {
    server_has(commit, R"({"id":8,"name":"hello","version":"0","type":"application"})");
    EXPECT_THAT(publish_hello(),
                FailsWith(Code::AlreadyExists, AllOf(HasSubstr("shop:2 exists already with hello 0, not with hello 1"),
                                                     HasSubstr("--set-version"))));
    EXPECT_THAT(changes(), SizeIs(0));
}

TEST_F(PublishTest, CompletesAModuleWhoseMetadataNeverCame) {
    server.answers("GET", kModules, {.body = list(kHello)});
    server.answers("GET", kMetadata, {.body = list("")});
    server.answers("GET", kSets, {.body = list("")});
    server.answers("POST", kMetadata, {.status = 201});
    server.answers("POST", kSets, {.status = 201, .body = std::string("[") + kSet + "]"});
    EXPECT_THAT(publish_hello(), Succeeds());
    const auto made = changes();
    ASSERT_THAT(made, SizeIs(2));
    EXPECT_EQ(made[0].target, kMetadata);
    EXPECT_EQ(made[1].target, kSets);
}

TEST_F(PublishTest, PrintsItsResultForPrograms) {
    server_has(commit, kHello);
    const auto result = publish_hello();
    ASSERT_THAT(result, Succeeds());
    const auto printed = json::parse(to_json(*result));
    EXPECT_EQ(printed["id"], 3);
    EXPECT_EQ(printed["apps"][0]["commit"], commit);
    EXPECT_EQ(printed["apps"][0]["module"], 7);
}

}  // namespace
}  // namespace davit::cli
