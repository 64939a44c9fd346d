#include "containers/launch/cgroup.h"

#include <gtest/gtest.h>

namespace davit {
namespace {

TEST(UnitCgroup, IsTheLineOfTheUnifiedHierarchy) {
    EXPECT_EQ(unit_cgroup("0::/davit.slice/davit-app-hello.service\n"), "/davit.slice/davit-app-hello.service");
    EXPECT_EQ(unit_cgroup("12:memory:/other\n1:name=systemd:/x\n0::/davit-app-hello.service\n"),
              "/davit-app-hello.service");
}

TEST(UnitCgroup, LeavesOutWhereSystemdRunsExecStopPost) {
    EXPECT_EQ(unit_cgroup("0::/davit-app-hello.service/.control\n"), "/davit-app-hello.service");
}

TEST(UnitCgroup, NeedsCgroupV2) {
    EXPECT_EQ(unit_cgroup("4:memory:/x\n").error().code, Code::Unsupported);
    EXPECT_FALSE(unit_cgroup(""));
}

}  // namespace
}  // namespace davit
