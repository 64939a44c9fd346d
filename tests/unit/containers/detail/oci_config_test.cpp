#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "containers/detail/wish.h"

namespace davit {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

json base() {
    return {
        {"ociVersion", "1.0.2"}, {"process", {{"args", {"/bin/hello"}}, {"cwd", "/"}}}, {"root", {{"path", "rootfs"}}}};
}

json with(const char* pointer, json value) {
    auto config = base();
    config[json::json_pointer(pointer)] = std::move(value);
    return config;
}

Wish read(const json& config) {
    auto wish = read_oci_config(config.dump());
    EXPECT_TRUE(wish) << (wish ? "" : wish.error().message);
    return wish ? *wish : Wish{};
}

std::string refusal(const json& config, Code code = Code::InvalidInput) {
    const auto wish = read_oci_config(config.dump());
    if (wish) return "accepted";
    EXPECT_EQ(wish.error().code, code);
    return wish.error().message;
}

TEST(OciConfig, TakesTheProcess) {
    const auto wish = read(with(
        "/process", {{"args", {"/bin/a", "b"}},
                     {"env", {"A=1", "NOTIFY_SOCKET=/mine", "WATCHDOG_USEC=1", "B="}},
                     {"cwd", "/srv"},
                     {"user", {{"uid", 1}, {"gid", 2}, {"umask", 23}, {"additionalGids", {3, 4}}}},
                     {"rlimits", {{{"type", "RLIMIT_NOFILE"}, {"soft", 1024}, {"hard", 18446744073709551615u}}}}}));
    EXPECT_THAT(wish.args, ElementsAre("/bin/a", "b"));
    EXPECT_THAT(wish.env, ElementsAre("A=1", "B="));
    EXPECT_EQ(wish.cwd, "/srv");
    EXPECT_EQ(wish.user, json({{"uid", 1}, {"gid", 2}, {"umask", 23}, {"additionalGids", {3, 4}}}));
    EXPECT_EQ(wish.rlimits[0]["hard"], 18446744073709551615u);
}

TEST(OciConfig, CollectsCapabilitiesAndWhoAskedForThem) {
    const auto wish =
        read(with("/process/capabilities", {{"bounding", {"CAP_KILL", "CAP_CHOWN"}}, {"effective", {"CAP_KILL"}}}));
    EXPECT_THAT(wish.capabilities.at("bounding"), ElementsAre("CAP_CHOWN", "CAP_KILL"));
    EXPECT_THAT(wish.capabilities.at("effective"), ElementsAre("CAP_KILL"));
    EXPECT_EQ(wish.capability_field.at("CAP_KILL"), "config.json: process.capabilities.bounding");
}

TEST(OciConfig, HasANetworkOfItsOwnOnlyWithThatNamespace) {
    EXPECT_TRUE(read(base()).host_network);
    EXPECT_TRUE(read(with("/linux/namespaces", {{{"type", "pid"}}})).host_network);
    EXPECT_FALSE(read(with("/linux/namespaces", {{{"type", "pid"}}, {{"type", "network"}}})).host_network);
}

TEST(OciConfig, LeavesTheStandardFileSystemsToDavit) {
    const auto wish = read(
        with("/mounts", json::array({{{"destination", "/proc"}, {"type", "proc"}},
                                     {{"destination", "/dev"}, {"type", "tmpfs"}, {"options", {"dev", "suid"}}},
                                     {{"destination", "/run/"}, {"type", "tmpfs"}},
                                     {{"destination", "/sys/fs/cgroup"}, {"type", "cgroup"}, {"options", {"rw"}}},
                                     {{"destination", "/etc/hosts"}, {"type", "bind"}, {"source", "/etc/hosts"}}})));
    EXPECT_THAT(wish.tmpfs, IsEmpty());
    EXPECT_THAT(wish.binds, IsEmpty());
}

TEST(OciConfig, TakesBindsAndTmpfs) {
    const auto wish = read(with(
        "/mounts", json::array({{{"destination", "/proc"}, {"type", "proc"}},
                                {{"destination", "/cache"}, {"type", "tmpfs"}, {"options", {"size=64m", "mode=1777"}}},
                                {{"destination", "/srv"}, {"source", "/srv/x"}, {"options", {"rbind", "ro"}}}})));
    ASSERT_EQ(wish.tmpfs.size(), 1u);
    EXPECT_EQ(wish.tmpfs[0].destination, "/cache");
    ASSERT_EQ(wish.binds.size(), 1u);
    EXPECT_EQ(wish.binds[0].source, "/srv/x");
    EXPECT_EQ(wish.binds[0].field, "config.json: mounts[2]");
}

TEST(OciConfig, RefusesMountsThatReachFurther) {
    const auto mount = [](json value) { return with("/mounts", json::array({std::move(value)})); };
    EXPECT_THAT(refusal(mount({{"destination", "/x"}, {"type", "overlay"}}), Code::PolicyRefused),
                HasSubstr("config.json: mounts[0]: a mount of type \"overlay\" is not allowed"));
    EXPECT_THAT(refusal(mount({{"destination", "/x"}, {"type", "bind"}, {"source", "/y"}, {"options", {"rshared"}}}),
                        Code::PolicyRefused),
                HasSubstr("mounts[0]: option \"rshared\" of a bind mount"));
    EXPECT_THAT(
        refusal(mount({{"destination", "/x"}, {"type", "tmpfs"}, {"options", {"size=1,suid"}}}), Code::PolicyRefused),
        HasSubstr("option \"size=1,suid\" of a tmpfs"));
    EXPECT_THAT(refusal(mount({{"destination", "/proc"}, {"type", "bind"}, {"source", "/proc"}})),
                HasSubstr("mounts[0].destination: \"/proc\""));
    EXPECT_THAT(refusal(mount({{"destination", "/x"}, {"type", "bind"}, {"source", "data"}})),
                HasSubstr("mounts[0].source: \"data\" is not an absolute path"));
    EXPECT_THAT(refusal(mount({{"destination", "x"}, {"type", "tmpfs"}})),
                HasSubstr("mounts[0].destination: \"x\" is not an absolute path"));
}

TEST(OciConfig, KeepsLimitsSeccompAndExtraDevices) {
    const auto wish = read(
        with("/linux", {{"resources", {{"memory", {{"limit", 1000}, {"swappiness", 1}}}, {"pids", {{"limit", -1}}}}},
                        {"devices", {{{"path", "/dev/null"}}, {{"path", "/dev/ttyS0"}, {"major", 99}}}},
                        {"seccomp", {{"defaultAction", "SCMP_ACT_ERRNO"}}}}));
    EXPECT_EQ(wish.resources, json({{"memory", {{"limit", 1000}}}}));
    ASSERT_EQ(wish.devices.size(), 1u);
    EXPECT_EQ(wish.devices[0].path, "/dev/ttyS0");
    EXPECT_EQ(wish.seccomp["defaultAction"], "SCMP_ACT_ERRNO");
}

TEST(OciConfig, RefusesForeignNamespacesAndListeners) {
    EXPECT_THAT(
        refusal(with("/linux/namespaces", {{{"type", "network"}, {"path", "/proc/1/ns/net"}}}), Code::PolicyRefused),
        HasSubstr("config.json: linux.namespaces[0]: joining another namespace"));
    EXPECT_THAT(refusal(with("/linux/namespaces", {{{"type", "user"}}}), Code::Unsupported),
                HasSubstr("a user namespace is not supported"));
    EXPECT_THAT(refusal(with("/linux/seccomp", {{"listenerPath", "/run/x"}}), Code::PolicyRefused),
                HasSubstr("linux.seccomp: a listener"));
}

TEST(OciConfig, NamesTheFieldOfAMistake) {
    EXPECT_THAT(read_oci_config("{").error().message, HasSubstr("config.json: line 1"));
    EXPECT_EQ(refusal(json::array()), "config.json: expected an object, got an array");
    EXPECT_THAT(refusal(json::object()), HasSubstr("config.json: process"));
    EXPECT_THAT(refusal(with("/root/path", "/")), HasSubstr("config.json: root.path: must be \"rootfs\""));
    EXPECT_THAT(refusal(with("/process/args", json::array())), HasSubstr("process.args: names no program"));
    EXPECT_THAT(refusal(with("/process/env", {"A"})), HasSubstr("process.env: \"A\" is not NAME=value"));
    EXPECT_THAT(refusal(with("/process/cwd", "x")), HasSubstr("process.cwd: \"x\" is not an absolute path"));
    EXPECT_THAT(refusal(with("/process/user/uid", "root")), HasSubstr("process.user.uid: expected an integer"));
    EXPECT_THAT(refusal(with("/process/user/additionalGids", {-1})),
                HasSubstr("process.user.additionalGids[0]: expected a group's number"));
    EXPECT_THAT(refusal(with("/process/capabilities/effective", {"CAP_FLY"})),
                HasSubstr("effective[0]: Linux has no capability \"CAP_FLY\""));
    EXPECT_THAT(refusal(with("/process/rlimits", {{{"type", "RLIMIT_NOFILE"}, {"soft", -1}, {"hard", 1}}})),
                HasSubstr("process.rlimits[0].soft: expected a number"));
}

}  // namespace
}  // namespace davit
