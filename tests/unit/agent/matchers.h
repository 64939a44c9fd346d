#pragma once
/// Outcomes in the words of tests.

#include <gmock/gmock.h>

#include "agent/deployment.h"
#include "tests/unit/common/support.h"

namespace davit {

inline void PrintTo(const Outcome& outcome, std::ostream* out) {
    *out << (outcome.success ? "success: " : "failure: ") << outcome.message << " cause=" << outcome.cause;
}

}  // namespace davit

namespace davit::test {

/// EXPECT_THAT(outcome, Succeeded("updated hello 1 → 2"))
MATCHER_P(Succeeded, message, "is a success whose message matches") {
    return arg.success && arg.cause.empty() && testing::ExplainMatchResult(message, arg.message, result_listener);
}

/// EXPECT_THAT(outcome, Failed("app-failed", HasSubstr("…")))
MATCHER_P2(Failed, cause, message, "is a failure of that cause whose message matches") {
    return !arg.success && arg.cause == cause && testing::ExplainMatchResult(message, arg.message, result_listener);
}

}  // namespace davit::test
