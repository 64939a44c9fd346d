// Not before somebody says so: confirmation, soft deployments, maintenance windows, inhibitors, all of which are one
// question to the engine.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/agent/engine/world.h"

namespace davit {
namespace {

using test::app;
using test::EngineTest;
using test::Failed;
using test::FailsWith;
using test::Succeeded;
using test::Works;
using testing::_;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Answer = Permission::Answer;
using Asked = Permission::Step;
using Word = Answer::Word;

class WaitingTest : public EngineTest {
protected:
    WaitingTest() { device.has({app("hello", "1")}); }

    /// @p word to @p step after so many waits; yes to all else.
    void says(Asked step, Word word, int after_waits = 2) {
        device.says = [this, step, word, after_waits](Asked asked, bool) -> Answer {
            if (asked != step) return {.reason = "yes"};
            if (device.waits() < after_waits) return {.word = Word::Wait, .reason = "waits for the night"};
            return {.word = word, .reason = word == Word::No ? "denied at the device: not today" : "yes"};
        };
    }
    Deployment update(bool confirm = false) {
        return {.id = "7", .parts = {device.publishes(app("hello", "2"))}, .confirm = confirm};
    }
    Outcome outcome() { return journal().find("7").value().value().outcome; }
};

TEST_F(WaitingTest, ASwitchThatIsNotAllowedYetHasEverythingReady) {
    says(Asked::Switch, Word::Yes);

    ASSERT_THAT(try_to_deploy(update()), Works());

    EXPECT_EQ(device.waits(), 2);
    EXPECT_THAT(device.told(), Contains("waiting-to-switch: waits for the night").Times(1));
    EXPECT_THAT(outcome(), Succeeded("updated hello 1 → 2"));
}

TEST_F(WaitingTest, NothingIsFetchedBeforeItMay) {
    device.says = [this](Asked step, bool) -> Answer {
        if (step != Asked::Download || device.waits() == 3) return {};
        EXPECT_THAT(device.did(), IsEmpty());
        return {.word = Word::Wait, .reason = "waits for cheap hours"};
    };

    ASSERT_THAT(try_to_deploy(update()), Works());

    EXPECT_EQ(device.waits(), 3);
    EXPECT_THAT(device.told(), Contains("waiting-to-download: waits for cheap hours").Times(1));
    EXPECT_THAT(outcome(), Succeeded(_));
}

TEST_F(WaitingTest, NewsAboutTheReasonAreTold) {
    device.says = [this](Asked step, bool) -> Answer {
        if (step != Asked::Switch || device.waits() == 4) return {};
        return {.word = Word::Wait, .reason = device.waits() < 2 ? "one" : "two"};
    };
    ASSERT_THAT(try_to_deploy(update()), Works());
    EXPECT_THAT(device.told(), Contains("waiting-to-switch: one").Times(1));
    EXPECT_THAT(device.told(), Contains("waiting-to-switch: two").Times(1));
}

class Denied : public WaitingTest, public testing::WithParamInterface<Asked> {};

TEST_P(Denied, ChangesNothingAndSaysWhy) {
    says(GetParam(), Word::No);

    ASSERT_THAT(try_to_deploy(update(GetParam() == Asked::Begin)), Works());

    EXPECT_THAT(outcome(), Failed("denied", "denied at the device: not today"));
    EXPECT_THAT(device.running(), ElementsAre("hello 1"));
    EXPECT_THAT(device.did(), Not(Contains(HasSubstr("start"))));
    EXPECT_THAT(current(), ElementsAre("hello 1"));
    EXPECT_THAT(deliver(), ElementsAre("7"));
}

INSTANTIATE_TEST_SUITE_P(Steps, Denied, testing::Values(Asked::Begin, Asked::Download, Asked::Switch));

class CanceledWhileItWaits : public WaitingTest, public testing::WithParamInterface<Asked> {};

TEST_P(CanceledWhileItWaits, ChangesNothing) {
    device.says = [this](Asked step, bool) -> Answer {
        if (step != GetParam()) return {};
        if (device.waits() == 1) {
            EXPECT_TRUE(cancellation.request("7"));
        }
        return {.word = Word::Wait, .reason = "waits"};
    };
    ASSERT_THAT(try_to_deploy(update(GetParam() == Asked::Begin)), Works());
    EXPECT_THAT(outcome(), Failed("canceled", _));
    EXPECT_THAT(device.running(), ElementsAre("hello 1"));
}

INSTANTIATE_TEST_SUITE_P(Steps, CanceledWhileItWaits, testing::Values(Asked::Begin, Asked::Download, Asked::Switch));

TEST_F(WaitingTest, ARestartWaitsOnAndIsNoReasonToGiveUpHoweverOften) {
    std::stop_source stop;
    says(Asked::Switch, Word::Yes, 1'000);
    device.after_call = [&] {
        if (device.waits() > 0) stop.request_stop();
    };
    EXPECT_THAT(try_to_deploy(update(), stop.get_token()), FailsWith(Code::Canceled, _));
    device.after_call = {};
    const auto waits = device.waits();
    for (int i = 0; i < 30; ++i) {
        std::stop_source again;
        device.after_call = [&] {
            if (device.waits() > waits + i) again.request_stop();
        };
        EXPECT_THAT(resume(again.get_token()), FailsWith(Code::Canceled, _));
    }
    device.after_call = {};
    says(Asked::Switch, Word::Yes, 0);
    device.forget_what_it_did();

    ASSERT_THAT(resume(), Works());
    EXPECT_THAT(outcome(), Succeeded("updated hello 1 → 2"));
    EXPECT_THAT(device.did(), Not(Contains(HasSubstr("pull"))));
}

class WaitingUnreadable : public WaitingTest, public testing::WithParamInterface<Asked> {};

TEST_P(WaitingUnreadable, WhatCannotBeReadAnyMoreAfterARestartFails) {
    std::stop_source stop;
    device.says = [&](Asked step, bool) -> Answer {
        if (step != GetParam()) return {};
        if (device.waits() == 1) stop.request_stop();
        return {.word = Word::Wait, .reason = "waits"};
    };
    EXPECT_THAT(try_to_deploy(update(GetParam() == Asked::Begin), stop.get_token()), FailsWith(Code::Canceled, _));
    const auto number = journal().active().value().value().from;
    for (const auto* copy : {"generation.json", "generation.copy.json"})
        ASSERT_TRUE(file::write_atomically(state / "generations" / std::to_string(number) / copy, "{"));

    ASSERT_THAT(resume(), Works());
    EXPECT_FALSE(outcome().success);
    EXPECT_THAT(deliver(), ElementsAre("7"));
}

INSTANTIATE_TEST_SUITE_P(Steps, WaitingUnreadable, testing::Values(Asked::Begin, Asked::Download, Asked::Switch));

TEST_F(WaitingTest, AYesIsInTheOutboxBeforeAnythingIsDone) {
    says(Asked::Begin, Word::Yes);
    device.before_call = [this] {
        if (device.told().empty() || !device.told().back().starts_with("downloading")) return;
        auto outbox = Outbox::open(state / "state.db").value();
        const auto item = outbox.next().value();
        ASSERT_TRUE(item && item->outcome.confirmed());
    };
    ASSERT_THAT(try_to_deploy(update(true)), Works());
    EXPECT_THAT(device.told().front(), HasSubstr("plan: update hello 1 → 2")) << "what there is to decide on";
    EXPECT_THAT(device.confirmed_ids(), ElementsAre("7"));
    EXPECT_THAT(deliver(), ElementsAre("7", "7")) << "the yes, and the result";
    EXPECT_THAT(outcome(), Succeeded("updated hello 1 → 2"));
}

TEST_F(WaitingTest, NobodyIsAskedTwiceAfterACrashThatFollowsTheYes) {
    says(Asked::Begin, Word::Yes, 0);
    std::stop_source stop;
    device.when_told = [&] {
        if (device.told().back().starts_with("downloading")) stop.request_stop();
    };
    EXPECT_THAT(try_to_deploy(update(true), stop.get_token()), FailsWith(Code::Canceled, _));
    device.when_told = {};
    device.says = [](Asked step, bool confirmed) -> Answer {
        EXPECT_NE(step, Asked::Begin);
        EXPECT_TRUE(confirmed);
        return {};
    };
    ASSERT_THAT(resume(), Works());
    EXPECT_THAT(deliver(), ElementsAre("7", "7"));
}

TEST_F(WaitingTest, AYesToWhatIsInstalledAlreadyIsAGoodEnd) {
    says(Asked::Begin, Word::Yes);
    ASSERT_THAT(try_to_deploy({.id = "7", .parts = {app("hello", "1").part()}, .confirm = true}), Works());
    EXPECT_THAT(outcome(), Succeeded("already installed: hello 1"));
    EXPECT_THAT(device.did(), Not(Contains(HasSubstr("start"))));
}

TEST_F(WaitingTest, WhatWasDeniedIsNotAskedAgainAsLongAsTheServerOnlyAsks) {
    says(Asked::Begin, Word::No);
    ASSERT_THAT(try_to_deploy(update(true)), Works());
    EXPECT_THAT(deliver(), ElementsAre("7"));
    device.says = [](Asked, bool) -> Answer {
        ADD_FAILURE() << "asked again";
        return {};
    };

    ASSERT_THAT(try_to_deploy(update(true)), Works());
    EXPECT_THAT(deliver(), IsEmpty()) << "the server has been told";
    EXPECT_THAT(device.finished_ids(), ElementsAre("7", "7"));
}

TEST_F(WaitingTest, WhatWasDeniedIsDoneWhenTheOperatorOverrulesIt) {
    says(Asked::Begin, Word::No);
    ASSERT_THAT(try_to_deploy(update(true)), Works());

    ASSERT_THAT(try_to_deploy(update(false)), Works());
    EXPECT_THAT(outcome(), Succeeded("updated hello 1 → 2"));
}

TEST_F(WaitingTest, WhatWasCanceledIsDoneWhenItIsOfferedAgain) {
    cancellation.request("7");
    ASSERT_THAT(try_to_deploy(update()), Works());
    ASSERT_THAT(outcome(), Failed("canceled", _));

    ASSERT_THAT(try_to_deploy(update()), Works());
    EXPECT_THAT(outcome(), Succeeded("updated hello 1 → 2"));
}

TEST_F(WaitingTest, AnOldSuccessIsNoAnswerWhenTheDeviceHasMovedOn) {
    const auto second = device.publishes(app("hello", "2"));
    ASSERT_THAT(try_to_deploy({.id = "7", .parts = {second}}), Works());
    ASSERT_THAT(try_to_deploy({.id = "8", .parts = {app("hello", "1").part()}}), Works());
    ASSERT_THAT(device.running(), ElementsAre("hello 1"));

    ASSERT_THAT(try_to_deploy({.id = "7", .parts = {second}}), Works());  // by a server that lost its last days
    EXPECT_THAT(device.running(), ElementsAre("hello 2"));
}

}  // namespace
}  // namespace davit
