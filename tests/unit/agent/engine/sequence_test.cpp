// Nobody brings an old release back with its old signature, unless the operator says so.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/agent/engine/world.h"

namespace davit {
namespace {

using test::app;
using test::EngineTest;
using test::Failed;
using test::Release;
using test::Succeeded;
using test::Works;
using testing::_;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Release numbered(const std::string& version, std::int64_t sequence) {
    auto release = app("hello", version);
    release.manifest.sequence = sequence;
    return release;
}

class SequenceTest : public EngineTest {
protected:
    SequenceTest() { device.has({app("ticker", "1")}); }
    Part publishes(const std::string& version, std::int64_t sequence) {
        return device.publishes(numbered(version, sequence));
    }
    static Part downgrade(Part part) {
        part.downgrade = true;
        return part;
    }
};

TEST_F(SequenceTest, AnOlderReleaseIsRefusedWithBothNumbersAndTheOverride) {
    ASSERT_THAT(deploy({publishes("2", 12)}, "1"), Succeeded(_));
    device.forget_what_it_did();

    const auto outcome = deploy({publishes("1", 11)}, "2");

    EXPECT_THAT(outcome, Failed("sequence", AllOf(HasSubstr("app 'hello' 1 has sequence 11"), HasSubstr("sequence 12"),
                                                  HasSubstr("'downgrade'"))));
    EXPECT_THAT(device.running(), ElementsAre("hello 2", "ticker 1"));
    EXPECT_THAT(device.did(), Not(Contains(HasSubstr("start"))));
}

TEST_F(SequenceTest, ARefusalEndsThatDeploymentAloneAndTheNextOneComes) {
    ASSERT_THAT(deploy({publishes("2", 12)}, "1"), Succeeded(_));
    ASSERT_THAT(deploy({publishes("1", 11)}, "2"), Failed("sequence", _));
    EXPECT_THAT(deploy({publishes("3", 13)}, "3"), Succeeded("updated hello 2 → 3"));
}

TEST_F(SequenceTest, TheSameNumberIsNoStepBack) {
    ASSERT_THAT(deploy({publishes("2", 12)}, "1"), Succeeded(_));
    EXPECT_THAT(deploy({publishes("2a", 12)}, "2"), Succeeded(_));
}

TEST_F(SequenceTest, AnAppThatHasNoNumberAnyMoreIsOlder) {
    ASSERT_THAT(deploy({publishes("2", 12)}, "1"), Succeeded(_));
    EXPECT_THAT(deploy({publishes("3", 0)}, "2"), Failed("sequence", _));
}

TEST_F(SequenceTest, AReleaseThatWasNotKeptDoesNotCount) {
    ASSERT_THAT(deploy({publishes("1", 1)}, "1"), Succeeded(_));
    device.fault("hello 9").unhealthy = true;
    ASSERT_THAT(deploy({publishes("9", 9)}, "2"), Failed("app-failed", _));
    EXPECT_THAT(deploy({publishes("2", 2)}, "3"), Succeeded(_)) << "a broken release 9 must not lock the device";
}

TEST_F(SequenceTest, TheOperatorMayGoBackAndThenForwardAgain) {
    ASSERT_THAT(deploy({publishes("2", 12)}, "1"), Succeeded(_));
    EXPECT_THAT(deploy({downgrade(publishes("1", 11))}, "2"), Succeeded("updated hello 2 → 1"));
    EXPECT_THAT(journal().floors().value(), ElementsAre(std::pair<const std::string, std::int64_t>("hello", 11)));
    EXPECT_THAT(deploy({publishes("2", 12)}, "3"), Succeeded(_));
}

TEST_F(SequenceTest, ARollbackAtTheDeviceIsAllowedAndLowersNothing) {
    ASSERT_THAT(deploy({publishes("1", 11)}, "1"), Succeeded(_));
    ASSERT_THAT(deploy({publishes("2", 12)}, "2"), Succeeded(_));
    ASSERT_THAT(try_to_deploy({.id = "local-1", .parts = {downgrade(publishes("1", 11))}, .local = true}), Works());
    ASSERT_THAT(device.running(), ElementsAre("hello 1", "ticker 1"));

    EXPECT_THAT(deploy({publishes("1b", 11)}, "3"), Failed("sequence", _));
    EXPECT_THAT(deploy({publishes("2", 12)}, "4"), Succeeded(_));
}

TEST_F(SequenceTest, WhatTheImageShippedCountsToo) {
    device.has({numbered("5", 50)});
    EXPECT_THAT(deploy({publishes("4", 40)}, "1"), Failed("sequence", _));
}

TEST_F(SequenceTest, AnAppKeepsItsNumberWhileItIsAway) {
    ASSERT_THAT(deploy({publishes("2", 12)}, "1"), Succeeded(_));
    ASSERT_THAT(deploy({test::removal("hello")}, "2"), Succeeded(_));
    EXPECT_THAT(deploy({publishes("1", 11)}, "3"), Failed("sequence", _));
}

TEST_F(SequenceTest, AppsWithoutNumbersGoWhereTheyLike) {
    ASSERT_THAT(deploy({publishes("2", 0)}, "1"), Succeeded(_));
    EXPECT_THAT(deploy({publishes("1", 0)}, "2"), Succeeded(_));
    EXPECT_THAT(journal().floors().value(), IsEmpty());
}

}  // namespace
}  // namespace davit
