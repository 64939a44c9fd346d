#include "hawkbit/ddi/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../matchers.h"

namespace davit::ddi {
namespace {

using test::FailsWith;
using test::Succeeds;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

const ServerAddress kServer{
    .url = "https://updates.example:8443/hawkbit/", .tenant = "DEFAULT", .controller_id = "dev 1"};
const std::string kBase = "https://updates.example:8443/hawkbit/DEFAULT/controller/v1/dev%201";

Result<Poll> poll_of(std::string_view body) {
    return read_poll(body, "poll", kServer);
}
Result<Deployment> deployment_of(std::string_view body) {
    return read_deployment(body, "answer", "deployment");
}

std::string with_chunk(std::string_view chunk) {
    return R"({"id":"1","deployment":{"download":"forced","update":"forced","chunks":[)" + std::string(chunk) + "]}}";
}

// --- links ---------------------------------------------------------------------------------------

TEST(OwnLink, IsBuiltBelowTheConfiguredUrlWhateverHostTheServerNames) {
    // A server behind a proxy without forwarded headers names itself: another scheme, host, port and no prefix.
    const auto link = own_link(kServer, "http://10.0.0.7:8080/DEFAULT/controller/v1/dev%201/deploymentBase/30?c=-212",
                               "deploymentBase");
    ASSERT_THAT(link, Succeeds());
    EXPECT_EQ(*link, kBase + "/deploymentBase/30?c=-212");
}

TEST(OwnLink, NeverLeadsToAnotherHost) {
    for (const auto* href :
         {"https://evil.example/controller/v1/x/deploymentBase/1", "//evil.example/controller/v1/x/deploymentBase/1",
          "https://u:p@evil.example/a/controller/v1/@other.example/deploymentBase/1"}) {
        const auto link = own_link(kServer, href, "deploymentBase");
        ASSERT_THAT(link, Succeeds());
        EXPECT_EQ(*link, kBase + "/deploymentBase/1") << href;
    }
}

TEST(OwnLink, IsRefusedWhenItLeadsToSomethingElse) {
    EXPECT_THAT(own_link(kServer, "https://evil.example/steal", "deploymentBase"),
                FailsWith(Code::InvalidInput, HasSubstr("'https://evil.example/steal'")));
    EXPECT_THAT(own_link(kServer, "http://h/DEFAULT/controller/v1/dev", "deploymentBase"),
                FailsWith(Code::InvalidInput, HasSubstr("leads elsewhere")));
    EXPECT_THAT(own_link(kServer, "http://h/DEFAULT/controller/v1/dev/configData", "deploymentBase"),
                FailsWith(Code::InvalidInput, HasSubstr("leads elsewhere")));
}

// --- poll ----------------------------------------------------------------------------------------

TEST(Poll, ReadsIntervalAndLinks) {
    const auto poll = poll_of(R"({"config":{"polling":{"sleep":"00:01:30"}},"_links":{
        "deploymentBase":{"href":"http://h/DEFAULT/controller/v1/d/deploymentBase/9007199254740993?c=5"},
        "configData":{"href":"http://h/DEFAULT/controller/v1/d/configData"},"futureLink":{"href":"x"}}})");
    ASSERT_THAT(poll, Succeeds());
    EXPECT_EQ(poll->sleep, 90s);
    EXPECT_EQ(poll->deployment, kBase + "/deploymentBase/9007199254740993?c=5");
    EXPECT_EQ(poll->cancel, std::nullopt);
    EXPECT_TRUE(poll->wants_attributes);
}

TEST(Poll, ReadsACancelLink) {
    const auto poll =
        poll_of(R"({"_links":{"cancelAction":{"href":"http://h/DEFAULT/controller/v1/d/cancelAction/70"}}})");
    ASSERT_THAT(poll, Succeeds());
    EXPECT_EQ(poll->cancel, kBase + "/cancelAction/70");
    EXPECT_FALSE(poll->wants_attributes);
}

TEST(Poll, ReadsALinkToSomethingThatNeedsAYes) {
    const auto poll = poll_of(
        R"({"_links":{"confirmationBase":{"href":"http://h/DEFAULT/controller/v1/x/confirmationBase/12?c=3"}}})");
    ASSERT_THAT(poll, Succeeds());
    EXPECT_EQ(poll->confirmation, kBase + "/confirmationBase/12?c=3");
}

TEST(Poll, HasNothingToDoWithoutLinks) {
    const auto poll = poll_of(R"({"config":{"polling":{"sleep":"PT24H"}}})");
    ASSERT_THAT(poll, Succeeds());
    EXPECT_EQ(poll->sleep, 24h);
    EXPECT_EQ(poll->deployment, std::nullopt);
}

TEST(Poll, GoesOnEveryFiveMinutesWhenTheIntervalCannotBeRead) {
    for (const auto* body : {"{}", R"({"config":null})", R"({"config":7})", R"({"config":{"polling":[]}})",
                             R"({"config":{"polling":{"sleep":30}}})", R"({"config":{"polling":{"sleep":"soon"}}})"}) {
        const auto poll = poll_of(body);
        ASSERT_THAT(poll, Succeeds()) << body;
        EXPECT_EQ(poll->sleep, 5min) << body;
    }
}

TEST(Poll, NamesThePlaceOfWhatItCannotRead) {
    EXPECT_THAT(poll_of("<html>"), FailsWith(Code::InvalidInput, HasSubstr("poll")));
    EXPECT_THAT(poll_of(""), FailsWith(Code::InvalidInput, HasSubstr("poll")));
    EXPECT_THAT(poll_of("[]"), FailsWith(Code::InvalidInput, HasSubstr("object")));
    EXPECT_THAT(poll_of(R"({"_links":[]})"), FailsWith(Code::InvalidInput, HasSubstr("_links")));
    EXPECT_THAT(poll_of(R"({"_links":{"deploymentBase":"x"}})"),
                FailsWith(Code::InvalidInput, HasSubstr("_links.deploymentBase")));
    EXPECT_THAT(poll_of(R"({"_links":{"deploymentBase":{"href":5}}})"),
                FailsWith(Code::InvalidInput, HasSubstr("_links.deploymentBase.href")));
    EXPECT_THAT(poll_of(R"({"_links":{"cancelAction":{"href":"ftp://x"}}})"),
                FailsWith(Code::InvalidInput, AllOf(HasSubstr("_links.cancelAction.href"), HasSubstr("ftp://x"))));
}

TEST(Poll, SurvivesDeepNesting) {
    EXPECT_THAT(poll_of(std::string(200'000, '[')), FailsWith(Code::InvalidInput, HasSubstr("poll: nested deeper")));
    EXPECT_THAT(poll_of(R"({"_links":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}"),
                FailsWith(Code::InvalidInput, HasSubstr("poll: nested deeper")));
}

// --- deployment ----------------------------------------------------------------------------------

TEST(Deployment, ReadsEverythingThatHawkbitSends) {
    const auto deployment = deployment_of(
        R"({"id":"10","deployment":{"download":"attempt","update":"skip","maintenanceWindow":"unavailable","chunks":[
        {"part":"bApp","version":"1.0","name":"hello","encrypted":true,"metadata":[{"key":"commit","value":"aaa"},{"key":"ref","value":"hello"}],
         "artifacts":[{"filename":"x.bin","size":4294967296,"hashes":{"sha1":"1","md5":"2","sha256":"3"},
                       "_links":{"download-http":{"href":"http://h/x.bin"},"md5sum-http":{"href":"http://h/x.bin.MD5SUM"}}}]},
        {"part":"os","version":"7","name":"base","artifacts":[]}]},"actionHistory":{"status":"RUNNING","messages":[]}})");
    ASSERT_THAT(deployment, Succeeds());
    EXPECT_EQ(deployment->id, "10");
    EXPECT_EQ(deployment->download, Mode::Attempt);
    EXPECT_EQ(deployment->update, Mode::Skip);
    EXPECT_EQ(deployment->window_open, false);
    ASSERT_THAT(deployment->chunks, SizeIs(2));
    const auto& app = deployment->chunks[0];
    EXPECT_EQ(app.part + " " + app.name + " " + app.version, "bApp hello 1.0");
    EXPECT_EQ(app.meta("commit"), "aaa");
    EXPECT_EQ(app.meta("rev"), std::nullopt);
    ASSERT_THAT(app.artifacts, SizeIs(1));
    EXPECT_EQ(app.artifacts[0].size, 4'294'967'296u);
    EXPECT_EQ(app.artifacts[0].sha256, "3");
    EXPECT_EQ(app.artifacts[0].url, "http://h/x.bin");
    EXPECT_THAT(deployment->chunks[1].metadata, IsEmpty());
}

TEST(Deployment, KeepsActionIdsAsText) {
    for (const auto* id : {"10", "100", "18446744073709551616", "0010"}) {
        const auto deployment = deployment_of(std::string(R"({"id":")") + id +
                                              R"(","deployment":{"download":"forced","update":"forced"}})");
        ASSERT_THAT(deployment, Succeeds());
        EXPECT_EQ(deployment->id, id);
    }
}

TEST(Deployment, HasNoWindowNoMetadataAndNoArtifactsWhenTheServerSendsNone) {
    const auto deployment = deployment_of(with_chunk(R"({"part":"bApp","name":"a","version":"1"})"));
    ASSERT_THAT(deployment, Succeeds());
    EXPECT_EQ(deployment->window_open, std::nullopt);
    ASSERT_THAT(deployment->chunks, SizeIs(1));
    EXPECT_THAT(deployment->chunks[0].metadata, IsEmpty());
    EXPECT_THAT(deployment->chunks[0].artifacts, IsEmpty());
}

TEST(Deployment, PrefersTheDownloadLinkAndDoesWithoutHashes) {
    const auto deployment = deployment_of(with_chunk(R"({"part":"bApp","name":"a","version":"1","artifacts":[
        {"filename":"x","_links":{"download-http":{"href":"http://h/x"},"download":{"href":"https://cdn/x"}}},{"filename":"y"}]})"));
    ASSERT_THAT(deployment, Succeeds());
    ASSERT_THAT(deployment->chunks[0].artifacts, SizeIs(2));
    EXPECT_EQ(deployment->chunks[0].artifacts[0].url, "https://cdn/x");
    EXPECT_EQ(deployment->chunks[0].artifacts[1].url, "");
    EXPECT_EQ(deployment->chunks[0].artifacts[1].sha256, "");
}

TEST(Deployment, TakesAnUnknownModeForOneThatLeavesTheChoiceToTheDevice) {
    const auto deployment =
        deployment_of(R"({"id":"1","deployment":{"download":"forced","update":"perhaps","maintenanceWindow":"ajar"}})");
    ASSERT_THAT(deployment, Succeeds());
    EXPECT_EQ(deployment->update, Mode::Attempt);
    EXPECT_EQ(deployment->unknown, std::vector<std::string>{"update 'perhaps'"});
    EXPECT_EQ(deployment->window_open, false) << "what is not said to be open is closed";
}

TEST(Deployment, NeedsItsModes) {
    EXPECT_THAT(deployment_of(R"({"id":"1","deployment":{"update":"forced"}})"),
                FailsWith(Code::InvalidInput, HasSubstr("deployment.download")));
}

TEST(Deployment, ThatNeedsAYesLiesUnderAnotherName) {
    const auto deployment = read_deployment(
        R"({"id":"12","confirmation":{"download":"forced","update":"attempt","chunks":[]}})", "answer", "confirmation");
    ASSERT_THAT(deployment, Succeeds());
    EXPECT_EQ(deployment->id, "12");
}

TEST(ActionId, IsTheEndOfTheLinksPath) {
    EXPECT_EQ(action_id("http://h/DEFAULT/controller/v1/dev1/deploymentBase/4294967310?c=-2127183556"), "4294967310");
    EXPECT_EQ(action_id("http://h/DEFAULT/controller/v1/dev1/cancelAction/7"), "7");
}

TEST(Deployment, NamesThePlaceOfWhatItCannotRead) {
    EXPECT_THAT(deployment_of(R"({"id":1,"deployment":{}})"),
                FailsWith(Code::InvalidInput, HasSubstr("answer: id: expected a string")));
    EXPECT_THAT(deployment_of(R"({"id":"1"})"), FailsWith(Code::InvalidInput, HasSubstr("deployment")));
    EXPECT_THAT(deployment_of(R"({"id":"1","deployment":{"download":"forced","update":"forced","chunks":{}}})"),
                FailsWith(Code::InvalidInput, HasSubstr("deployment.chunks")));
    EXPECT_THAT(deployment_of(with_chunk("7")), FailsWith(Code::InvalidInput, HasSubstr("deployment.chunks[0]")));
    EXPECT_THAT(deployment_of(with_chunk(R"({"part":"bApp","version":"1"})")),
                FailsWith(Code::InvalidInput, HasSubstr("deployment.chunks[0].name")));
    EXPECT_THAT(
        deployment_of(with_chunk(R"({"part":"bApp","name":"a","version":"1","metadata":[{"key":"k","value":{}}]})")),
        FailsWith(Code::InvalidInput, HasSubstr("deployment.chunks[0].metadata[0].value")));
    EXPECT_THAT(deployment_of(
                    with_chunk(R"({"part":"bApp","name":"a","version":"1","artifacts":[{"filename":"f","size":-1}]})")),
                FailsWith(Code::InvalidInput, HasSubstr("deployment.chunks[0].artifacts[0].size")));
}

TEST(Cancel, ReadsTheActionToStop) {
    const auto id = read_cancel(R"({"id":"11","cancelAction":{"stopId":"20"}})", "answer");
    ASSERT_THAT(id, Succeeds());
    EXPECT_EQ(*id, "20");
    EXPECT_THAT(read_cancel(R"({"id":"11"})", "answer"), FailsWith(Code::InvalidInput, HasSubstr("cancelAction")));
}

}  // namespace
}  // namespace davit::ddi
