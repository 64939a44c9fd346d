#include "tests/unit/agent/link/link_fixture.h"

namespace davit {
namespace {

using test::Asked;
using test::Json;
using test::kBase;
using test::kCommit;
using test::LinkTest;
using testing::HasSubstr;

TEST_F(LinkTest, OffersADeploymentOnceWhileItIsUnderWay) {
    offers("7", hello());
    starts();
    polled();
    polls_again();
    const auto offer = offers_.try_pop();
    ASSERT_TRUE(offer);
    EXPECT_FALSE(offer->refused);
    EXPECT_EQ(offer->deployment.parts.at(0).commit, kCommit);
    EXPECT_FALSE(offers_.try_pop()) << "offered twice";
}

TEST_F(LinkTest, DoesNotOfferWhatTheWorkerResumes) {
    offers("7", hello());
    starts("7");
    polled();
    EXPECT_FALSE(offers_.try_pop());
}

TEST_F(LinkTest, HoldsNoConnectionThroughALongWait) {
    offers_nothing();
    starts();
    polled();
    EXPECT_TRUE(senders_gone_.pop_for(std::chrono::seconds(30), {}));
}

TEST_F(LinkTest, KeepsItsConnectionBetweenFrequentPolls) {
    server_.now_answers("GET", kBase, {200, poll_body(Json::object(), "00:00:30")});
    starts();
    polled();
    polls_again();
    EXPECT_FALSE(senders_gone_.try_pop());
}

TEST_F(LinkTest, OffersWhatCannotBeReadAsRefusedWithTheReason) {
    offers("8", {{{"part", "bApp"}, {"name", "hello"}, {"version", "2"}}});
    starts();
    polled();
    const auto offer = offers_.try_pop();
    ASSERT_TRUE(offer && offer->refused);
    EXPECT_THAT(offer->refused->message, HasSubstr("no metadata 'commit'"));
    EXPECT_EQ(offer->deployment.id, "8");
}

TEST_F(LinkTest, DeliversResultsBeforeItPollsAndOnlyOnce) {
    offers_nothing();
    server_.now_answers("POST", kBase + "/deploymentBase/9/feedback", {200, ""});
    has_result("9", {.success = false, .message = "app 'hello' 3 is unhealthy", .cause = "app-failed"});
    starts();
    polled();
    polls_again();
    const auto sent = feedback("/deploymentBase/9/feedback");
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0]["status"]["execution"], "closed");
    EXPECT_EQ(sent[0]["status"]["result"]["finished"], "failure");
    EXPECT_EQ(sent[0]["status"]["details"], (Json{"app 'hello' 3 is unhealthy", "cause=app-failed"}));
    EXPECT_EQ(server_.asked().front().method, "POST") << "the result goes first";
}

TEST_F(LinkTest, SaysThatADownloadOnlyDeploymentIsDownloaded) {
    offers_nothing();
    server_.now_answers("POST", kBase + "/deploymentBase/9/feedback", {200, ""});
    has_result("9", {.success = true, .message = "downloaded, to update hello 1 → 2", .cause = "downloaded"});
    starts();
    polled();
    const auto sent = feedback("/deploymentBase/9/feedback");
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0]["status"]["execution"], "downloaded");
    EXPECT_EQ(sent[0]["status"]["result"]["finished"], "none");
}

TEST_F(LinkTest, KeepsAResultUntilTheServerTakesIt) {
    offers_nothing();
    server_.answers("POST", kBase + "/deploymentBase/9/feedback", {503, ""});
    server_.answers("POST", kBase + "/deploymentBase/9/feedback", {200, ""});
    has_result("9", {.success = true, .message = "done", .cause = ""});
    starts();
    polled();
    EXPECT_EQ(feedback("/deploymentBase/9/feedback").size(), 1U);
    polls_again();
    EXPECT_EQ(feedback("/deploymentBase/9/feedback").size(), 2U);
    polls_again();
    EXPECT_EQ(feedback("/deploymentBase/9/feedback").size(), 2U);
}

TEST_F(LinkTest, ADeploymentThatIsResumedSendsItsResultOnly) {
    offers_nothing();
    server_.now_answers("POST", kBase + "/deploymentBase/7/feedback", {200, ""});
    starts("7");
    polled();
    events_.push(ProgressMessage{"7", "step", false});
    has_result("7", {.success = true, .message = "done", .cause = ""});
    events_.push(ResultReady{"7", false});
    polled();
    const auto sent = feedback("/deploymentBase/7/feedback");
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0]["status"]["execution"], "closed");
}

TEST_F(LinkTest, AResultThatTheServerForbidsDoesNotHoldUpTheNextDeploymentForEver) {
    offers("10", hello());
    server_.now_answers("POST", kBase + "/deploymentBase/9/feedback", {403, ""});
    has_result("9", {.success = true, .message = "done", .cause = ""});
    starts();
    polled();
    EXPECT_FALSE(offers_.try_pop()) << "results first";
    for (int i = 0; i < 12; ++i)
        polls_again();
    EXPECT_EQ(feedback("/deploymentBase/9/feedback").size(), 10U);
    EXPECT_TRUE(offers_.try_pop());
}

TEST_F(LinkTest, ForgetsAResultThatTheServerWillNeverTake) {
    offers_nothing();
    server_.now_answers("POST", kBase + "/deploymentBase/9/feedback", {410, ""});
    has_result("9", {.success = true, .message = "done", .cause = ""});
    starts();
    polled();
    polls_again();
    EXPECT_EQ(feedback("/deploymentBase/9/feedback").size(), 1U);
}

TEST_F(LinkTest, TakesNoNewDeploymentWhileAResultWaits) {
    offers("10", hello());
    server_.now_answers("POST", kBase + "/deploymentBase/9/feedback", {503, ""});
    has_result("9", {.success = true, .message = "done", .cause = ""});
    starts();
    polled();
    EXPECT_FALSE(offers_.try_pop()) << "the server would hear of 10 before it knows how 9 ended";
}

TEST_F(LinkTest, TakesTheNextDeploymentAfterTheResult) {
    offers("7", hello());
    starts();
    polled();
    ASSERT_TRUE(offers_.try_pop());
    offers("11", hello());
    has_result("7", {.success = true, .message = "done", .cause = ""});
    events_.push(ResultReady{"7", false});
    polled();
    const auto next = offers_.try_pop();
    ASSERT_TRUE(next);
    EXPECT_EQ(next->deployment.id, "11");
}

TEST_F(LinkTest, AServerThatOffersADeploymentAgainAfterItsResultIsNotAskedInACircle) {
    offers("7", hello());
    server_.now_answers("POST", kBase + "/deploymentBase/7/feedback", {410, ""});
    starts();
    polled();
    ASSERT_TRUE(offers_.try_pop());
    has_result("7", {.success = true, .message = "done", .cause = ""});
    events_.push(ResultReady{"7", false});
    polled();  // the next deployment may be waiting; it is the same one
    ASSERT_TRUE(offers_.try_pop());
    has_result("7", {.success = true, .message = "done", .cause = ""});
    events_.push(ResultReady{"7", false});
    while (feedback("/deploymentBase/7/feedback").size() < 2)
        std::this_thread::yield();
    polls_again();  // of its own: what the second result caused came before it
    EXPECT_FALSE(statuses_.try_pop());
    const auto asked = server_.asked();
    EXPECT_EQ(std::ranges::count_if(asked, [](const Asked& a) { return a.method == "GET" && a.target == kBase; }), 3);
}

TEST_F(LinkTest, ADeploymentThatCanBeStoppedAnswersItsCancelWithItsEnd) {
    cancels("7");
    can_be_canceled_ = true;
    starts("7");
    polled();
    EXPECT_EQ(wanted_canceled_.try_pop(), "7");
    EXPECT_TRUE(feedback("/cancelAction/7/feedback").empty()) << "answered before it was stopped";

    offers_nothing();
    has_result("7", {.success = false, .message = "canceled; nothing was changed", .cause = "canceled"});
    events_.push(ResultReady{"7", false});
    polled();
    const auto sent = feedback("/cancelAction/7/feedback");
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0]["status"]["execution"], "closed");
    EXPECT_EQ(sent[0]["status"]["result"]["finished"], "success");
    EXPECT_EQ(sent[0]["status"]["details"].at(0), "canceled; nothing was changed");
    EXPECT_TRUE(feedback("/deploymentBase/7/feedback").empty());
}

TEST_F(LinkTest, ACanceledDeploymentThatTheServerWantsAfterAllIsTakenAgain) {
    offers("7", hello());
    server_.now_answers("POST", kBase + "/cancelAction/7/feedback", {405, ""});
    has_result("7", {.success = false, .message = "canceled; nothing was changed", .cause = "canceled"});
    starts();
    polled();
    EXPECT_TRUE(feedback("/deploymentBase/7/feedback").empty()) << "it has not failed";
    EXPECT_TRUE(offers_.try_pop());
}

TEST_F(LinkTest, RefusesToCancelWhatCannotBeStoppedAnyMoreAndSaysItOnce) {
    cancels("7");
    starts("7");
    polled();
    polls_again();
    const auto sent = feedback("/cancelAction/7/feedback");
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0]["status"]["execution"], "rejected");
}

TEST_F(LinkTest, AgreesToCancelWhatNeverBegan) {
    cancels("6");
    starts();
    polled();
    const auto sent = feedback("/cancelAction/6/feedback");
    ASSERT_FALSE(sent.empty());
    EXPECT_EQ(sent[0]["status"]["execution"], "closed");
    EXPECT_EQ(sent[0]["status"]["result"]["finished"], "success");
}

TEST_F(LinkTest, SendsWhatHappenedTogetherBeforeTheResult) {
    offers("7", hello());
    starts();
    polled();
    events_.push(ProgressMessage{"7", "plan", false});
    events_.push(ProgressMessage{"7", "fetching", false});
    events_.push(ProgressMessage{"1", "of another one", false});
    has_result("7", {.success = true, .message = "done", .cause = ""});
    events_.push(ResultReady{"7", false});
    polled();
    const auto sent = feedback("/deploymentBase/7/feedback");
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(sent[0]["status"]["execution"], "proceeding");
    EXPECT_EQ(sent[0]["status"]["details"], (Json{"plan", "fetching"}));
    EXPECT_EQ(sent[1]["status"]["execution"], "closed");
}

TEST_F(LinkTest, SaysNothingMoreOfADeploymentAfterItsResult) {
    offers("7", hello());
    starts();
    polled();
    has_result("7", {.success = true, .message = "done", .cause = ""});
    events_.push(ResultReady{"7", false});
    polled();
    // It is offered again, as a restored server does; news of the same deployment bring no poll of their own.
    events_.push(ProgressMessage{"7", "plan", false});
    has_result("7", {.success = true, .message = "done", .cause = ""});
    events_.push(ResultReady{"7", false});
    const auto sent = [this] { return feedback("/deploymentBase/7/feedback"); };
    for (const auto end = system_clock().now() + std::chrono::seconds(30);
         sent().size() < 3 && system_clock().now() < end;)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ASSERT_EQ(sent().size(), 3U);
    EXPECT_EQ(sent()[1]["status"]["details"], Json{"plan"});
    EXPECT_EQ(sent()[2]["status"]["execution"], "closed");
}

TEST_F(LinkTest, AServerWithoutAPlaceForAttributesIsNotAskedAgain) {
    offers_nothing();
    server_.now_answers("PUT", kBase + "/configData", {404, ""});
    events_.push(Attributes{{{"app.hello", "1"}}});
    starts();
    polled();
    polls_again();
    polls_again();
    const auto asked = server_.asked();
    EXPECT_EQ(std::ranges::count(asked, "PUT", &Asked::method), 1);
}

TEST_F(LinkTest, SendsProgressWithoutAPollToo) {
    offers("7", hello());
    starts();
    polled();
    events_.push(ProgressMessage{"7", "fetching", false});
    const auto sent = [this] { return feedback("/deploymentBase/7/feedback").size(); };
    for (const auto end = system_clock().now() + std::chrono::seconds(30); sent() == 0 && system_clock().now() < end;)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(sent(), 1U);
}

TEST_F(LinkTest, RestsWhenItCannotSayWhatHappened) {
    offers("7", hello());
    starts();
    polled();
    ASSERT_TRUE(senders_gone_.pop_for(std::chrono::seconds(30), {}));
    std::filesystem::remove(directory_ / "token");
    events_.push(ProgressMessage{"7", "fetching", false});
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));  // longer than messages are gathered
    const int before = clock_.looks;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    EXPECT_LT(clock_.looks - before, 20);
}

TEST_F(LinkTest, SendsNeverMoreProgressThanTheQuotaAllows) {
    offers("7", hello());
    starts();
    polled();
    for (int i = 0; i < 20; ++i) {
        events_.push(ProgressMessage{"7", "step " + std::to_string(i), false});
        polls_again();
    }
    EXPECT_EQ(feedback("/deploymentBase/7/feedback").size(), 15U);
}

TEST_F(LinkTest, SendsAttributesWhenTheyChangeOrTheServerAsks) {
    offers_nothing();
    server_.now_answers("PUT", kBase + "/configData", {200, ""});
    const auto puts = [this] {
        const auto asked = server_.asked();
        return std::ranges::count(asked, "PUT", &Asked::method);
    };
    events_.push(Attributes{{{"app.hello", "1"}}});
    starts();
    polled();
    polls_again();
    polls_again();
    EXPECT_EQ(puts(), 1) << "once, since nothing changed";
    events_.push(Attributes{{{"app.hello", "2"}}});
    polls_again();
    EXPECT_EQ(puts(), 2);
    server_.now_answers("GET", kBase,
                        {200, poll_body({{"configData", {{"href", server_.url() + kBase + "/configData"}}}})});
    polls_again();
    EXPECT_EQ(puts(), 3);
}

TEST_F(LinkTest, SaysWhyTheServerIsNotReachedAndPollsOn) {
    server_.now_answers("GET", kBase, {401, ""});
    starts();
    const auto refused = polled();
    EXPECT_FALSE(refused.reached);
    EXPECT_THAT(refused.error, HasSubstr("token"));
    EXPECT_EQ(refused.last_contact_ms, 0);
    EXPECT_TRUE(file::write_atomically(directory_ / "token", "better\n"));
    offers_nothing();
    events_.push(CheckNow{});
    EXPECT_TRUE(polled().reached) << "the token is read again after a refusal";
    EXPECT_THAT(server_.last().headers.at("authorization"), "TargetToken better");
}

TEST_F(LinkTest, SurvivesAnswersThatAreNoJson) {
    server_.now_answers("GET", kBase, {200, "<html>Welcome to the hotel</html>"});
    starts();
    EXPECT_FALSE(polled().reached);
    offers_nothing();
    EXPECT_TRUE(polls_again().reached);
}

}  // namespace
}  // namespace davit
