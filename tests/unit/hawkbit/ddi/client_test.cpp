#include "hawkbit/ddi/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "common/http_client.h"

#include "../matchers.h"
#include "../scripted_server.h"

namespace davit::ddi {
namespace {

using nlohmann::json;
using test::FailsWith;
using test::Succeeds;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class DdiClient : public testing::Test {
protected:
    Client client(Credentials::Kind kind = Credentials::Kind::TargetToken) {
        return {{.url = server.url(), .tenant = "DEFAULT", .controller_id = "dev1"},
                {.kind = kind, .token = "s3cret"},
                std::make_unique<http::Client>(http::Options{})};
    }
    static Feedback closed(Finished finished, std::vector<std::string> details) {
        return {.execution = Execution::Closed, .finished = finished, .details = std::move(details)};
    }

    const std::string base = "/DEFAULT/controller/v1/dev1";
    const std::string feedback_path = base + "/deploymentBase/20/feedback";
    test::ScriptedServer server;
};

TEST_F(DdiClient, PollsWithItsTargetToken) {
    server.answers("GET", base, {.body = R"({"config":{"polling":{"sleep":"00:00:02"}}})"});
    EXPECT_THAT(client().poll(), Succeeds());
    EXPECT_EQ(server.last().headers["authorization"], "TargetToken s3cret");
    EXPECT_EQ(server.last().headers["accept"], "application/hal+json");
}

TEST_F(DdiClient, PollsWithAGatewayToken) {
    server.answers("GET", base, {.body = "{}"});
    EXPECT_THAT(client(Credentials::Kind::GatewayToken).poll(), Succeeds());
    EXPECT_EQ(server.last().headers["authorization"], "GatewayToken s3cret");
}

TEST_F(DdiClient, FollowsTheLinksOfAServerThatThinksItIsElsewhere) {
    server.answers(
        "GET", base,
        {.body =
             R"({"_links":{"deploymentBase":{"href":"https://elsewhere.example/DEFAULT/controller/v1/dev1/deploymentBase/20?c=-7"}}})"});
    server.answers("GET", base + "/deploymentBase/20",
                   {.body = R"({"id":"20","deployment":{"download":"forced","update":"forced","chunks":[]}})"});
    auto ddi = client();
    const auto poll = ddi.poll();
    ASSERT_THAT(poll, Succeeds());
    const auto deployment = ddi.deployment(poll->deployment.value());
    ASSERT_THAT(deployment, Succeeds());
    EXPECT_EQ(deployment->id, "20");
    EXPECT_EQ(server.last().target, base + "/deploymentBase/20?c=-7");
}

TEST_F(DdiClient, DoesNotSendItsTokenToAnotherHost) {
    test::ScriptedServer other;
    EXPECT_THAT(client().deployment(other.url() + "/DEFAULT/controller/v1/dev1/deploymentBase/20"), Not(Succeeds()));
    EXPECT_THAT(other.asked(), SizeIs(0));
    EXPECT_THAT(server.asked(), SizeIs(1));
}

TEST_F(DdiClient, ReadsTheActionToCancel) {
    server.answers("GET", base + "/cancelAction/20", {.body = R"({"id":"20","cancelAction":{"stopId":"20"}})"});
    const auto id = client().cancel(server.url() + base + "/cancelAction/20");
    ASSERT_THAT(id, Succeeds());
    EXPECT_EQ(*id, "20");
}

TEST_F(DdiClient, ReportsAnOutcome) {
    server.answers("POST", feedback_path, {});
    EXPECT_THAT(client().feedback("20", closed(Finished::Failure, {"hello: <b> failed", "cause=app-failed"})),
                Succeeds());
    const auto body = json::parse(server.last().body);
    EXPECT_EQ(
        body["status"],
        json::parse(
            R"({"execution":"closed","result":{"finished":"failure"},"details":["hello: (b> failed","cause=app-failed"]})"));
    EXPECT_FALSE(body.contains("timestamp"));  // a doubtful clock must not reach the server
    EXPECT_EQ(server.last().headers["content-type"], "application/json");
}

TEST_F(DdiClient, SendsATimestampWhenItIsGivenOne) {
    server.answers("POST", feedback_path, {});
    auto feedback = closed(Finished::Success, {});
    feedback.timestamp_ms = 1'700'000'000'000;
    EXPECT_THAT(client().feedback("20", feedback), Succeeds());
    EXPECT_EQ(json::parse(server.last().body)["timestamp"], 1'700'000'000'000);
}

TEST_F(DdiClient, SendsBytesThatAreNoUtf8AsReplacementCharacters) {
    server.answers("POST", feedback_path, {});
    EXPECT_THAT(client().feedback("20", closed(Finished::Failure, {"bad \xff byte"})), Succeeds());
    EXPECT_EQ(json::parse(server.last().body)["status"]["details"][0], "bad \uFFFD byte");
}

TEST_F(DdiClient, SaysLessOnceWhenTheServerRefusesTheText) {
    server.answers("POST", feedback_path, {.status = 400, .body = R"({"message":"bad text"})"});
    server.answers("POST", feedback_path, {});
    EXPECT_THAT(client().feedback("20", closed(Finished::Failure, {"much text", "cause=app-failed \"ü\""})),
                Succeeds());
    ASSERT_THAT(server.asked(), SizeIs(2));
    const auto status = json::parse(server.last().body)["status"];
    EXPECT_EQ(status["result"]["finished"], "failure");
    EXPECT_EQ(status["details"], json::array({"cause=app-failed    "}));
}

TEST_F(DdiClient, GivesUpWhenTheServerRefusesTheShorterTextToo) {
    server.answers("POST", feedback_path, {.status = 400, .body = R"({"message":"no such thing"})"});
    EXPECT_THAT(client().feedback("20", closed(Finished::Success, {"text"})),
                FailsWith(Code::ServerRefused, HasSubstr("no such thing")));
    EXPECT_THAT(server.asked(), SizeIs(2));
}

TEST_F(DdiClient, SendsARefusedFeedbackWithoutTextOnlyOnce) {
    server.answers("POST", feedback_path, {.status = 400});
    EXPECT_THAT(client().feedback("20", closed(Finished::Success, {})),
                FailsWith(Code::ServerRefused, HasSubstr("400")));
    EXPECT_THAT(server.asked(), SizeIs(1));
}

struct StatusCase {
    int status;
    const char* body;
    Code code;
};

class DdiStatus : public DdiClient, public testing::WithParamInterface<StatusCase> {};

TEST_P(DdiStatus, OfAFeedbackBecomesACodeThatACallerCanDecideOn) {
    server.answers("POST", feedback_path, {.status = GetParam().status, .body = GetParam().body});
    EXPECT_THAT(client().feedback("20", closed(Finished::Success, {"text"})),
                FailsWith(GetParam().code, AllOf(HasSubstr("deploymentBase/20/feedback"), Not(HasSubstr("s3cret")))));
    EXPECT_THAT(server.asked(), SizeIs(1));  // only a 400 is worth another try
}

INSTANTIATE_TEST_SUITE_P(
    OfHawkbit, DdiStatus,
    testing::Values(StatusCase{403, R"({"errorCode":"hawkbit.server.error.quota.tooManyEntries","message":"too many"})",
                               Code::Quota},
                    StatusCase{403, "", Code::Unauthorized}, StatusCase{404, "", Code::NotFound},
                    StatusCase{405, "", Code::ServerRefused}, StatusCase{410, "", Code::Gone},
                    StatusCase{429, "", Code::Quota}, StatusCase{500, "oops", Code::Network},
                    StatusCase{502, "<html>", Code::Network}, StatusCase{302, "", Code::ServerRefused}),
    [](const auto& tested) {
        return "Status" + std::to_string(tested.param.status) + (*tested.param.body == '\0' ? "" : "WithBody");
    });

TEST_F(DdiClient, SaysWhatToLookAtWhenTheServerDoesNotKnowIt) {
    server.answers("GET", base, {.status = 401});
    EXPECT_THAT(client().poll(),
                FailsWith(Code::Unauthorized, AllOf(HasSubstr("target token of 'dev1'"), HasSubstr("tenant 'DEFAULT'"),
                                                    HasSubstr(server.url()), Not(HasSubstr("s3cret")))));
    EXPECT_THAT(client(Credentials::Kind::GatewayToken).poll(),
                FailsWith(Code::Unauthorized, HasSubstr("gateway token")));
}

TEST_F(DdiClient, NamesTheRequestWhoseAnswerItCannotRead) {
    server.answers("GET", base, {.body = "{\"config\":"});
    EXPECT_THAT(client().poll(), FailsWith(Code::InvalidInput, HasSubstr("answer of GET " + server.url() + base)));
}

TEST_F(DdiClient, RefusesACancelThatIsNone) {
    server.answers("POST", base + "/cancelAction/20/feedback",
                   {.status = 405, .body = R"({"message":"not cancelable"})"});
    EXPECT_THAT(client().cancel_feedback("20", closed(Finished::Success, {"stopped"})),
                FailsWith(Code::ServerRefused, HasSubstr("not cancelable")));
}

TEST_F(DdiClient, AnswersACancel) {
    server.answers("POST", base + "/cancelAction/20/feedback", {});
    EXPECT_THAT(client().cancel_feedback("20", closed(Finished::Success, {"stopped"})), Succeeds());
    EXPECT_EQ(json::parse(server.last().body)["status"]["execution"], "closed");
}

TEST_F(DdiClient, SendsAttributesThatTheServerTakes) {
    server.answers("PUT", base + "/configData", {});
    EXPECT_THAT(client().attributes({{"hw_model", "Gerät 1"}, {"arch", "x86_64"}}), Succeeds());
    EXPECT_EQ(json::parse(server.last().body),
              json::parse(R"({"mode":"replace","data":{"hw_model":"Ger?t 1","arch":"x86_64"}})"));
}

TEST_F(DdiClient, SendsNoEmptySetOfAttributes) {
    EXPECT_THAT(client().attributes({}), Succeeds());
    EXPECT_THAT(server.asked(), SizeIs(0));
}

class DdiCredentials : public testing::Test {
protected:
    Path file_with(std::string_view content) {
        const auto path = Path(testing::TempDir()) / ("token-" + std::to_string(::getpid()));
        std::ofstream(path) << content;
        return path;
    }
};

TEST_F(DdiCredentials, AreReadWithoutTheSpaceAroundThem) {
    const auto credentials = Credentials::read(Credentials::Kind::TargetToken, file_with("  abc\n"));
    ASSERT_THAT(credentials, Succeeds());
    EXPECT_EQ(credentials->token, "abc");
}

TEST_F(DdiCredentials, MustBeOneLine) {
    EXPECT_THAT(Credentials::read(Credentials::Kind::TargetToken, file_with(" \n")),
                FailsWith(Code::InvalidInput, HasSubstr("empty")));
    EXPECT_THAT(Credentials::read(Credentials::Kind::TargetToken, file_with("a\nb\n")),
                FailsWith(Code::InvalidInput, HasSubstr("one line")));
    EXPECT_THAT(Credentials::read(Credentials::Kind::TargetToken, "/nonexistent/token"),
                FailsWith(Code::NotFound, HasSubstr("/nonexistent/token")));
}

}  // namespace
}  // namespace davit::ddi
