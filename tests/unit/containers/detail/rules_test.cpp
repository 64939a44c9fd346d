#include "containers/detail/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::rules {
namespace {

using namespace std::string_literals;

void accepts(Objection (*rule)(std::string_view), std::initializer_list<std::string> texts) {
    for (const auto& text : texts)
        EXPECT_FALSE(rule(text)) << text << ": " << rule(text).value_or("");
}

void refuses(Objection (*rule)(std::string_view), std::initializer_list<std::string> texts) {
    for (const auto& text : texts)
        EXPECT_TRUE(rule(text)) << quoted(text);
}

TEST(Rules, AnAppNameIsEqualInFilesRefsUnitsAndCgroups) {
    accepts(app_name, {"a", "0", "hello-2", "db.main", "a_b", std::string(64, 'x')});
    refuses(app_name, {"", ".", "..", "-a", ".a", "A", "a/b", "a b", "a\n", "a\0"s, "é", "a@b", "a%b", "a\\b",
                       "hello.pid", std::string(65, 'x')});
}

TEST(Rules, AVersionIsOneWord) {
    accepts(version, {"1", "1.2.0-rc1+build", "2026-11-21T10:00", "v%n"});
    refuses(version, {"", " ", "1 2", "1\n", "1\0"s, "é", std::string(129, '1')});
}

TEST(Rules, APathIsAbsoluteAndInNormalForm) {
    accepts(absolute_path, {"/", "/a", "/a/b.c/..d", "/é"});
    refuses(absolute_path, {"", "a", "./a", "//", "/a//b", "/a/", "/a/.", "/a/../b", "/..", "/a\nb", "/a\0b"s,
                            "/" + std::string(4000, 'x')});
}

TEST(Rules, AMountPointLeavesTheSystemsDirectoriesAlone) {
    accepts(mount_point, {"/data", "/run/x", "/tmp/x", "/processes", "/development"});
    refuses(mount_point, {"/", "/proc", "/proc/sys", "/sys", "/sys/fs", "/dev", "/dev/shm", "/../dev"});
}

TEST(Rules, ADeviceNodeLiesBelowDev) {
    accepts(device_node, {"/dev/ttyS0", "/dev/dri/card0"});
    refuses(device_node, {"/dev", "/dev/../etc/passwd", "dev/ttyS0", "/devices/x"});
}

TEST(Rules, MemoryHasTheFormOfSystemdsMemoryMax) {
    accepts(memory, {"64M", "1G", "2T", "1024K", "1048576", "50%", "100%"});
    refuses(memory, {"", "M", "0", "0M", "64MB", "64 M", "1.5G", "-1", "infinity", "101%", "64M\nExecStart=/bin/sh",
                     "64m", "9999999999999999"});
}

TEST(Rules, CpuHasTheFormOfSystemdsCpuQuota) {
    accepts(cpu, {"1%", "50%", "200%"});
    refuses(cpu, {"", "%", "0%", "50", "0.5%", "50%%", "5e1%", "50%\n", "1000000%"});
}

TEST(Rules, AUrlHasSchemeAndHost) {
    accepts(http_url, {"http://127.0.0.1:8080/health", "https://[::1]/", "http://a"});
    refuses(http_url, {"", "http://", "https:///x", "ftp://a/", "http://a b/", "http://a/\n", "127.0.0.1:80"});
}

TEST(Rules, AHostHasAPort) {
    accepts(host_and_port, {"127.0.0.1:1", "localhost:65535", "[::1]:80"});
    refuses(host_and_port, {"", ":80", "a", "a:", "a:0", "a:65536", "a:x", "a b:80", "a:80\n"});
}

TEST(Rules, AnEnvironmentVariableHasAShellsNameAndIsNotOneOfOurs) {
    accepts(env_name, {"A", "_x", "PATH", "a1"});
    refuses(env_name, {"", "1A", "A-B", "A=B", "A B", "NOTIFY_SOCKET", "WATCHDOG_USEC"});
}

TEST(Rules, AnArgumentMayHoldAnythingButNul) {
    accepts(argument, {"", "a\nb", "é"});
    refuses(argument, {"\0"s, "a\0b"s});
}

TEST(Rules, CapabilityNamesAreBroughtIntoOneForm) {
    EXPECT_EQ(capability("net_raw"), "CAP_NET_RAW");
    EXPECT_EQ(capability("cap_Net_Raw"), "CAP_NET_RAW");
    EXPECT_EQ(capability("CAP_WAKE_ALARM"), "CAP_WAKE_ALARM");
    EXPECT_EQ(capability("CAP_FLY"), std::nullopt);
    EXPECT_EQ(capability(""), std::nullopt);
}

TEST(Rules, QuotedTextStaysOnOneLineAndShort) {
    EXPECT_EQ(quoted("a\nb\x7f"), "\"a\\x0ab\\x7f\"");
    EXPECT_LT(quoted(std::string(100'000, 'x')).size(), 300u);
}

}  // namespace
}  // namespace davit::rules
