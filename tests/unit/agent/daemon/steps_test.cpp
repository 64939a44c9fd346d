#include "agent/daemon/steps.h"

#include <gtest/gtest.h>

namespace davit {
namespace {

using namespace std::chrono_literals;

DeploymentStatus at(std::uint64_t hello, std::uint64_t web) {
    return {.id = "7",
            .phase = "downloading",
            .message = "",
            .parts = {{.app = "hello", .todo = "", .bytes = hello, .expected = 30'000'000},
                      {.app = "web", .todo = "", .bytes = web, .expected = 10'000'000}}};
}

class StepsTest : public testing::Test {
protected:
    std::optional<std::string> after(Milliseconds time, const DeploymentStatus& status) {
        now_ += time;
        return steps_.step(status, now_);
    }

private:
    Steps steps_;
    MonotonicTime now_{1h};
};

TEST_F(StepsTest, SayEachQuarterOfAllPartsTogetherOnce) {
    EXPECT_FALSE(after(0s, at(0, 0)));
    EXPECT_FALSE(after(9s, at(9'000'000, 0)));
    EXPECT_EQ(after(9s, at(10'400'000, 0)), "fetched 26 % (10.4 of 40.0 MB)");
    EXPECT_FALSE(after(9s, at(12'000'000, 0)));
    EXPECT_EQ(after(9s, at(30'000'000, 1'000'000)), "fetched 77 % (31.0 of 40.0 MB)") << "a quarter may be passed over";
    EXPECT_FALSE(after(9s, at(30'000'000, 10'000'000))) << "what comes next says that it is here";
}

TEST_F(StepsTest, SayNothingOfADownloadThatIsThroughAtOnce) {
    EXPECT_FALSE(after(0s, at(0, 0)));
    EXPECT_FALSE(after(1s, at(15'000'000, 0)));
    EXPECT_FALSE(after(1s, at(25'000'000, 0)));
}

TEST_F(StepsTest, SayNothingWhenTheWholeIsNotKnown) {
    DeploymentStatus unknown{.id = "7", .phase = "downloading", .message = "", .parts = {{.app = "hello", .bytes = 5}}};
    EXPECT_FALSE(after(0s, unknown));
    EXPECT_FALSE(after(1h, unknown));
}

}  // namespace
}  // namespace davit
