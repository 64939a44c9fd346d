#include "agent/systemd/unit_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "tests/unit/common/support.h"

namespace davit {
namespace {

using test::Gives;
using test::Works;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class UnitFilesTest : public ::testing::Test {
protected:
    static Bundle app(std::string name) {
        Bundle bundle;
        bundle.manifest.name = std::move(name);
        return bundle;
    }
    std::vector<std::string> units() { return file::list(paths().units).value_or(std::vector<std::string>{"?"}); }
    std::vector<std::string> links() {
        return file::list(paths().units / "davit-apps.target.wants").value_or(std::vector<std::string>{"?"});
    }

    [[nodiscard]] DevicePaths paths() const {
        return {.state = "/var/lib/davit", .run = root_ / "run", .units = root_ / "units"};
    }
    [[nodiscard]] UnitFiles opened() const { return UnitFiles({.paths = paths(), .libexec = "/usr/libexec/davit"}); }
    test::TemporaryDirectory root_;
    UnitFiles files_ = opened();
};

TEST_F(UnitFilesTest, WritesUnitsAndLinksThoseThatStartByThemselves) {
    auto by_hand = app("tool");
    by_hand.manifest.autostart = false;

    ASSERT_THAT(files_.write({app("hello"), by_hand}), Works());

    EXPECT_THAT(units(), ElementsAre("davit-app-hello.service", "davit-app-tool.service", "davit-apps.target.wants"));
    EXPECT_THAT(links(), ElementsAre("davit-app-hello.service"));
    const auto unit = file::read(paths().units / "davit-app-hello.service");
    ASSERT_THAT(unit, Works());
    EXPECT_THAT(file::read(paths().units / "davit-apps.target.wants" / "davit-app-hello.service"), Gives(*unit));
}

TEST_F(UnitFilesTest, ANewVersionOfAnAppNeedsNoReload) {
    ASSERT_THAT(files_.write({app("hello")}), Works());
    ASSERT_TRUE(files_.reload_needed());
    ASSERT_THAT(files_.reloaded(), Works());
    auto next = app("hello");
    next.manifest.version = "2";

    ASSERT_THAT(files_.write({next}), Works());

    EXPECT_FALSE(files_.reload_needed());
}

TEST_F(UnitFilesTest, AChangedManifestNeedsAReload) {
    ASSERT_THAT(files_.write({app("hello")}), Works());
    ASSERT_THAT(files_.reloaded(), Works());
    auto next = app("hello");
    next.manifest.restart = Restart::Always;

    ASSERT_THAT(files_.write({next}), Works());

    EXPECT_TRUE(files_.reload_needed());
}

TEST_F(UnitFilesTest, TakingAutostartAwayRemovesTheLinkAndNeedsAReload) {
    ASSERT_THAT(files_.write({app("hello")}), Works());
    ASSERT_THAT(files_.reloaded(), Works());
    auto by_hand = app("hello");
    by_hand.manifest.autostart = false;

    ASSERT_THAT(files_.write({by_hand}), Works());

    EXPECT_THAT(links(), IsEmpty());
    EXPECT_TRUE(files_.reload_needed());
}

TEST_F(UnitFilesTest, AChangeIsNotForgottenByACrashBeforeTheReload) {
    ASSERT_THAT(files_.write({app("hello")}), Works());

    auto after_the_crash = opened();
    ASSERT_THAT(after_the_crash.write({app("hello")}), Works());  // nothing differs any more

    EXPECT_TRUE(after_the_crash.reload_needed());
}

TEST_F(UnitFilesTest, RemovesTheUnitsOfOtherAppsAndNothingElse) {
    ASSERT_THAT(files_.write({app("hello"), app("old")}), Works());
    ASSERT_THAT(file::write_atomically(paths().units / "someone-elses.service", ""), Works());
    ASSERT_THAT(files_.reloaded(), Works());

    ASSERT_THAT(files_.remove_all_but({"hello"}), Works());

    EXPECT_THAT(units(), ElementsAre("davit-app-hello.service", "davit-apps.target.wants", "someone-elses.service"));
    EXPECT_THAT(links(), ElementsAre("davit-app-hello.service"));
    EXPECT_TRUE(files_.reload_needed());
}

TEST_F(UnitFilesTest, RemovingNothingNeedsNoReload) {
    ASSERT_THAT(files_.write({app("hello")}), Works());
    ASSERT_THAT(files_.reloaded(), Works());

    ASSERT_THAT(files_.remove_all_but({"hello"}), Works());

    EXPECT_FALSE(files_.reload_needed());
}

}  // namespace
}  // namespace davit
