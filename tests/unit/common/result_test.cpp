#include "common/result.h"

#include <gmock/gmock.h>
#include <cerrno>
#include <memory>
#include <set>

#include "tests/unit/common/support.h"

namespace davit {
namespace {

using test::FailsWith;
using test::Gives;

Result<int> half(int number) {
    if (number % 2 != 0) return fail(Code::InvalidInput, "odd");
    return number / 2;
}

Result<int> quarter(int number) {
    const int first = TRY(half(number));
    return TRY(half(first).transform_error(in("second half")));
}

TEST(Result, TryGivesTheValueOrReturnsTheError) {
    EXPECT_THAT(quarter(8), Gives(2));
    EXPECT_THAT(quarter(7), FailsWith(Code::InvalidInput, "odd"));
}

TEST(Result, ContextGoesInFrontOfTheMessageAndKeepsTheCode) {
    EXPECT_THAT(quarter(6), FailsWith(Code::InvalidInput, "second half: odd"));
    EXPECT_EQ(Error(Code::Gone, "b").in("a").in("outermost").message, "outermost: a: b");
}

TEST(Result, TryMovesWhatCannotBeCopied) {
    const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(3); };
    const auto use = [&]() -> Result<int> {
        const auto pointer = TRY(make());
        return *pointer;
    };
    EXPECT_THAT(use(), Gives(3));
}

TEST(Result, ErrnoBecomesTheCodeThatACallerCanDecideOn) {
    EXPECT_EQ(system_error("x", ENOSPC).code, Code::NoSpace);
    EXPECT_EQ(system_error("x", EDQUOT).code, Code::NoSpace);
    EXPECT_EQ(system_error("x", ENOENT).code, Code::NotFound);
    EXPECT_EQ(system_error("x", EEXIST).code, Code::AlreadyExists);
    EXPECT_EQ(system_error("x", EACCES).code, Code::System);
    EXPECT_EQ(system_error("cannot open '/x'", ENOENT).message, "cannot open '/x': No such file or directory");
}

TEST(Result, EveryCodeHasANameOfItsOwn) {
    std::set<std::string_view> names;
    const int last = static_cast<int>(Code::Defect);
    for (int code = 0; code <= last; ++code)
        names.insert(name(static_cast<Code>(code)));
    EXPECT_EQ(names.size(), static_cast<std::size_t>(last) + 1);
}

TEST(Result, CodesFallIntoTheBucketOfTheirReaction) {
    EXPECT_EQ(bucket(Code::Canceled), Bucket::RetrySoon);
    EXPECT_EQ(bucket(Code::Interrupted), Bucket::RetryWithBackOff);
    EXPECT_EQ(bucket(Code::Network), Bucket::RetryWithBackOff);
    EXPECT_EQ(bucket(Code::Untrusted), Bucket::FailDeployment);
    EXPECT_EQ(bucket(Code::NoSpace), Bucket::FailDeployment);
    EXPECT_EQ(bucket(Code::AppFailed), Bucket::FailAndRollBack);
    EXPECT_EQ(bucket(Code::Unauthorized), Bucket::WaitForOperator);
}

}  // namespace
}  // namespace davit
