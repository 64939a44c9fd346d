#include "cli/deploy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "../hawkbit/matchers.h"
#include "../hawkbit/scripted_server.h"

namespace davit::cli {
namespace {

using test::FailsWith;
using test::Succeeds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

/// Moves when somebody sleeps.
class FakeClock : public Clock {
public:
    [[nodiscard]] MonotonicTime now() const override { return MonotonicTime(slept); }
    [[nodiscard]] std::int64_t wall_ms() const override { return slept.count(); }
    bool sleep(Milliseconds duration, std::stop_token) override {
        slept += duration;
        return true;
    }
    Milliseconds slept{0};
};

TEST(SetName, IsANameAndPerhapsAVersion) {
    EXPECT_EQ(parse_set_name("shop:2")->name, "shop");
    EXPECT_EQ(parse_set_name("shop:2")->version, "2");
    EXPECT_EQ(parse_set_name("shop")->version, std::nullopt);
    EXPECT_EQ(parse_set_name("a:b:2")->name, "a:b");
    EXPECT_THAT(parse_set_name("shop:"), FailsWith(Code::InvalidInput, HasSubstr("'shop:'")));
    EXPECT_THAT(parse_set_name(":2"), FailsWith(Code::InvalidInput, HasSubstr("SET:VERSION")));
}

class Deploying : public testing::Test {
protected:
    Deploying() {
        server.answers("GET", "/rest/v1/distributionsets",
                       {.body = R"({"content":[{"id":3,"name":"shop","version":"2","type":"app"}]})"});
        server.answers("GET", "/rest/v1/distributionsets/3/assignedSM", {.body = R"({"content":[]})"});
    }
    void assigning_answers(const std::string& body) {
        server.answers("POST", "/rest/v1/distributionsets/3/assignedTargets", {.body = body});
    }
    void action_is(const std::string& status, bool active) {
        server.answers("GET", "/rest/v1/targets/dev1/actions/20",
                       {.body = R"({"id":20,"status":")" + status + R"(","active":)" + (active ? "true}" : "false}")});
    }
    /// @param entries newest first, as hawkBit sends them
    void history_is(const std::string& entries) {
        server.answers("GET", "/rest/v1/targets/dev1/actions/20/status", {.body = R"({"content":[)" + entries + "]}"});
    }
    Result<void> follow_it(Milliseconds timeout = 10min) {
        return follow(deployed, hawkbit, clock, timeout,
                      [this](std::string_view report) { reports.emplace_back(report); });
    }

    test::ScriptedServer server;
    mgmt::Client hawkbit{{.url = server.url(), .user = "u", .password = "p"}, {}};
    FakeClock clock;
    DeployOptions options{.set = {.name = "shop", .version = "2"}, .target = "dev1"};
    Deployed deployed{.set = "shop",
                      .version = "2",
                      .target = "dev1",
                      .action = 20,
                      .already = false,
                      .status = "assigned",
                      .active = true,
                      .messages = {}};
    std::vector<std::string> reports;
};

TEST_F(Deploying, AssignsTheSet) {
    assigning_answers(R"({"assigned":1,"alreadyAssigned":0,"assignedActions":[{"id":20}]})");
    options.type = mgmt::AssignType::Soft;
    const auto result = deploy(options, hawkbit);
    ASSERT_THAT(result, Succeeds());
    EXPECT_EQ(result->action, 20);
    EXPECT_TRUE(result->active);
    EXPECT_THAT(server.last().body, HasSubstr("soft"));
    EXPECT_EQ(to_text(*result), "shop:2 assigned to dev1 (action 20, assigned)\n");
}

TEST_F(Deploying, TakesTheSetThatWasMadeLastWithoutAVersion) {
    assigning_answers(R"({"assigned":1,"alreadyAssigned":0,"assignedActions":[{"id":20}]})");
    options.set.version = std::nullopt;
    const auto result = deploy(options, hawkbit);
    ASSERT_THAT(result, Succeeds());
    EXPECT_EQ(result->version, "2");
    EXPECT_THAT(server.asked().front().target, HasSubstr("sort=id:DESC"));
}

TEST_F(Deploying, SaysThatThereIsNoSuchSet) {
    options.set = {.name = "shop", .version = "9"};
    EXPECT_THAT(deploy(options, hawkbit), FailsWith(Code::NotFound, HasSubstr("no distribution set 'shop:9'")));
}

TEST_F(Deploying, FindsTheActionOfASetThatIsAssignedAlready) {
    assigning_answers(R"({"assigned":0,"alreadyAssigned":1})");
    server.answers("GET", "/rest/v1/targets/dev1/actions",
                   {.body = R"({"content":[{"id":21,"status":"finished","active":false}]})"});
    const auto result = deploy(options, hawkbit);
    ASSERT_THAT(result, Succeeds());
    EXPECT_TRUE(result->already);
    EXPECT_EQ(result->action, 21);
    EXPECT_FALSE(result->active);
    EXPECT_THAT(to_text(*result), HasSubstr("already (action 21, finished)"));
}

TEST_F(Deploying, ReportsEachWordOfTheDeviceOnceUntilItSucceeded) {
    action_is("running", true);
    action_is("running", true);
    action_is("finished", false);
    const std::string first = R"({"type":"running","messages":["downloading"]})";
    history_is(first);
    history_is(first);
    history_is(R"({"type":"finished","messages":["all apps run","took 3 s"]},{"type":"running","messages":[]},)" +
               first);
    ASSERT_THAT(follow_it(), Succeeds());
    EXPECT_THAT(reports, ElementsAre("running: downloading", "running", "finished: all apps run\n    took 3 s"));
    EXPECT_FALSE(deployed.failed());
    EXPECT_EQ(clock.slept, 2s);
}

TEST_F(Deploying, EndsWithTheReasonOfAFailure) {
    action_is("error", false);
    history_is(R"({"type":"error","messages":["hello: /health answered 500","cause=app-failed"]})");
    ASSERT_THAT(follow_it(), Succeeds());
    EXPECT_TRUE(deployed.failed());
    EXPECT_THAT(deployed.messages, ElementsAre("hello: /health answered 500", "cause=app-failed"));
    EXPECT_EQ(nlohmann::json::parse(to_json(deployed))["messages"][1], "cause=app-failed");
}

TEST_F(Deploying, CountsACancelAsAFailure) {
    action_is("canceled", false);
    history_is("");
    ASSERT_THAT(follow_it(), Succeeds());
    EXPECT_TRUE(deployed.failed());
}

TEST_F(Deploying, GivesUpWhenItsTimeIsOver) {
    action_is("running", true);
    history_is("");
    EXPECT_THAT(follow_it(5s),
                FailsWith(Code::Network, AllOf(HasSubstr("action 20 of 'dev1'"), HasSubstr("still running after 5s"))));
    EXPECT_EQ(clock.slept, 5s);
}

TEST_F(Deploying, AsksAgainWhenTheServerDoesNotAnswerForAMoment) {
    server.answers("GET", "/rest/v1/targets/dev1/actions/20", {.status = 503});
    action_is("finished", false);
    history_is("");
    EXPECT_THAT(follow_it(), Succeeds());
    EXPECT_EQ(clock.slept, 1s);
}

TEST_F(Deploying, StopsWhenTheActionIsGone) {
    EXPECT_THAT(follow_it(), FailsWith(Code::NotFound, HasSubstr("actions/20")));
}

TEST_F(Deploying, HasNothingToFollowWhenTheDeviceIsDone) {
    deployed.active = false;
    deployed.status = "finished";
    EXPECT_THAT(follow_it(), Succeeds());
    EXPECT_THAT(reports, IsEmpty());
    EXPECT_THAT(server.asked(), IsEmpty());
}

}  // namespace
}  // namespace davit::cli
