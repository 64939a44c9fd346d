#include "agent/app_words.h"

#include <gtest/gtest.h>

namespace davit {
namespace {

using namespace std::chrono_literals;

TEST(AppWords, CountRestartsExactlyForPeople) {
    EXPECT_EQ(restarting(1), "restarting (1 time)");
    EXPECT_EQ(restarting(77), "restarting (77 times)");
}

TEST(AppWords, TellAServerOnlyOfSteps) {
    EXPECT_EQ(restarting_roughly(5), "restarting (5 times)");
    EXPECT_EQ(restarting_roughly(6), "restarting (more than 5 times)");
    EXPECT_EQ(restarting_roughly(10), "restarting (more than 5 times)");
    EXPECT_EQ(restarting_roughly(11), "restarting (more than 10 times)");
    EXPECT_EQ(restarting_roughly(100'000), "restarting (more than 1000 times)");
}

TEST(AppWords, ForgiveAnAppThatHasStayedUp) {
    EXPECT_TRUE(is_restarting(true, 3, 1s));
    EXPECT_TRUE(is_restarting(false, 3, 1h)) << "it waits for its next start";
    EXPECT_FALSE(is_restarting(true, 3, 10min));
    EXPECT_FALSE(is_restarting(false, 0, 1s));
}

}  // namespace
}  // namespace davit
