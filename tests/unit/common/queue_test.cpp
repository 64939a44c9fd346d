#include "common/queue.h"

#include <gtest/gtest.h>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

namespace davit {
namespace {

using namespace std::chrono_literals;

TEST(Queue, GivesValuesInTheOrderTheyCame) {
    Queue<std::string> queue;
    queue.push("a");
    queue.push("b");
    EXPECT_EQ(queue.pop({}), "a");
    EXPECT_EQ(queue.try_pop(), "b");
    EXPECT_EQ(queue.try_pop(), std::nullopt);
}

TEST(Queue, PopWaitsForAnotherThread) {
    Queue<std::unique_ptr<int>> queue;
    const std::jthread producer([&] { queue.push(std::make_unique<int>(7)); });
    const auto value = queue.pop({});
    ASSERT_TRUE(value.has_value());
    EXPECT_EQ(**value, 7);
}

TEST(Queue, PopReturnsNothingWhenStopped) {
    Queue<int> queue;
    std::stop_source stop;
    const std::jthread stopper([&] { stop.request_stop(); });
    EXPECT_EQ(queue.pop(stop.get_token()), std::nullopt);
}

TEST(Queue, PopForGivesUpAfterItsTime) {
    Queue<int> queue;
    EXPECT_EQ(queue.pop_for(1ms, {}), std::nullopt);
    queue.push(1);
    EXPECT_EQ(queue.pop_for(1ms, {}), 1);
}

TEST(Queue, PopForHearsAStopWhileItWaits) {
    Queue<int> queue;
    std::stop_source stop;
    const std::jthread stopper([&] { stop.request_stop(); });
    EXPECT_EQ(queue.pop_for(1h, stop.get_token()), std::nullopt);
}

}  // namespace
}  // namespace davit
