#include "containers/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/containers/support.h"

namespace davit {
namespace {

using test::hello_manifest;
using testing::AllOf;
using testing::HasSubstr;

class BundleTest : public testing::Test {
protected:
    test::BundleDirectory directory_{test::fresh_directory()};
};

TEST_F(BundleTest, TakesItsManifestFromDavitJson) {
    directory_.manifest(hello_manifest());
    const auto bundle = directory_.read();
    ASSERT_TRUE(bundle) << bundle.error().message;
    EXPECT_FALSE(bundle->legacy);
    EXPECT_EQ(bundle->manifest.version, "1.2.0");
    EXPECT_EQ(bundle->directory, directory_.path());
}

TEST_F(BundleTest, OfTheOldFormHasOnlyConfigJson) {
    directory_.config({{"process", {{"args", {"/bin/hello"}}}}});
    test::write(directory_.path() / "systemd.service", "[Service]\nExecStart=/usr/bin/runc run hello\n");
    test::write(directory_.path() / "auto.start", "");
    const auto bundle = directory_.read({.notify = true});
    ASSERT_TRUE(bundle) << bundle.error().message;
    EXPECT_TRUE(bundle->legacy);
    EXPECT_EQ(bundle->manifest.name, "hello");
    EXPECT_EQ(bundle->manifest.version, "7");
    EXPECT_EQ(bundle->manifest.start, StartType::Notify);
}

TEST_F(BundleTest, IsRefusedWithoutAnyDescription) {
    EXPECT_THAT(directory_.read().error().message,
                AllOf(HasSubstr(directory_.path().string()), HasSubstr("has neither davit.json nor config.json")));
}

TEST_F(BundleTest, IsRefusedWithoutRootfs) {
    directory_.manifest(hello_manifest());
    std::filesystem::remove_all(directory_.rootfs());
    EXPECT_THAT(directory_.read().error().message, HasSubstr("has no rootfs/"));
}

TEST_F(BundleTest, IsRefusedWhenRootfsIsALinkToSomewhereElse) {
    directory_.manifest(hello_manifest());
    std::filesystem::remove_all(directory_.rootfs());
    std::filesystem::create_directory_symlink("/", directory_.rootfs());
    EXPECT_THAT(directory_.read().error().message, HasSubstr("has no rootfs/"));
}

TEST_F(BundleTest, SaysWhatToRunExactlyOnce) {
    auto manifest = hello_manifest();
    directory_.manifest(manifest);
    directory_.config({{"process", {{"args", {"/bin/hello"}}}}});
    EXPECT_THAT(directory_.read().error().message, HasSubstr("what to run can be said once"));

    manifest.erase("process");
    directory_.manifest(manifest);
    EXPECT_TRUE(directory_.read());

    std::filesystem::remove(directory_.path() / "config.json");
    EXPECT_THAT(directory_.read().error().message, HasSubstr("no config.json that says what to run"));
}

TEST_F(BundleTest, NamesTheDirectoryOfABadManifest) {
    directory_.manifest({{"schema", 1}, {"name", 5}, {"version", "1"}});
    EXPECT_THAT(directory_.read().error().message,
                AllOf(HasSubstr(directory_.path().string()), HasSubstr("davit.json: name: expected a string")));
}

}  // namespace
}  // namespace davit
