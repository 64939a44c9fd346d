#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "containers/bundle.h"
#include "tests/unit/containers/support.h"

namespace davit {
namespace {

using nlohmann::json;
using test::hello_manifest;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class CheckTest : public testing::Test {
protected:
    /// What check_bundle says of the bundle with @p manifest; "" when it is good.
    std::string verdict(const json& manifest = hello_manifest()) const {
        directory_.manifest(manifest);
        const auto bundle = directory_.read();
        if (!bundle) return bundle.error().message;
        const auto checked = check_bundle(*bundle, Policy{});
        return checked ? "" : checked.error().message;
    }

    std::string legacy_verdict(const json& config) const {
        directory_.config(config);
        const auto bundle = directory_.read();
        if (!bundle) return bundle.error().message;
        const auto checked = check_bundle(*bundle, Policy{});
        return checked ? "" : checked.error().message;
    }

    [[nodiscard]] Path rootfs() const { return directory_.rootfs(); }

    test::BundleDirectory directory_{test::fresh_directory()};
};

TEST_F(CheckTest, FindsNothingInAGoodBundle) {
    EXPECT_EQ(verdict(), "");
}

TEST_F(CheckTest, NamesEveryMissingMountPointAndTheRemedy) {
    std::filesystem::remove(rootfs() / "run");
    std::filesystem::remove(rootfs() / "sys");
    EXPECT_EQ(verdict(),
              "app 'hello': rootfs has no directory /sys, /run, which a container needs as a mount point; "
              "add it with: mkdir -p rootfs/sys rootfs/run");
}

TEST_F(CheckTest, RefusesAVolumeWithoutItsDirectory) {
    auto manifest = hello_manifest();
    manifest["volumes"] = json::array({{{"name", "data"}, {"path", "/data"}}});
    EXPECT_THAT(verdict(manifest),
                HasSubstr("rootfs has no directory /data for volume 'data'; add it with: mkdir -p rootfs/data"));
    std::filesystem::create_directory(rootfs() / "data");
    EXPECT_EQ(verdict(manifest), "");
}

TEST_F(CheckTest, LetsTheContainerMakeMountPointsBelowRunAndTmp) {
    auto manifest = hello_manifest();
    manifest["volumes"] = json::array({{{"name", "data"}, {"path", "/run/data"}}});
    EXPECT_EQ(verdict(manifest), "");
}

TEST_F(CheckTest, RefusesAProgramThatIsMissingOrCannotRun) {
    auto manifest = hello_manifest();
    manifest["process"]["args"] = {"/bin/nothing"};
    EXPECT_THAT(verdict(manifest), HasSubstr("davit.json: process.args: rootfs has no program \"/bin/nothing\""));
    manifest["process"]["args"] = {"/etc"};
    EXPECT_THAT(verdict(manifest), HasSubstr("/etc is not a file"));
    test::write(rootfs() / "bin/data", "x");
    manifest["process"]["args"] = {"/bin/data"};
    EXPECT_THAT(verdict(manifest), HasSubstr("/bin/data is not executable (chmod +x)"));
}

TEST_F(CheckTest, FindsTheProgramAsTheContainerWould) {
    auto manifest = hello_manifest();
    manifest["process"]["args"] = {"hello"};
    EXPECT_EQ(verdict(manifest), "");
    manifest["process"]["env"] = {{"PATH", "/sbin:/usr/bin"}};
    EXPECT_THAT(verdict(manifest), HasSubstr("rootfs has no program \"hello\""));
    std::filesystem::create_directories(rootfs() / "usr");
    std::filesystem::create_symlink("/bin", rootfs() / "usr/bin");  // absolute: within the rootfs, not the host
    EXPECT_EQ(verdict(manifest), "");
    manifest["process"]["args"] = {"./hello"};
    manifest["process"]["cwd"] = "/bin";
    EXPECT_EQ(verdict(manifest), "");
}

TEST_F(CheckTest, RefusesAHealthCommandThatIsMissing) {
    auto manifest = hello_manifest();
    manifest["health"]["exec"] = {"/bin/check"};
    EXPECT_THAT(verdict(manifest), HasSubstr("davit.json: health.exec: rootfs has no program \"/bin/check\""));
}

TEST_F(CheckTest, RefusesAWorkingDirectoryThatIsMissing) {
    auto manifest = hello_manifest();
    manifest["process"]["cwd"] = "/srv";
    EXPECT_THAT(verdict(manifest), HasSubstr("rootfs has no directory /srv for the working directory"));
}

TEST_F(CheckTest, RefusesWhatACommitCannotHold) {
    ASSERT_EQ(mkfifo((rootfs() / "etc/pipe").c_str(), 0600), 0);
    EXPECT_THAT(verdict(),
                AllOf(HasSubstr("rootfs/etc/pipe is a named pipe"), HasSubstr("files, directories and links only")));
}

TEST_F(CheckTest, RefusesWhatThePolicyRefuses) {
    auto manifest = hello_manifest();
    manifest["capabilities"] = {"SYS_ADMIN"};
    EXPECT_EQ(verdict(manifest),
              "app 'hello' asks for capability CAP_SYS_ADMIN (davit.json: capabilities), "
              "which policy.json does not allow (capabilities)");
}

TEST_F(CheckTest, ChecksTheOldFormToo) {
    json config = {{"process", {{"args", {"/bin/hello"}}, {"cwd", "/"}}}};
    EXPECT_EQ(legacy_verdict(config), "");
    config["mounts"] = json::array({{{"destination", "/scratch"}, {"type", "tmpfs"}}});
    EXPECT_THAT(legacy_verdict(config), HasSubstr("rootfs has no directory /scratch for a tmpfs of config.json"));
    config["mounts"] = json::array({{{"destination", "/x"}, {"type", "bind"}, {"source", "/srv"}}});
    EXPECT_THAT(legacy_verdict(config), StartsWith("app 'hello': rootfs has no /x (config.json: mounts[0])"));
    config["mounts"] = json::array();
    config["process"]["args"] = {"/bin/none"};
    EXPECT_THAT(legacy_verdict(config), HasSubstr("config.json: process.args: rootfs has no program"));
}

}  // namespace
}  // namespace davit
