#pragma once
/// What the tests of every room need: a matcher for errors and a directory that goes away.

#include <gmock/gmock.h>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "common/result.h"

namespace davit::test {

/// EXPECT_THAT(result, FailsWith(Code::NotFound, HasSubstr("…")))
MATCHER_P2(FailsWith, code, message, "") {
    if (arg) {
        *result_listener << "which is no error";
        return false;
    }
    *result_listener << "which is " << name(arg.error().code) << " '" << arg.error().message << "'";
    return arg.error().code == code && testing::Matches(message)(arg.error().message);
}

/// EXPECT_THAT(result, Gives(value or matcher))
MATCHER_P(Gives, value, "") {
    if (!arg) {
        *result_listener << "which is the error '" << arg.error().message << "'";
        return false;
    }
    return testing::ExplainMatchResult(value, *arg, result_listener);
}

/// EXPECT_THAT(result, Works())
MATCHER(Works, "") {
    if (!arg) *result_listener << "which is the error '" << arg.error().message << "'";
    return arg.has_value();
}

/// An empty directory of this test's own.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string name = testing::TempDir() + "davit-XXXXXX";
        if (::mkdtemp(name.data())) path_ = name;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

}  // namespace davit::test
