#include "agent/link/attributes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit {
namespace {

using testing::Contains;
using testing::Key;
using testing::Not;
using testing::Pair;

class AttributesTest : public testing::Test {
protected:
    void SetUp() override {
        root_ = Path(testing::TempDir()) / ("attributes-" + std::to_string(getpid()));
        std::filesystem::remove_all(root_);
    }
    void TearDown() override { std::filesystem::remove_all(root_); }
    void has(const char* path, std::string_view text) {
        ASSERT_TRUE(file::make_directories((root_ / path).parent_path()));
        ASSERT_TRUE(file::write_atomically(root_ / path, text));
    }
    Path root_;
};

TEST_F(AttributesTest, TellsHardwareSystemAndEachAppsVersion) {
    has("sys/firmware/devicetree/base/model", std::string_view("Board 4\0", 8));
    has("etc/os-release", "ID=poky\nPRETTY_NAME=\"Poky 5.0 (scarthgap)\"\n");
    const auto values =
        device_attributes(root_, {{.name = "hello", .version = "2", .commit = "", .ref = "", .legacy = {}}}, {});
    EXPECT_THAT(values, Contains(Pair("hw.model", "Board 4")));
    EXPECT_THAT(values, Contains(Pair("os.name", "Poky 5.0 (scarthgap)")));
    EXPECT_THAT(values, Contains(Pair("app.hello", "2")));
    EXPECT_THAT(values, Contains(Pair("davit.version", DAVIT_VERSION)));
    EXPECT_THAT(values, Contains(Key("hw.arch")));
}

TEST_F(AttributesTest, TakesThePcsNameWhereThereIsNoDeviceTree) {
    has("sys/class/dmi/id/product_name", "NUC\n");
    EXPECT_THAT(device_attributes(root_, {}, {}), Contains(Pair("hw.model", "NUC")));
}

TEST_F(AttributesTest, LeavesOutWhatTheMachineDoesNotTell) {
    const auto values = device_attributes(root_, {}, {});
    EXPECT_THAT(values, Not(Contains(Key("hw.model"))));
    EXPECT_THAT(values, Not(Contains(Key("os.name"))));
}

TEST_F(AttributesTest, LetsTheConfigurationWinAndKeepsToWhatHawkbitTakes) {
    const auto values = device_attributes(root_, {}, {{"hw.model", "Gateway"}, {"site", "Köln"}});
    EXPECT_THAT(values, Contains(Pair("hw.model", "Gateway")));
    EXPECT_THAT(values, Contains(Pair("site", testing::MatchesRegex("K\\?+ln"))));
}

}  // namespace
}  // namespace davit
