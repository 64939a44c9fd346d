#pragma once
/// What tests say about a Result.

#include <gmock/gmock.h>

#include "common/result.h"

namespace davit {

// gtest prints these in its messages.
inline void PrintTo(const Error& error, std::ostream* out) {
    *out << name(error.code) << ": " << error.message;
}

namespace test {

MATCHER(Succeeds, "succeeds") {
    if (arg) return true;
    *result_listener << name(arg.error().code) << ": " << arg.error().message;
    return false;
}

MATCHER_P2(FailsWith, code, message, "fails as expected") {
    if (arg) {
        *result_listener << "which succeeded";
        return false;
    }
    *result_listener << "with " << name(arg.error().code) << ": " << arg.error().message;
    return arg.error().code == code && testing::ExplainMatchResult(message, arg.error().message, result_listener);
}

}  // namespace test
}  // namespace davit
