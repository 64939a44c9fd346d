#include "containers/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/containers/support.h"

namespace davit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PolicyTest : public testing::Test {
protected:
    Result<Policy> load(std::string_view text) const {
        test::write(file_, text);
        return load_policy(file_);
    }

    Path file_ = test::fresh_directory() / "policy.json";
};

TEST_F(PolicyTest, IsTheSafeDefaultWhenThereIsNoFile) {
    const auto policy = load_policy(file_);
    ASSERT_TRUE(policy);
    EXPECT_TRUE(policy->capabilities.contains("CAP_NET_BIND_SERVICE"));
    EXPECT_FALSE(policy->capabilities.contains("CAP_SYS_ADMIN"));
    EXPECT_THAT(policy->devices, IsEmpty());
    EXPECT_THAT(policy->bind_sources, IsEmpty());
    EXPECT_TRUE(policy->host_network);
}

TEST_F(PolicyTest, ReplacesExactlyTheListsThatItNames) {
    const auto policy = load(R"({"capabilities": ["net_raw"], "devices": ["/dev/ttyS0"]  /* the modem */ })");
    ASSERT_TRUE(policy) << policy.error().message;
    EXPECT_THAT(policy->capabilities, ElementsAre("CAP_NET_RAW"));
    EXPECT_THAT(policy->devices, ElementsAre("/dev/ttyS0"));
    EXPECT_TRUE(policy->host_network);

    const auto other = load(R"({"bind_sources": ["/srv"], "host_network": false, "devices": []})");
    ASSERT_TRUE(other);
    EXPECT_THAT(other->bind_sources, ElementsAre("/srv"));
    EXPECT_FALSE(other->host_network);
    EXPECT_EQ(other->capabilities, Policy{}.capabilities);
}

TEST_F(PolicyTest, NamesFileAndFieldOfAMistake) {
    EXPECT_THAT(load("[]").error().message, HasSubstr("policy.json: expected an object"));
    EXPECT_THAT(load(R"({"device": []})").error().message,
                HasSubstr("policy.json: device: unknown field (did you mean 'devices'?)"));
    EXPECT_THAT(load(R"({"devices": "/dev/x"})").error().message,
                HasSubstr("devices: expected an array, got a string"));
    EXPECT_THAT(load(R"({"devices": ["tty"]})").error().message,
                HasSubstr("devices[0]: \"tty\" is not an absolute path"));
    EXPECT_THAT(load(R"({"capabilities": ["ALL"]})").error().message,
                HasSubstr("capabilities[0]: Linux has no capability"));
    EXPECT_THAT(load(R"({"bind_sources": ["/a/.."]})").error().message, HasSubstr("bind_sources[0]: "));
    EXPECT_THAT(load(R"({"host_network": 1})").error().message, HasSubstr("host_network: expected a boolean"));
}

TEST_F(PolicyTest, IsNoDefaultWhenTheFileCannotBeRead) {
    std::filesystem::create_directory(file_);
    EXPECT_FALSE(load_policy(file_));
}

}  // namespace
}  // namespace davit
