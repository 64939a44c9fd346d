// What the server offers while something is under way: other terms, another action, none any more, a question.

#include "tests/unit/agent/link/link_fixture.h"

namespace davit {
namespace {

using test::Asked;
using test::Json;
using test::kBase;
using test::LinkTest;
using testing::HasSubstr;

class OfferedTest : public LinkTest {
protected:
    /// The same action with another link, as servers make it whenever something about the action changes.
    void now_offers(const std::string& id, const std::string& query, Json deployment) {
        const auto href = server_.url() + kBase + "/deploymentBase/" + id + query;
        server_.now_answers("GET", kBase, {200, poll_body({{"deploymentBase", {{"href", href}}}})});
        deployment["chunks"] = hello();
        server_.now_answers("GET", kBase + "/deploymentBase/" + id,
                            {200, Json{{"id", id}, {"deployment", deployment}}.dump()});
    }
    auto reads(const std::string& id) const {
        const auto asked = server_.asked();
        return std::ranges::count_if(asked, [&](const Asked& a) {
            return a.method == "GET" && a.target.starts_with(kBase + "/deploymentBase/" + id);
        });
    }
    void waits(const std::string& id) { events_.push(ProgressMessage{id, "waits for its window", true}); }
};

TEST_F(OfferedTest, AClosedWindowIsADeploymentThatIsFetchedAndWaits) {
    now_offers("7", "?c=1", {{"download", "forced"}, {"update", "skip"}, {"maintenanceWindow", "unavailable"}});
    starts();
    polled();
    const auto offer = offers_.try_pop();
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->deployment.terms, (Terms{.download = When::Now, .update = When::NotYet}));
}

TEST_F(OfferedTest, TheWindowThatOpensIsToldToADeploymentThatWaits) {
    now_offers("7", "?c=1", {{"download", "forced"}, {"update", "skip"}, {"maintenanceWindow", "unavailable"}});
    starts();
    polled();
    waits("7");
    polls_again();
    EXPECT_FALSE(terms_.try_pop()) << "nothing has changed";
    now_offers("7", "?c=2", {{"download", "forced"}, {"update", "forced"}, {"maintenanceWindow", "available"}});
    polls_again();
    const auto told = terms_.try_pop();
    ASSERT_TRUE(told);
    EXPECT_EQ(*told, (std::pair<std::string, Terms>("7", Terms{})));
    polls_again();
    EXPECT_FALSE(terms_.try_pop());
}

TEST_F(OfferedTest, ADeploymentThatDoesNotWaitIsNotReadAgain) {
    now_offers("7", "?c=1", {{"download", "forced"}, {"update", "forced"}});
    starts();
    polled();
    now_offers("7", "?c=2", {{"download", "forced"}, {"update", "forced"}});
    polls_again();
    EXPECT_EQ(reads("7"), 1) << "each reading is a line in the server's history";
}

TEST_F(OfferedTest, AnotherActionTakesThePlaceOfTheOneUnderWay) {
    can_be_canceled_ = true;
    offers("8", hello());
    starts("7");
    polled();
    EXPECT_EQ(wanted_canceled_.try_pop(), "7");
    EXPECT_FALSE(offers_.try_pop()) << "not before the first has ended";
    has_result("7", {.success = false, .message = "canceled; nothing was changed", .cause = "canceled"});
    events_.push(ResultReady{"7", false});
    polled();
    const auto offer = offers_.try_pop();
    ASSERT_TRUE(offer);
    EXPECT_EQ(offer->deployment.id, "8");
}

TEST_F(OfferedTest, AnActionThatIsGoneIsGivenUpAndThatIsSaidOnce) {
    can_be_canceled_ = true;
    offers_nothing();
    starts("7");
    polled();
    EXPECT_FALSE(wanted_canceled_.try_pop()) << "one server of several may be behind for a moment";
    polls_again();
    EXPECT_EQ(wanted_canceled_.try_pop(), "7");
    polls_again();
    EXPECT_FALSE(wanted_canceled_.try_pop());
}

TEST_F(OfferedTest, TheActionThatIsOfferedIsNotGivenUp) {
    can_be_canceled_ = true;
    offers("7", hello());
    starts("7");
    polled();
    polls_again();
    EXPECT_FALSE(wanted_canceled_.try_pop());
}

TEST_F(OfferedTest, WhatMakesNoSenseIsRefusedAfterAWhile) {
    offers("7", hello());
    server_.now_answers("GET", kBase + "/deploymentBase/7", {200, "<html>"});
    starts();
    polled();
    for (int i = 0; i < 3; ++i) {
        EXPECT_FALSE(offers_.try_pop()) << "an error page of a proxy would go away";
        polls_again();
    }
    polls_again();
    const auto offer = offers_.try_pop();
    ASSERT_TRUE(offer && offer->refused);
    EXPECT_EQ(offer->deployment.id, "7");
}

TEST_F(OfferedTest, AServerThatDoesNotAnswerRefusesNothing) {
    offers("7", hello());
    server_.now_answers("GET", kBase + "/deploymentBase/7", {503, ""});
    starts();
    polled();
    for (int i = 0; i < 8; ++i)
        polls_again();
    EXPECT_FALSE(offers_.try_pop());
}

TEST_F(OfferedTest, AnActionThatNeedsAYesIsOfferedAsOneThatAsks) {
    asks("7", hello());
    starts();
    polled();
    const auto offer = offers_.try_pop();
    ASSERT_TRUE(offer);
    EXPECT_TRUE(offer->deployment.confirm);
    EXPECT_EQ(offer->deployment.parts.at(0).app, "hello");
}

TEST_F(OfferedTest, AYesGoesToTheServerAtOnce) {
    asks("7", hello());
    starts();
    polled();
    has_result("7", {.success = true, .message = "confirmed at the device: fine", .cause = "confirmed"});
    events_.push(ConfirmedHere{});
    events_.push(CheckNow{});
    polled();
    const auto sent = feedback("/confirmationBase/7/feedback");
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0], (Json{{"confirmation", "confirmed"}, {"details", {"confirmed at the device: fine"}}}));
}

TEST_F(OfferedTest, ProgressWaitsForTheYesWithoutWhichTheServerTakesNone) {
    asks("7", hello());
    server_.now_answers("POST", kBase + "/deploymentBase/7/feedback", {404, ""});
    starts();
    polled();
    events_.push(ProgressMessage{"7", "plan", true});
    polls_again();
    EXPECT_EQ(feedback("/deploymentBase/7/feedback").size(), 0U);
    has_result("7", {.success = true, .message = "confirmed at the device", .cause = "confirmed"});
    events_.push(ConfirmedHere{});
    polls_again();
    server_.now_answers("POST", kBase + "/deploymentBase/7/feedback", {200, ""});
    events_.push(ProgressMessage{"7", "fetching", false});
    polls_again();
    const auto sent = feedback("/deploymentBase/7/feedback");
    ASSERT_FALSE(sent.empty());
    EXPECT_EQ(sent.front()["status"]["details"].front(), "plan");
}

TEST_F(OfferedTest, AYesThatTheOperatorGaveIsNotSaidToTheServerAgain) {
    asks("7", hello());
    starts();
    polled();
    events_.push(ProgressMessage{"7", "waits for a yes", true});
    offers("7", hello());
    polls_again();
    EXPECT_TRUE(terms_.try_pop()) << "the engine learns that it is confirmed";
    has_result("7", {.success = true, .message = "confirmed at the server", .cause = "confirmed"});
    events_.push(ConfirmedHere{});
    polls_again();
    EXPECT_EQ(feedback("/confirmationBase/7/feedback").size(), 0U);
}

TEST_F(OfferedTest, ANoIsSaidOnceHoweverOftenTheServerAsks) {
    asks("7", hello());
    starts();
    polled();
    ASSERT_TRUE(offers_.try_pop());
    has_result("7", {.success = false, .message = "denied at the device: not today", .cause = "denied"});
    events_.push(ResultReady{"7", true});
    polled();
    polls_again();
    polls_again();
    EXPECT_FALSE(offers_.try_pop());
    const auto sent = feedback("/confirmationBase/7/feedback");
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0]["confirmation"], "denied");
}

TEST_F(OfferedTest, AnActionThatWasDeniedAndThenForcedByTheOperatorIsTaken) {
    asks("7", hello());
    starts();
    polled();
    ASSERT_TRUE(offers_.try_pop());
    has_result("7", {.success = false, .message = "denied at the device", .cause = "denied"});
    events_.push(ResultReady{"7", true});
    polled();
    offers("7", hello());
    polls_again();
    const auto offer = offers_.try_pop();
    ASSERT_TRUE(offer);
    EXPECT_FALSE(offer->deployment.confirm);
}

TEST_F(OfferedTest, ANoToASoftDeploymentIsItsResult) {
    offers_nothing();
    server_.now_answers("POST", kBase + "/deploymentBase/7/feedback", {200, ""});  // 404 to a confirmation
    has_result("7", {.success = false, .message = "denied at the device", .cause = "denied"});
    starts();
    polled();
    const auto sent = feedback("/deploymentBase/7/feedback");
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0]["status"]["result"]["finished"], "failure");
    EXPECT_THAT(sent[0]["status"]["details"].dump(), HasSubstr("cause=denied"));
}

}  // namespace
}  // namespace davit
