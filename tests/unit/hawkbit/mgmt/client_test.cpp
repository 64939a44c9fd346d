#include "hawkbit/mgmt/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "../matchers.h"
#include "../scripted_server.h"

namespace davit::mgmt {
namespace {

using nlohmann::json;
using test::FailsWith;
using test::Succeeds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

class MgmtClient : public testing::Test {
protected:
    test::ScriptedServer server;
    Client client{{.url = server.url() + "/", .user = "admin", .password = "s3cret"}, {}};
};

constexpr auto kHello = R"({"id":7,"name":"hello","version":"1","type":"application"})";

TEST_F(MgmtClient, LogsInWithBasicAuth) {
    server.answers("GET", "/rest/v1/targets", {.body = R"({"content":[],"total":0,"size":0})"});
    EXPECT_THAT(client.ping(), Succeeds());
    EXPECT_EQ(server.last().headers["authorization"], "Basic YWRtaW46czNjcmV0");
}

TEST_F(MgmtClient, SaysThatUserOrPasswordIsWrong) {
    server.answers("GET", "/rest/v1/targets", {.status = 401});
    EXPECT_THAT(client.ping(), FailsWith(Code::Unauthorized, AllOf(HasSubstr("user or password is wrong"),
                                                                   HasSubstr(server.url()), Not(HasSubstr("s3cret")))));
}

TEST_F(MgmtClient, QuotesTheServersOwnMessage) {
    server.answers(
        "POST", "/rest/v1/softwaremodules",
        {.status = 409,
         .body = R"({"errorCode":"hawkbit.server.error.repo.entitiyAlreayExists","message":"it is there"})"});
    EXPECT_THAT(client.create_module("application", "hello", "1", ""),
                FailsWith(Code::AlreadyExists, HasSubstr("it is there")));
}

TEST_F(MgmtClient, FindsTheModuleThatIsExactlyMeant) {
    // hawkBit compares names without case, and this query says nothing of the type.
    server.answers("GET", "/rest/v1/softwaremodules",
                   {.body = std::string(R"({"content":[{"id":5,"name":"Hello","version":"1","type":"application"},
        {"id":6,"name":"hello","version":"1","type":"os"},)") +
                            kHello + "]}"});
    const auto module = client.find_module("application", "hello", "1");
    ASSERT_THAT(module, Succeeds());
    ASSERT_TRUE(module->has_value());
    EXPECT_EQ((*module)->id, 7);
    const auto none = client.find_module("application", "hell", "1");
    ASSERT_THAT(none, Succeeds());
    EXPECT_FALSE(none->has_value());
}

TEST_F(MgmtClient, CreatesAModule) {
    server.answers("POST", "/rest/v1/softwaremodules", {.status = 201, .body = std::string("[") + kHello + "]"});
    const auto module = client.create_module("application", "hello", "1", "a test");
    ASSERT_THAT(module, Succeeds());
    EXPECT_EQ(module->id, 7);
    EXPECT_EQ(json::parse(server.last().body),
              json::parse(R"([{"type":"application","name":"hello","version":"1","description":"a test"}])"));
}

TEST_F(MgmtClient, RefusesAnAnswerWithoutTheCreatedModule) {
    server.answers("POST", "/rest/v1/softwaremodules", {.status = 201, .body = "[]"});
    EXPECT_THAT(client.create_module("application", "hello", "1", ""),
                FailsWith(Code::InvalidInput, HasSubstr("got 0")));
}

TEST_F(MgmtClient, OverwritesMetadataThatIsThereAndAddsTheRest) {
    server.answers("GET", "/rest/v1/softwaremodules/7/metadata",
                   {.body = R"({"content":[{"key":"commit","value":"old","targetVisible":true}]})"});
    server.answers("PUT", "/rest/v1/softwaremodules/7/metadata/commit", {});
    server.answers("POST", "/rest/v1/softwaremodules/7/metadata", {.status = 201});
    EXPECT_THAT(client.set_module_metadata(7, {{.key = "commit", .value = "new"}, {.key = "ref", .value = "hello"}}),
                Succeeds());
    const auto asked = server.asked();
    ASSERT_THAT(asked, SizeIs(3));
    EXPECT_EQ(json::parse(asked[1].body), json::parse(R"({"value":"new","targetVisible":true})"));
    EXPECT_EQ(json::parse(asked[2].body), json::parse(R"([{"key":"ref","value":"hello","targetVisible":true}])"));
}

TEST_F(MgmtClient, FindsASetWithItsModules) {
    server.answers("GET", "/rest/v1/distributionsets",
                   {.body = R"({"content":[{"id":3,"name":"shop","version":"2","type":"app"}]})"});
    server.answers("GET", "/rest/v1/distributionsets/3/assignedSM",
                   {.body = std::string(R"({"content":[)") + kHello + "]}"});
    const auto set = client.find_set("shop", "2");
    ASSERT_THAT(set, Succeeds());
    ASSERT_TRUE(set->has_value());
    EXPECT_EQ((*set)->id, 3);
    ASSERT_THAT((*set)->modules, SizeIs(1));
    EXPECT_EQ((*set)->modules[0].name, "hello");
}

TEST_F(MgmtClient, CreatesASetOfModules) {
    server.answers("POST", "/rest/v1/distributionsets",
                   {.status = 201, .body = R"([{"id":3,"name":"shop","version":"2","type":"app"}])"});
    EXPECT_THAT(client.create_set("app", "shop", "2", "", {7, 8}), Succeeds());
    EXPECT_EQ(json::parse(server.last().body)[0]["modules"], json::parse(R"([{"id":7},{"id":8}])"));
}

TEST_F(MgmtClient, ShowsWhatATargetHas) {
    server.answers(
        "GET", "/rest/v1/targets/dev%201",
        {.body =
             R"({"controllerId":"dev 1","name":"One","updateStatus":"in_sync","securityToken":"t","ipAddress":"10.0.0.1","lastControllerRequestAt":99})"});
    server.answers("GET", "/rest/v1/targets/dev%201/assignedDS",
                   {.body = R"({"id":3,"name":"shop","version":"2","type":"app"})"});
    server.answers("GET", "/rest/v1/targets/dev%201/installedDS", {.status = 204});
    server.answers("GET", "/rest/v1/targets/dev%201/attributes", {.body = R"({"arch":"arm64"})"});
    const auto target = client.target("dev 1");
    ASSERT_THAT(target, Succeeds());
    EXPECT_EQ(target->update_status, "in_sync");
    EXPECT_EQ(target->last_request_ms, 99);
    ASSERT_TRUE(target->assigned.has_value());
    EXPECT_EQ(target->assigned->version, "2");
    EXPECT_FALSE(target->installed.has_value());
    const auto attributes = client.attributes("dev 1");
    ASSERT_THAT(attributes, Succeeds());
    EXPECT_THAT(*attributes, ElementsAre(Pair("arch", "arm64")));
}

TEST_F(MgmtClient, ShowsNoAttributesOfATargetThatSentNone) {
    server.answers("GET", "/rest/v1/targets/dev1/attributes", {.status = 204});
    const auto attributes = client.attributes("dev1");
    ASSERT_THAT(attributes, Succeeds());
    EXPECT_THAT(*attributes, IsEmpty());
}

TEST_F(MgmtClient, AssignsASetAndTellsTheAction) {
    server.answers("POST", "/rest/v1/distributionsets/3/assignedTargets",
                   {.body = R"({"assigned":1,"alreadyAssigned":0,"total":1,"assignedActions":[{"id":20}]})"});
    const auto action = client.assign(3, "dev1", AssignType::Soft);
    ASSERT_THAT(action, Succeeds());
    EXPECT_EQ(*action, 20);
    EXPECT_EQ(json::parse(server.last().body), json::parse(R"([{"id":"dev1","type":"soft"}])"));
}

TEST_F(MgmtClient, FindsTheActionItselfWhenTheServerDoesNotTell) {
    server.answers("POST", "/rest/v1/distributionsets/3/assignedTargets",
                   {.body = R"({"assigned":1,"alreadyAssigned":0,"total":1})"});
    server.answers(
        "GET", "/rest/v1/targets/dev1/actions",
        {.body =
             R"({"content":[{"id":30,"active":true,"status":"running"},{"id":20,"active":false,"status":"finished"}]})"});
    const auto action = client.assign(3, "dev1", AssignType::Forced);
    ASSERT_THAT(action, Succeeds());
    EXPECT_EQ(*action, 30);
}

TEST_F(MgmtClient, MakesNoActionForASetThatIsAssignedAlready) {
    server.answers("POST", "/rest/v1/distributionsets/3/assignedTargets",
                   {.body = R"({"assigned":0,"alreadyAssigned":1,"total":1})"});
    const auto action = client.assign(3, "dev1", AssignType::Forced);
    ASSERT_THAT(action, Succeeds());
    EXPECT_EQ(*action, std::nullopt);
}

TEST_F(MgmtClient, NoticesThatTheServerDroppedAnUnknownTarget) {
    server.answers("POST", "/rest/v1/distributionsets/3/assignedTargets",
                   {.body = R"({"assigned":0,"alreadyAssigned":0,"total":0})"});
    EXPECT_THAT(client.assign(3, "nosuch", AssignType::Forced),
                FailsWith(Code::NotFound, HasSubstr("no target 'nosuch'")));
}

TEST_F(MgmtClient, ReadsActionsOfOldAndNewServersAlike) {
    server.answers("GET", "/rest/v1/targets/dev1/actions", {.body = R"({"content":[
        {"id":3,"active":true,"status":"running","forceType":"soft"},
        {"id":2,"status":"pending","detailStatus":"retrieved","forceType":"forced"},
        {"id":1,"status":"finished","detailStatus":"error"}]})"});
    const auto actions = client.actions("dev1");
    ASSERT_THAT(actions, Succeeds());
    ASSERT_THAT(*actions, SizeIs(3));
    EXPECT_TRUE((*actions)[0].active);
    EXPECT_EQ((*actions)[0].status, "running");
    EXPECT_TRUE((*actions)[1].active);
    EXPECT_EQ((*actions)[1].status, "retrieved");
    EXPECT_FALSE((*actions)[2].active);
    EXPECT_EQ((*actions)[2].status, "error");
    EXPECT_THAT(server.last().target, HasSubstr("sort=id:DESC"));
}

TEST_F(MgmtClient, TakesTheStatusFromTheHistoryWhereAnOldServerDoesNotTellIt) {
    // 0.3.0M7: "finished" may be an error.
    server.answers("GET", "/rest/v1/targets/dev1/actions/20", {.body = R"({"id":20,"status":"finished"})"});
    server.answers("GET", "/rest/v1/targets/dev1/actions/20/status",
                   {.body = R"({"content":[{"id":1,"type":"error","messages":["a"]}]})"});
    const auto action = client.action("dev1", 20);
    ASSERT_THAT(action, Succeeds());
    EXPECT_FALSE(action->active);
    EXPECT_EQ(action->status, "error");
}

TEST_F(MgmtClient, ReadsTheHistoryOfAnAction) {
    server.answers("GET", "/rest/v1/targets/dev1/actions/20/status",
                   {.body = R"({"content":[{"id":1,"type":"error","messages":["a",null,"b"],"reportedAt":5}]})"});
    const auto history = client.action_status("dev1", 20);
    ASSERT_THAT(history, Succeeds());
    ASSERT_THAT(*history, SizeIs(1));
    EXPECT_EQ((*history)[0].type, "error");
    EXPECT_THAT((*history)[0].messages, ElementsAre("a", "b"));
}

TEST_F(MgmtClient, NamesThePlaceOfWhatItCannotRead) {
    server.answers("GET", "/rest/v1/targets/dev1/actions", {.body = R"({"content":[{"id":"3"}]})"});
    EXPECT_THAT(client.actions("dev1"),
                FailsWith(Code::InvalidInput, AllOf(HasSubstr("answer of GET"), HasSubstr("content[0].id"))));
    server.answers("GET", "/rest/v1/targets/dev2/actions", {.body = "nothing"});
    EXPECT_THAT(client.actions("dev2"), FailsWith(Code::InvalidInput, HasSubstr("dev2/actions")));
}

TEST_F(MgmtClient, CancelsAndConfigures) {
    server.answers("DELETE", "/rest/v1/targets/dev1/actions/20", {.status = 204});
    EXPECT_THAT(client.cancel("dev1", 20), Succeeds());
    server.answers("PUT", "/rest/v1/system/configs/pollingTime", {.status = 204});
    EXPECT_THAT(client.set_config("pollingTime", "\"00:00:02\""), Succeeds());
    EXPECT_EQ(server.last().body, R"({"value":"00:00:02"})");
}

}  // namespace
}  // namespace davit::mgmt
