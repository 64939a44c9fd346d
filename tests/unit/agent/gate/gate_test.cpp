#include "agent/gate/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/agent/engine/fake_clock.h"
#include "tests/unit/common/support.h"

namespace davit {
namespace {

using namespace std::chrono_literals;
using test::FailsWith;
using test::Works;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using Step = Permission::Step;
using Word = Permission::Answer::Word;

constexpr Terms kSoft{.download = When::WhenAllowed, .update = When::WhenAllowed};

class GateTest : public testing::Test {
protected:
    Gate& gate() {
        if (!gate_) gate_.emplace(rules, clock);
        return *gate_;
    }
    static Deployment deployment(Terms terms = {}) { return {.id = "7", .parts = {}, .terms = terms}; }
    Permission::Answer ask(Step step, Terms terms = {}, bool confirmed = false) {
        return gate().ask(deployment(terms), step, confirmed);
    }
    std::uint64_t inhibits(bool strong = false, Milliseconds left = 1h) {
        return gate().inhibit({.who = "backup", .why = "nightly", .strong = strong, .until = clock.now() + left});
    }

    Config::Rules rules;
    test::FakeClock clock;
    std::optional<Gate> gate_;
};

TEST_F(GateTest, WhatTheServerForcesIsDoneAtOnce) {
    EXPECT_EQ(ask(Step::Download).word, Word::Yes);
    EXPECT_EQ(ask(Step::Switch).word, Word::Yes);
}

TEST_F(GateTest, NobodyMindsASoftDeploymentUnlessSomebodySaysSo) {
    EXPECT_EQ(ask(Step::Download, kSoft).word, Word::Yes);
    EXPECT_EQ(ask(Step::Switch, kSoft).word, Word::Yes);
}

TEST_F(GateTest, TheServersNotYetHoldsUntilItSaysOtherwise) {
    const Terms not_yet{.download = When::NotYet, .update = When::NotYet};
    EXPECT_EQ(ask(Step::Download, not_yet).word, Word::Wait);
    EXPECT_THAT(ask(Step::Switch, not_yet).reason, HasSubstr("maintenance window"));
    gate().terms("7", {});
    EXPECT_EQ(ask(Step::Download, not_yet).word, Word::Yes);
    EXPECT_EQ(ask(Step::Switch, not_yet).word, Word::Yes);
}

TEST_F(GateTest, TheTermsOfAnotherDeploymentAreNotOurs) {
    gate().terms("6", {.download = When::NotYet, .update = When::NotYet});
    EXPECT_EQ(ask(Step::Switch).word, Word::Yes);
}

TEST_F(GateTest, AnInhibitorHoldsOffTheSwitchOfASoftDeploymentAndSaysWhoAndWhy) {
    inhibits();
    EXPECT_EQ(ask(Step::Download, kSoft).word, Word::Yes) << "a download hurts nobody";
    const auto answer = ask(Step::Switch, kSoft);
    EXPECT_EQ(answer.word, Word::Wait);
    EXPECT_EQ(answer.reason, "held off by backup: nightly");
}

TEST_F(GateTest, ForcedGoesOverAnInhibitorThatIsNotStrong) {
    inhibits();
    EXPECT_EQ(ask(Step::Switch).word, Word::Yes);
    inhibits(true);
    EXPECT_EQ(ask(Step::Switch).word, Word::Wait);
}

TEST_F(GateTest, AnInhibitorIsOverWhenItIsReleased) {
    const auto first = inhibits(), second = inhibits();
    EXPECT_TRUE(gate().release(first));
    EXPECT_FALSE(gate().release(first));
    EXPECT_EQ(ask(Step::Switch, kSoft).word, Word::Wait);
    EXPECT_TRUE(gate().release(second));
    EXPECT_EQ(ask(Step::Switch, kSoft).word, Word::Yes);
}

TEST_F(GateTest, AnInhibitorIsOverWhenItsTimeIs) {
    inhibits(true, 10min);
    inhibits(true, 5min);
    EXPECT_EQ(ask(Step::Switch).look_again, 5min) << "the first of them that may change the answer";
    clock.passes(6min);
    EXPECT_THAT(gate().inhibitors(), SizeIs(1));
    clock.passes(5min);
    EXPECT_EQ(ask(Step::Switch).word, Word::Yes);
    EXPECT_THAT(gate().inhibitors(), IsEmpty());
}

TEST_F(GateTest, AsksPeopleWhereTheServerWantsTheirYes) {
    const auto answer = ask(Step::Begin);
    EXPECT_EQ(answer.word, Word::Wait);
    EXPECT_THAT(answer.reason, HasSubstr("davitctl confirm 7"));
    EXPECT_EQ(gate().asking(), "7");
    EXPECT_THAT(gate().answer("7", true, "fine"), Works());
    EXPECT_EQ(gate().asking(), "");
    EXPECT_EQ(ask(Step::Begin).reason, "confirmed at the device: fine");
}

TEST_F(GateTest, ANoHasAReason) {
    ask(Step::Begin);
    EXPECT_THAT(gate().answer("7", false, "not during the fair"), Works());
    const auto answer = ask(Step::Begin);
    EXPECT_EQ(answer.word, Word::No);
    EXPECT_EQ(answer.reason, "denied at the device: not during the fair");
}

TEST_F(GateTest, TakesNoAnswerToWhatWasNotAsked) {
    EXPECT_THAT(gate().answer("7", true, ""), FailsWith(Code::NotFound, HasSubstr("no deployment waits")));
    ask(Step::Begin);
    EXPECT_THAT(gate().answer("8", true, ""), FailsWith(Code::NotFound, HasSubstr("deployment 7 does")));
    EXPECT_THAT(gate().answer("7", true, ""), Works());
    EXPECT_THAT(gate().answer("7", false, ""), FailsWith(Code::NotFound, HasSubstr("no deployment waits")));
}

TEST_F(GateTest, ConfirmsByItselfWhereItIsConfiguredTo) {
    rules.confirm_by_itself = true;
    EXPECT_EQ(ask(Step::Begin).word, Word::Yes);
}

TEST_F(GateTest, TheOperatorsYesAtTheServerCountsForADeviceThatStillAsks) {
    EXPECT_EQ(ask(Step::Begin).word, Word::Wait);
    gate().terms("7", {});  // the server hands them out only for what needs no yes (any more)
    EXPECT_EQ(ask(Step::Begin).reason, "confirmed at the server");
}

TEST_F(GateTest, WhatWasSaidAboutAnEarlierDeploymentOfTheSameIdIsNoMore) {
    ask(Step::Begin);
    EXPECT_THAT(gate().answer("7", true, ""), Works());
    gate().terms("7", {.download = When::NotYet, .update = When::NotYet});
    gate().offered("7");
    EXPECT_EQ(ask(Step::Begin).word, Word::Wait);
    EXPECT_EQ(ask(Step::Switch).word, Word::Yes);
}

TEST_F(GateTest, ASoftDeploymentCanNeedTheYesOfAPerson) {
    rules.soft_update.ask = true;
    EXPECT_EQ(ask(Step::Download, kSoft).word, Word::Yes);
    EXPECT_EQ(ask(Step::Switch, kSoft).word, Word::Wait);
    EXPECT_EQ(ask(Step::Switch, kSoft, true).word, Word::Yes) << "it was confirmed already";
    EXPECT_EQ(ask(Step::Switch).word, Word::Yes) << "forced";
}

TEST_F(GateTest, ASoftDeploymentCanNeedItsHours) {
    const auto now = static_cast<std::time_t>(clock.wall_ms() / 1000);
    std::tm local{};
    ::localtime_r(&now, &local);
    const int minute = local.tm_hour * 60 + local.tm_min;
    rules.soft_update.hours = {.from = (minute + 5) % 1440, .to = (minute + 60) % 1440};
    const auto answer = ask(Step::Switch, kSoft);
    EXPECT_EQ(answer.word, Word::Wait);
    EXPECT_EQ(answer.look_again, 5min);
    clock.passes(5min);
    EXPECT_EQ(ask(Step::Switch, kSoft).word, Word::Yes);
}

TEST_F(GateTest, AWaitEndsWithWhatChangesTheAnswer) {
    const auto id = inhibits(true);
    const auto answer = ask(Step::Switch);
    std::jthread other([&] { gate().release(id); });
    gate().wait(answer, {});
    EXPECT_EQ(ask(Step::Switch).word, Word::Yes);
}

TEST_F(GateTest, WhatWasSaidBetweenQuestionAndWaitIsNotMissed) {
    ask(Step::Begin);
    const auto answer = ask(Step::Begin);
    EXPECT_THAT(gate().answer("7", true, ""), Works());
    gate().wait(answer, {});
    EXPECT_EQ(ask(Step::Begin).word, Word::Yes);
}

TEST_F(GateTest, AWaitEndsWhenTheDeploymentIsGivenUpAndThenNobodyIsAskedAnyMore) {
    const auto answer = ask(Step::Begin);
    std::stop_source stop;
    std::jthread other([&] { stop.request_stop(); });
    gate().wait(answer, stop.get_token());
    EXPECT_EQ(gate().asking(), "");
}

}  // namespace
}  // namespace davit
