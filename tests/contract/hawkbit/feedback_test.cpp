// What a device's words do to an action of a real hawkBit: the outcomes, cancels, and the limits.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "../../unit/hawkbit/matchers.h"
#include "server.h"

namespace davit::test {
namespace {

using ddi::Execution;
using ddi::Feedback;
using ddi::Finished;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

Feedback proceeding(std::vector<std::string> details) {
    return {.details = std::move(details)};
}
Feedback closed(Finished finished, std::vector<std::string> details = {}) {
    return {.execution = Execution::Closed, .finished = finished, .details = std::move(details)};
}

class Reporting : public HawkbitContract {
protected:
    void SetUp() override {
        HawkbitContract::SetUp();
        if (!HasFatalFailure()) create_device();
    }
    mgmt::Action action(const Assignment& made) { return must(admin().action(device_id(), made.action)); }
    /// All messages of the action, newest first.
    std::vector<std::string> messages(const Assignment& made) {
        std::vector<std::string> all;
        for (const auto& status : must(admin().action_status(device_id(), made.action))) {
            all.insert(all.end(), status.messages.begin(), status.messages.end());
        }
        return all;
    }
};

TEST_F(Reporting, ProceedingKeepsTheActionOpen) {
    const auto made = assign("1.0");
    must(device().feedback(made.id(), proceeding({"downloading"})));
    EXPECT_TRUE(action(made).active);
    EXPECT_THAT(messages(made), Contains("downloading"));
    EXPECT_TRUE(must(device().poll()).deployment);
}

TEST_F(Reporting, SuccessFinishesTheAction) {
    const auto made = assign("1.0");
    must(device().feedback(made.id(), closed(Finished::Success, {"all apps run"})));
    EXPECT_FALSE(action(made).active);
    EXPECT_EQ(action(made).status, "finished");
    const auto target = must(admin().target(device_id()));
    EXPECT_EQ(target.update_status, "in_sync");
    ASSERT_TRUE(target.installed);
    EXPECT_EQ(target.installed->id, made.set.id);
    EXPECT_FALSE(must(device().poll()).deployment);
}

TEST_F(Reporting, FailureEndsTheActionWithItsReason) {
    const auto made = assign("1.0");
    must(device().feedback(
        made.id(), closed(Finished::Failure, {"hello 1.0: /health answered 500", "rolled back", "cause=app-failed"})));
    EXPECT_EQ(action(made).status, "error");
    EXPECT_THAT(messages(made), testing::IsSupersetOf({"hello 1.0: /health answered 500", "cause=app-failed"}));
    const auto target = must(admin().target(device_id()));
    EXPECT_EQ(target.update_status, "error");
    EXPECT_FALSE(target.installed);
}

TEST_F(Reporting, TheSameSetCanBeTriedAgainAfterAFailure) {
    const auto made = assign("1.0");
    must(device().feedback(made.id(), closed(Finished::Failure)));
    const auto again = must(admin().assign(made.set.id, device_id(), mgmt::AssignType::Forced));
    ASSERT_TRUE(again);
    EXPECT_NE(*again, made.action);
}

TEST_F(Reporting, AClosedActionIsGone) {
    const auto made = assign("1.0");
    must(device().feedback(made.id(), closed(Finished::Success)));
    EXPECT_THAT(device().feedback(made.id(), closed(Finished::Failure)), FailsWith(Code::Gone, HasSubstr("410")));
    EXPECT_EQ(action(made).status, "finished");
}

TEST_F(Reporting, AnUnknownActionIsNotFound) {
    EXPECT_THAT(device().feedback("999999990", closed(Finished::Success)),
                FailsWith(Code::NotFound, HasSubstr("999999990")));
}

TEST_F(Reporting, TextThatHawkbitWouldRefuseStillArrives) {
    const auto made = assign("1.0");
    std::vector<std::string> details(60, std::string(2000, 'x'));
    details.emplace_back("<html><b>bold</b> & \x01 \xff Gerät €</html>");
    details.emplace_back("cause=app-failed");
    must(device().feedback(made.id(), closed(Finished::Failure, details)));
    EXPECT_EQ(action(made).status, "error");
    EXPECT_THAT(messages(made), Contains("cause=app-failed"));
    EXPECT_THAT(messages(made), Contains(HasSubstr("Gerät €")));
}

TEST_F(Reporting, ACancelIsOfferedAndAccepted) {
    const auto made = assign("1.0");
    must(admin().cancel(device_id(), made.action));
    const auto poll = must(device().poll());
    EXPECT_FALSE(poll.deployment);
    ASSERT_TRUE(poll.cancel);
    EXPECT_EQ(must(device().cancel(*poll.cancel)), made.id());
    must(device().cancel_feedback(made.id(), closed(Finished::Success, {"stopped before switching"})));
    EXPECT_EQ(action(made).status, "canceled");
    EXPECT_FALSE(action(made).active);
    EXPECT_FALSE(must(device().poll()).cancel);
}

TEST_F(Reporting, ARefusedCancelLeavesTheActionOpen) {
    const auto made = assign("1.0");
    must(admin().cancel(device_id(), made.action));
    must(device().cancel_feedback(made.id(), {.execution = Execution::Rejected, .details = {"too late: switching"}}));
    EXPECT_TRUE(action(made).active);
    EXPECT_TRUE(must(device().poll()).deployment);
    must(device().feedback(made.id(), closed(Finished::Success)));
    EXPECT_EQ(action(made).status, "finished");
}

TEST_F(Reporting, AnOutcomeWinsOverACancel) {
    const auto made = assign("1.0");
    must(admin().cancel(device_id(), made.action));
    must(device().feedback(made.id(), closed(Finished::Success)));
    EXPECT_EQ(action(made).status, "finished");
}

TEST_F(Reporting, ThereIsNoCancelToAnswerWhileAnActionRuns) {
    const auto made = assign("1.0");
    EXPECT_THAT(device().cancel_feedback(made.id(), closed(Finished::Success)), Not(Succeeds()));
    EXPECT_TRUE(action(made).active);
}

TEST_F(Reporting, ANewerAssignmentCancelsTheOneBefore) {
    const auto first = assign("1.0");
    const auto second = assign("2.0");
    const auto poll = must(device().poll());
    ASSERT_TRUE(poll.cancel);
    EXPECT_EQ(must(device().cancel(*poll.cancel)), first.id());
    must(device().cancel_feedback(first.id(), closed(Finished::Success)));
    const auto next = must(device().poll());
    ASSERT_TRUE(next.deployment);
    EXPECT_EQ(must(device().deployment(*next.deployment)).id, second.id());
}

TEST_F(Reporting, TheQuotaOfMessagesEnds) {
    const auto made = assign("1.0");
    auto client = device();
    Result<void> sent;
    for (int i = 0; sent && i < 1100; ++i)
        sent = client.feedback(made.id(), proceeding({}));
    ASSERT_THAT(sent, FailsWith(Code::Quota, HasSubstr("feedback")));
    const auto outcome = client.feedback(made.id(), closed(Finished::Success, {"done"}));
    if (sent.error().message.contains("403")) {
        // Servers before 1.0 refuse the outcome too, so that the action can never end: a device must spend its words
        // with care.
        EXPECT_THAT(outcome, FailsWith(Code::Quota, HasSubstr("feedback")));
        EXPECT_TRUE(action(made).active);
    } else {
        EXPECT_THAT(outcome, Succeeds());
        EXPECT_EQ(action(made).status, "finished");
    }
}

}  // namespace
}  // namespace davit::test
