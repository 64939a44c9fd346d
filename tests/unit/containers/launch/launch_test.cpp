#include "containers/launch/launch.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <format>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/containers/support.h"

namespace davit {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class LaunchTest : public testing::Test {
protected:
    /// Generation @p number with hello at @p commit, made current.
    void generation(int number, const std::string& commit, const json& legacy = nullptr) const {
        const auto directory = paths_.state / "generations" / std::to_string(number);
        std::filesystem::create_directories(directory / "apps");
        std::filesystem::create_directory_symlink("../../../checkouts/hello/" + commit, directory / "apps/hello");
        const json content = {
            {"os", "any"},
            {"apps",
             {{{"name", "hello"}, {"version", "7"}, {"commit", commit}, {"ref", "hello"}, {"legacy", legacy}}}}};
        test::write(directory / "generation.json", content.dump());
        std::filesystem::remove(paths_.state / "current");
        std::filesystem::create_directory_symlink(std::format("generations/{}", number), paths_.state / "current");
    }

    const Path root_ = test::fresh_directory();
    const DevicePaths paths_{.state = root_ / "state", .run = root_ / "run", .policy = "/none"};
};

TEST_F(LaunchTest, FindsTheAppOfTheCurrentGeneration) {
    generation(1, "aaa");
    generation(2, "bbb", {{"notify", true}, {"autostart", false}, {"timeout_ms", 1500}});
    const auto found = find_installed(paths_, "hello");
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->commit, "bbb");
    EXPECT_EQ(found->version, "7");
    EXPECT_EQ(found->checkout, paths_.state / "checkouts/hello/bbb");
    EXPECT_TRUE(found->legacy.notify);
    EXPECT_EQ(found->legacy.timeout, Milliseconds(1500));
}

TEST_F(LaunchTest, SaysWhenTheAppIsNotInstalled) {
    EXPECT_THAT(find_installed(paths_, "hello").error().message, HasSubstr("no app is installed"));
    generation(1, "aaa");
    EXPECT_THAT(find_installed(paths_, "other").error().message, HasSubstr("app 'other' is not installed"));
    EXPECT_EQ(find_installed(paths_, "other").error().code, Code::NotFound);
}

TEST_F(LaunchTest, SaysWhenTheGenerationIsDamaged) {
    generation(1, "aaa");
    test::write(paths_.state / "generations/1/generation.json", R"({"apps": []})");
    EXPECT_EQ(find_installed(paths_, "hello").error().code, Code::Corrupt);
}

TEST_F(LaunchTest, LooksAtTheNameBeforeItTouchesAnything) {
    const Runtime runtime("/bin/false", root_);
    EXPECT_THAT(launch("../hello", paths_, runtime).message, HasSubstr("is not an app name"));
    EXPECT_FALSE(clean_up("../hello", paths_, runtime));
}

TEST_F(LaunchTest, MakesVolumesOnceForTheAppsUser) {
    Bundle bundle;
    bundle.manifest.name = "hello";
    bundle.manifest.volumes = {{"data", "/data"}};
    const json config = {{"process", {{"user", {{"uid", getuid()}, {"gid", getgid()}}}}}};
    ASSERT_TRUE(make_volumes(bundle, paths_, config));
    const auto directory = paths_.state / "data/hello/data";
    struct stat status{};
    ASSERT_EQ(stat(directory.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0750u);

    test::write(directory / "kept", "");
    std::filesystem::permissions(directory, std::filesystem::perms(0700));
    ASSERT_TRUE(make_volumes(bundle, paths_, config));
    ASSERT_EQ(stat(directory.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0700u) << "an existing volume is the app's";
    EXPECT_TRUE(file::exists(directory / "kept"));
}

TEST_F(LaunchTest, CleansUpAlsoWhenThereIsNothing) {
    const Runtime runtime("/bin/false", root_);
    EXPECT_TRUE(clean_up("hello", paths_, runtime));
    test::write(paths_.pid_file("hello"), "1\n");
    EXPECT_TRUE(clean_up("hello", paths_, runtime));
    EXPECT_FALSE(file::exists(paths_.pid_file("hello")));
}

TEST_F(LaunchTest, NotesHowAnAppEndedUntilItEndsWell) {
    ASSERT_TRUE(note_end("hello", paths_, {"oom-kill", "killed", "KILL"}));
    EXPECT_EQ(file::read(paths_.last_end("hello")), "oom-kill killed KILL\n");
    ASSERT_TRUE(note_end("hello", paths_, {"success", "exited", "0"}));
    EXPECT_FALSE(file::exists(paths_.last_end("hello")));
}

class MountTest : public LaunchTest {
protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "mounting needs root";
        test::write(source_ / "a", "1");
        std::filesystem::create_directory(target_);
    }
    void TearDown() override { (void)unmount(target_); }

    const Path source_ = root_ / "source", target_ = root_ / "target";
};

TEST_F(MountTest, ShowsTheSourceReadOnly) {
    const auto bound = bind_read_only(source_, target_);
    ASSERT_TRUE(bound) << bound.error().message;
    EXPECT_EQ(file::read(target_ / "a"), "1");
    EXPECT_NE(mkdir((target_ / "b").c_str(), 0755), 0);
    EXPECT_EQ(errno, EROFS);
}

TEST_F(MountTest, ReplacesWhatWasMountedAndLeavesNothing) {
    ASSERT_TRUE(bind_read_only(source_, target_));
    test::write(root_ / "other/a", "2");
    ASSERT_TRUE(bind_read_only(root_ / "other", target_));
    EXPECT_EQ(file::read(target_ / "a"), "2");
    ASSERT_TRUE(unmount(target_));
    EXPECT_FALSE(file::exists(target_ / "a"));
    EXPECT_TRUE(unmount(target_)) << "nothing is mounted any more";
}

TEST_F(MountTest, NamesWhatCannotBeBound) {
    EXPECT_THAT(bind_read_only(root_ / "none", target_).error().message, HasSubstr((root_ / "none").string()));
}

}  // namespace
}  // namespace davit
