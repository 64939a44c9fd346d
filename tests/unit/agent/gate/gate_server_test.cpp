#include "agent/gate/gate.h"

#include <gtest/gtest.h>

#include "tests/unit/agent/engine/fake_clock.h"

namespace davit {
namespace {

using Word = Permission::Answer::Word;

class GateAndServer : public testing::Test {
protected:
    [[nodiscard]] Word asks() { return gate_.ask(deployment_, Permission::Step::Begin, false).word; }

    test::FakeClock clock_;
    Gate gate_{{}, clock_};
    const Deployment deployment_{.id = "7", .parts = {}};
};

TEST_F(GateAndServer, WaitsForSomebodyAtTheDevice) {
    EXPECT_EQ(asks(), Word::Wait);
    ASSERT_TRUE(gate_.answer("7", true, ""));
    EXPECT_EQ(asks(), Word::Yes);
}

TEST_F(GateAndServer, TheOperatorsYesAtTheServerIsEnough) {
    EXPECT_EQ(asks(), Word::Wait);
    gate_.terms("7", {});
    EXPECT_EQ(asks(), Word::Yes);
}

TEST_F(GateAndServer, TermsOfAnotherDeploymentAreNoYes) {
    gate_.terms("8", {});
    EXPECT_EQ(asks(), Word::Wait);
}

TEST_F(GateAndServer, WhatWasSaidToAnEarlierDeploymentOfThisIdDoesNotCount) {
    EXPECT_EQ(asks(), Word::Wait);
    ASSERT_TRUE(gate_.answer("7", true, ""));
    gate_.terms("7", {});
    gate_.offered("7");
    EXPECT_EQ(asks(), Word::Wait);
}

}  // namespace
}  // namespace davit
