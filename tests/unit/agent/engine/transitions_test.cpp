#include "agent/engine/transitions.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "tests/unit/common/support.h"

namespace davit {
namespace {

using test::FailsWith;
using test::Gives;
using testing::HasSubstr;

const std::set<Phase> kDeviceUnchanged = {Phase::Received,       Phase::Confirming, Phase::WaitingToDownload,
                                          Phase::Downloading,    Phase::Verifying,  Phase::Staged,
                                          Phase::WaitingToSwitch};
const std::set<Phase> kAll = [] {
    auto all = kDeviceUnchanged;
    all.insert({Phase::Switching, Phase::Probation, Phase::RollingBack, Phase::Done});
    return all;
}();

class EachPhase : public testing::TestWithParam<Phase> {};

TEST_P(EachPhase, HasAWayOutUnlessItIsTheEnd) {
    const auto leads_on = [](const Transition& row) { return row.phase == GetParam() && row.next != GetParam(); };
    EXPECT_EQ(std::ranges::any_of(transitions(), leads_on), GetParam() != Phase::Done);
}

TEST_P(EachPhase, CanBeReached) {
    std::set<Phase> reached = {Phase::Received};
    for (std::size_t i = 0; i < kAll.size(); ++i) {
        for (const auto& row : transitions()) {
            if (reached.contains(row.phase)) reached.insert(row.next);
        }
    }
    EXPECT_TRUE(reached.contains(GetParam()));
}

TEST_P(EachPhase, HasAnAnswerToAFailureThatFitsWhatWasChanged) {
    if (GetParam() == Phase::Done) return;
    const bool must_go_back = !kDeviceUnchanged.contains(GetParam()) && GetParam() != Phase::RollingBack;

    EXPECT_THAT(next_phase(GetParam(), Event::Failed), Gives(must_go_back ? Phase::RollingBack : Phase::Done));
}

TEST_P(EachPhase, CanBeCanceledAsLongAsNothingHasChanged) {
    if (kDeviceUnchanged.contains(GetParam()))
        EXPECT_THAT(next_phase(GetParam(), Event::Canceled), Gives(Phase::Done));
    else
        EXPECT_THAT(next_phase(GetParam(), Event::Canceled), FailsWith(Code::Defect, HasSubstr("canceled")));
}

TEST_P(EachPhase, SaysOfItselfWhetherAnythingHasChanged) {
    EXPECT_EQ(is_before_switch(GetParam()), kDeviceUnchanged.contains(GetParam()));
}

TEST_P(EachPhase, ThatWaitsForSomebodyCanBeDenied) {
    EXPECT_EQ(next_phase(GetParam(), Event::Denied).has_value(), is_waiting(GetParam()));
}

TEST_P(EachPhase, NeverLeadsBackToAnEarlierOne) {
    for (const auto& row : transitions()) {
        if (row.phase != GetParam()) continue;
        EXPECT_GT(row.next, row.phase) << name(row.event);
    }
}

INSTANTIATE_TEST_SUITE_P(Transitions, EachPhase, testing::ValuesIn(kAll), [](const auto& param_info) {
    std::string out(name(param_info.param));
    std::erase(out, '-');
    return out;
});

TEST(Transitions, HaveOneAnswerToEachEvent) {
    std::set<std::pair<Phase, Event>> seen;
    for (const auto& row : transitions()) {
        EXPECT_TRUE(seen.emplace(row.phase, row.event).second) << name(row.phase) << " " << name(row.event);
    }
}

TEST(Transitions, CallAnEventThatTheyDoNotHaveADefect) {
    EXPECT_THAT(next_phase(Phase::Received, Event::Kept),
                FailsWith(Code::Defect, HasSubstr("event 'kept' cannot happen in phase 'received'")));
}

}  // namespace
}  // namespace davit
