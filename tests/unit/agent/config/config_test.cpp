#include "agent/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace davit {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class ConfigTest : public testing::Test {
protected:
    ConfigTest() : root_(Path(testing::TempDir()) / ("config-" + std::to_string(getpid()))) {
        std::filesystem::remove_all(root_);
    }
    ~ConfigTest() override { std::filesystem::remove_all(root_); }

    void has(const char* path, std::string_view text) {
        ASSERT_TRUE(file::make_directories((root_ / path).parent_path()));
        ASSERT_TRUE(file::write_atomically(root_ / path, text));
    }
    Config loaded() {
        auto config = load_config(root_);
        if (!config) ADD_FAILURE() << config.error().message;
        return config.value_or(Config{});
    }
    std::string error() {
        const auto config = load_config(root_);
        return config ? "it was accepted" : config.error().message;
    }
    Path root_;
};

TEST_F(ConfigTest, RunsWithoutAnyFile) {
    const auto config = loaded();
    EXPECT_EQ(config.hawkbit.url, "");
    EXPECT_FALSE(config.hawkbit.controller_id.empty()) << "the host name";
    EXPECT_EQ(config.runtime, "runc");
    EXPECT_THAT(config.warnings, IsEmpty());
}

TEST_F(ConfigTest, MergesVendorAdministratorAndFragmentsInThatOrder) {
    has("usr/lib/davit/davitd.json",
        R"({"hawkbit": {"url": "http://vendor", "tenant": "ACME", "gateway_token_file": "/gw"}, "runtime": "crun"})");
    has("etc/davit/davitd.json",
        R"({"hawkbit": {"url": "https://admin" /* ours */, "gateway_token_file": null, "target_token_file": "/token"}})");
    has("etc/davit/davitd.d/20-b.json", R"({"log_level": "debug"})");
    has("etc/davit/davitd.d/10-a.json", R"({"log_level": "error", "download": {"stall_timeout": "2m"}})");
    has("etc/davit/davitd.d/README", "not JSON, and not read");
    const auto config = loaded();
    EXPECT_EQ(config.hawkbit.url, "https://admin");
    EXPECT_EQ(config.hawkbit.tenant, "ACME");
    EXPECT_FALSE(config.hawkbit.gateway_token_file) << "null removes";
    EXPECT_EQ(config.hawkbit.target_token_file, "/token");
    EXPECT_EQ(config.runtime, "crun");
    EXPECT_EQ(config.log_level, "debug") << "20-b comes after 10-a";
    EXPECT_EQ(config.download.stall_timeout, Milliseconds(120'000));
}

TEST_F(ConfigTest, NamesUnknownSettingsInAWarningAndGoesOn) {
    has("etc/davit/davitd.json", R"({"hawkbit": {"ulr": "http://x"}, "colour": "blue"})");
    const auto config = loaded();
    EXPECT_THAT(config.warnings, Contains(HasSubstr("hawkbit.ulr")));
    EXPECT_THAT(config.warnings, Contains(HasSubstr("colour")));
}

TEST_F(ConfigTest, SaysFilePathAndExpectedTypeOfAWrongSetting) {
    has("etc/davit/davitd.json", R"({"hawkbit": {"url": 8080}})");
    EXPECT_THAT(error(), AllOf(HasSubstr("etc/davit/davitd.json"), HasSubstr("hawkbit.url"),
                               HasSubstr("expected a string"), HasSubstr("number")));
}

TEST_F(ConfigTest, SaysFileAndLineOfJsonThatCannotBeRead) {
    has("etc/davit/davitd.json", "{\n  \"hawkbit\": {,}\n}");
    EXPECT_THAT(error(), AllOf(HasSubstr("etc/davit/davitd.json"), HasSubstr("line 2")));
}

TEST_F(ConfigTest, RefusesAFileThatIsThereButCannotBeRead) {
    ASSERT_TRUE(
        file::make_directories(root_ / "etc/davit/davitd.json"));  // a directory: even root cannot read it as a file
    EXPECT_THAT(error(), HasSubstr("davitd.json"));
}

TEST_F(ConfigTest, WantsExactlyOneTokenBesideTheUrl) {
    has("etc/davit/davitd.json", R"({"hawkbit": {"url": "http://x"}})");
    EXPECT_THAT(error(), HasSubstr("needs target_token_file or gateway_token_file"));
    has("etc/davit/davitd.json",
        R"({"hawkbit": {"url": "http://x", "target_token_file": "/a", "gateway_token_file": "/b"}})");
    EXPECT_THAT(error(), HasSubstr("both"));
}

TEST_F(ConfigTest, RefusesUrlsPathsAndDurationsThatAreNone) {
    has("etc/davit/davitd.json", R"({"hawkbit": {"url": "ftp://x", "target_token_file": "/a"}})");
    EXPECT_THAT(error(), AllOf(HasSubstr("hawkbit.url"), HasSubstr("https://")));
    has("etc/davit/davitd.json", R"({"hawkbit": {"target_token_file": "token"}})");
    EXPECT_THAT(error(), AllOf(HasSubstr("hawkbit.target_token_file"), HasSubstr("absolute")));
    has("etc/davit/davitd.json", R"({"download": {"stall_timeout": "soon"}})");
    EXPECT_THAT(error(), HasSubstr("download.stall_timeout"));
    has("etc/davit/davitd.json", R"({"download": {"stall_timeout": "0s"}})");
    EXPECT_THAT(error(), HasSubstr("more than zero"));
    has("etc/davit/davitd.json", R"({"download": {"reserve": -1}})");
    EXPECT_THAT(error(), HasSubstr("download.reserve"));
    has("etc/davit/davitd.json", R"({"log_level": "loud"})");
    EXPECT_THAT(error(), HasSubstr("log_level"));
}

TEST_F(ConfigTest, ReadsWhatASoftDeploymentWaitsFor) {
    has("etc/davit/davitd.json", R"({"soft": {"download": "22:00-05:30", "update": "ask"}, "confirmation": "auto"})");
    const auto rules = load_config(root_)->rules;
    EXPECT_EQ(rules.soft_download.hours, (Config::Hours{.from = 22 * 60, .to = 5 * 60 + 30}));
    EXPECT_TRUE(rules.soft_update.ask);
    EXPECT_FALSE(rules.soft_update.hours);
    EXPECT_TRUE(rules.confirm_by_itself);
}

TEST_F(ConfigTest, RefusesHoursThatAreNone) {
    for (const char* hours :
         {"night", "", "22:00", "22-05", "22:00-24:00", "22:60-05:00", "5:00-06:00", "05:00-05:00"}) {
        has("etc/davit/davitd.json", R"({"soft": {"update": ")" + std::string(hours) + R"("}})");
        EXPECT_THAT(error(), AllOf(HasSubstr("soft.update"), HasSubstr("22:00-05:00"))) << hours;
    }
    has("etc/davit/davitd.json", R"({"confirmation": "yes"})");
    EXPECT_THAT(error(), AllOf(HasSubstr("confirmation"), HasSubstr("\"auto\"")));
}

}  // namespace
}  // namespace davit
