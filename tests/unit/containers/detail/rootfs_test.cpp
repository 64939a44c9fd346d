#include "containers/detail/rootfs.h"

#include <gtest/gtest.h>

#include "tests/unit/containers/support.h"

namespace davit::rootfs {
namespace {

class RootfsTest : public testing::Test {
protected:
    void link(const char* target, const char* at) const { std::filesystem::create_symlink(target, root_ / at); }

    Path root_ = test::fresh_directory();
};

TEST_F(RootfsTest, FollowsLinksAsAfterAChroot) {
    test::write(root_ / "usr/bin/busybox", "");
    link("usr/bin", "bin");
    link("/bin/busybox", "usr/bin/sh");
    EXPECT_EQ(resolve(root_, "/bin/sh"), root_ / "usr/bin/busybox");
}

TEST_F(RootfsTest, NeverLeavesTheRoot) {
    test::write(root_ / "etc/passwd", "");
    link("../../../../etc/passwd", "up");
    EXPECT_EQ(resolve(root_, "/up"), root_ / "etc/passwd");
    EXPECT_EQ(resolve(root_, "/../../etc/passwd"), root_ / "etc/passwd");
    link("/etc/shadow", "out");
    EXPECT_EQ(resolve(root_, "/out"), std::nullopt);
}

TEST_F(RootfsTest, FindsNothingWhereLinksRunInACircle) {
    link("b", "a");
    link("a", "b");
    EXPECT_EQ(resolve(root_, "/a"), std::nullopt);
}

TEST_F(RootfsTest, KnowsDirectoriesFromFiles) {
    test::write(root_ / "var/run", "");
    link("var", "v");
    EXPECT_TRUE(is_directory(root_, "/v"));
    EXPECT_FALSE(is_directory(root_, "/v/run"));
    EXPECT_FALSE(is_directory(root_, "/nothing"));
    EXPECT_TRUE(is_directory(root_, "/"));
}

}  // namespace
}  // namespace davit::rootfs
