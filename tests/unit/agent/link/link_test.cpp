#include "agent/link/link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/http_client.h"
#include "tests/unit/hawkbit/scripted_server.h"

namespace davit {
namespace {

using test::Answer;
using test::Asked;
using test::ScriptedServer;
using testing::HasSubstr;
using Json = nlohmann::json;

const std::string kBase = "/DEFAULT/controller/v1/dev1";
const std::string kCommit(64, 'c');

/// Counts who looks at it: a link that turns in circles does it all the time.
class CountingClock : public Clock {
public:
    [[nodiscard]] MonotonicTime now() const override {
        ++looks;
        return system_clock().now();
    }
    [[nodiscard]] std::int64_t wall_ms() const override { return system_clock().wall_ms(); }
    bool sleep(Milliseconds duration, std::stop_token stop) override {
        return system_clock().sleep(duration, std::move(stop));
    }
    mutable std::atomic<int> looks = 0;
};

/// Tells when it is no longer needed.
class ReportedSender : public http::Client {
public:
    ReportedSender(http::Options options, Queue<int>& gone) : Client(std::move(options)), gone_(gone) {}
    ~ReportedSender() override { gone_.push(1); }

private:
    Queue<int>& gone_;
};

/// A link with a scripted hawkBit. Waiting is done on queues, never by time.
class LinkTest : public testing::Test {
protected:
    LinkTest() {
        directory_ = Path(testing::TempDir()) / ("link-" + std::to_string(getpid()));
        std::filesystem::remove_all(directory_);
        EXPECT_TRUE(file::make_directories(directory_));
        EXPECT_TRUE(file::write_atomically(directory_ / "token", "secret\n"));
        journal_.emplace(Journal::open(directory_ / "state.db").value());
    }
    ~LinkTest() override {
        stop();
        std::filesystem::remove_all(directory_);
    }

    void starts(std::optional<std::string> under_way = {}) {
        Config::Hawkbit config{
            .url = server_.url(), .controller_id = "dev1", .target_token_file = directory_ / "token"};
        Link::Outputs outputs{.offer = [this](Offer offer) { offers_.push(std::move(offer)); },
                              .status = [this](ServerStatus status) { statuses_.push(std::move(status)); },
                              .cancel =
                                  [this](const std::string& id) {
                                      wanted_canceled_.push(id);
                                      return can_be_canceled_.load();
                                  }};
        const auto senders = [this](http::Options options) {
            return std::make_unique<ReportedSender>(std::move(options), senders_gone_);
        };
        link_ = std::make_unique<Link>(config, Outbox::open(directory_ / "state.db").value(), events_, outputs, senders,
                                       clock_, std::move(under_way));
        thread_ = std::jthread([this](std::stop_token stop) { link_->run(stop); });
    }
    void stop() {
        if (!thread_.joinable()) return;
        thread_.request_stop();
        thread_.join();
    }

    /// Waits for the end of the next poll.
    ServerStatus polled() {
        const auto status = statuses_.pop_for(std::chrono::seconds(30), {});
        if (!status) ADD_FAILURE() << "no poll ended";
        return status.value_or(ServerStatus{});
    }
    ServerStatus polls_again() {
        events_.push(CheckNow{});
        return polled();
    }

    void offers_nothing() { server_.now_answers("GET", kBase, {200, poll_body(Json::object())}); }
    void offers(const std::string& id, const Json& chunks) {
        server_.now_answers(
            "GET", kBase,
            {200,
             poll_body({{"deploymentBase", {{"href", server_.url() + kBase + "/deploymentBase/" + id + "?c=-5"}}}})});
        const Json body = {{"id", id},
                           {"deployment", {{"download", "forced"}, {"update", "forced"}, {"chunks", chunks}}}};
        server_.now_answers("GET", kBase + "/deploymentBase/" + id, {200, body.dump()});
        server_.now_answers("POST", kBase + "/deploymentBase/" + id + "/feedback", {200, ""});
    }
    void cancels(const std::string& id) {
        server_.now_answers(
            "GET", kBase,
            {200, poll_body({{"cancelAction", {{"href", server_.url() + kBase + "/cancelAction/" + id}}}})});
        server_.now_answers("GET", kBase + "/cancelAction/" + id,
                            {200, Json{{"id", id}, {"cancelAction", {{"stopId", id}}}}.dump()});
        server_.now_answers("POST", kBase + "/cancelAction/" + id + "/feedback", {200, ""});
    }
    static std::string poll_body(const Json& links, const std::string& interval = "01:00:00") {
        return Json{{"config", {{"polling", {{"sleep", interval}}}}}, {"_links", links}}.dump();
    }
    static Json hello() {
        return {{{"part", "bApp"},
                 {"name", "hello"},
                 {"version", "2"},
                 {"metadata", {{{"key", "commit"}, {"value", kCommit}}}}}};
    }

    std::vector<Json> feedback(const std::string& path) const {
        std::vector<Json> bodies;
        for (const auto& asked : server_.asked()) {
            if (asked.method == "POST" && asked.target == kBase + path) bodies.push_back(Json::parse(asked.body));
        }
        return bodies;
    }
    void has_result(const std::string& id, const Outcome& outcome) {
        ASSERT_TRUE(journal_->refuse({.id = id, .parts = {}}, outcome, 1'000));
    }

    Path directory_;
    ScriptedServer server_;
    std::optional<Journal> journal_;
    Queue<LinkEvent> events_;
    Queue<Offer> offers_;
    Queue<ServerStatus> statuses_;
    Queue<int> senders_gone_;
    CountingClock clock_;
    Queue<std::string> wanted_canceled_;
    std::atomic<bool> can_be_canceled_ = false;
    std::unique_ptr<Link> link_;
    std::jthread thread_;
};

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
    events_.push(ProgressMessage{"7", "step"});
    has_result("7", {.success = true, .message = "done", .cause = ""});
    events_.push(ResultReady{"7"});
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
    events_.push(ResultReady{"7"});
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
    events_.push(ResultReady{"7"});
    polled();  // the next deployment may be waiting; it is the same one
    ASSERT_TRUE(offers_.try_pop());
    has_result("7", {.success = true, .message = "done", .cause = ""});
    events_.push(ResultReady{"7"});
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
    events_.push(ResultReady{"7"});
    polled();
    const auto sent = feedback("/cancelAction/7/feedback");
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0]["status"]["execution"], "closed");
    EXPECT_EQ(sent[0]["status"]["result"]["finished"], "success");
    EXPECT_EQ(sent[0]["status"]["details"].at(0), "canceled; nothing was changed");
    EXPECT_TRUE(feedback("/deploymentBase/7/feedback").empty());
}

TEST_F(LinkTest, ACanceledDeploymentOfWhichTheServerHasForgottenTheCancelIsAFailureToIt) {
    offers_nothing();
    server_.now_answers("POST", kBase + "/cancelAction/7/feedback", {405, ""});
    server_.now_answers("POST", kBase + "/deploymentBase/7/feedback", {200, ""});
    has_result("7", {.success = false, .message = "canceled; nothing was changed", .cause = "canceled"});
    starts();
    polled();
    const auto sent = feedback("/deploymentBase/7/feedback");
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0]["status"]["result"]["finished"], "failure");
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
    events_.push(ProgressMessage{"7", "plan"});
    events_.push(ProgressMessage{"7", "fetching"});
    events_.push(ProgressMessage{"1", "of another one"});
    has_result("7", {.success = true, .message = "done", .cause = ""});
    events_.push(ResultReady{"7"});
    polled();
    const auto sent = feedback("/deploymentBase/7/feedback");
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(sent[0]["status"]["execution"], "proceeding");
    EXPECT_EQ(sent[0]["status"]["details"], (Json{"plan", "fetching"}));
    EXPECT_EQ(sent[1]["status"]["execution"], "closed");
}

TEST_F(LinkTest, SendsProgressWithoutAPollToo) {
    offers("7", hello());
    starts();
    polled();
    events_.push(ProgressMessage{"7", "fetching"});
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
    events_.push(ProgressMessage{"7", "fetching"});
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
        events_.push(ProgressMessage{"7", "step " + std::to_string(i)});
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

TEST_F(LinkTest, WaitsForAClosedMaintenanceWindow) {
    offers("7", hello());
    const Json body = {
        {"id", "7"},
        {"deployment",
         {{"download", "forced"}, {"update", "skip"}, {"maintenanceWindow", "unavailable"}, {"chunks", hello()}}}};
    server_.now_answers("GET", kBase + "/deploymentBase/7", {200, body.dump()});
    starts();
    polled();
    EXPECT_TRUE(feedback("/deploymentBase/7/feedback").empty());
}

}  // namespace
}  // namespace davit
