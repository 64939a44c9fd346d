#pragma once
/// A link with a scripted hawkBit. Waiting is done on queues, never by time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "agent/link/link.h"
#include "common/http_client.h"
#include "tests/unit/hawkbit/scripted_server.h"

namespace davit::test {

using Json = nlohmann::json;

inline const std::string kBase = "/DEFAULT/controller/v1/dev1";
inline const std::string kCommit(64, 'c');

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
                                  },
                              .terms = [this](const std::string& id, Terms terms) { terms_.push({id, terms}); }};
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
    /// An action that needs a yes first.
    void asks(const std::string& id, const Json& chunks) {
        server_.now_answers(
            "GET", kBase,
            {200, poll_body(
                      {{"confirmationBase", {{"href", server_.url() + kBase + "/confirmationBase/" + id + "?c=1"}}}})});
        const Json body = {{"id", id},
                           {"confirmation", {{"download", "forced"}, {"update", "forced"}, {"chunks", chunks}}}};
        server_.now_answers("GET", kBase + "/confirmationBase/" + id, {200, body.dump()});
        server_.now_answers("POST", kBase + "/confirmationBase/" + id + "/feedback", {200, ""});
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
    Queue<std::pair<std::string, Terms>> terms_;
    std::atomic<bool> can_be_canceled_ = false;
    std::unique_ptr<Link> link_;
    std::jthread thread_;
};

}  // namespace davit::test
