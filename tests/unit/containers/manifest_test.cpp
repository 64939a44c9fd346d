#include "containers/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/containers/support.h"

namespace davit {
namespace {

using nlohmann::json;
using test::hello_manifest;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

/// The manifest of hello with @p pointer set to @p value.
json with(const char* pointer, json value) {
    auto manifest = hello_manifest();
    manifest[json::json_pointer(pointer)] = std::move(value);
    return manifest;
}

Manifest read(const json& manifest) {
    auto read = parse_manifest(manifest.dump());
    EXPECT_TRUE(read) << (read ? "" : read.error().message);
    return read.value_or(Manifest{});
}

std::string refusal(const json& manifest) {
    const auto read = parse_manifest(manifest.dump());
    return read ? "accepted" : read.error().message;
}

TEST(Manifest, TakesEveryFieldOfTheDocumentedExample) {
    const auto read = parse_manifest(R"({
        "schema": 1, "name": "hello", "version": "1.2.0", "sequence": 12,
        "start":  { "type": "running", "timeout": "61s" },            // a comment
        "health": { "http": "http://127.0.0.1:8080/health", "every": "500ms", "timeout": "2s", "failures": 4, "stays_up": "2m" },
        "restart": "always", "autostart": false, "stop_timeout": "11s",
        "after": ["db"], "wants": ["db", "cache"], "requires": ["bus"],
        "resources": { "memory": "64M", "cpu": "50%", "tasks": 64 },
        "volumes": [ { "name": "data", "path": "/data" } ],
        "network": "none", "devices": ["/dev/ttyS0"], "capabilities": ["net_raw"],
        "process": { "args": ["/bin/hello", "-v"], "env": {"A": "b\nc"}, "user": "1000:1001", "cwd": "/srv" }
    })");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->name, "hello");
    EXPECT_EQ(read->version, "1.2.0");
    EXPECT_EQ(read->sequence, 12);
    EXPECT_EQ(read->start, StartType::Running);
    EXPECT_EQ(read->start_timeout, Milliseconds(61'000));
    EXPECT_EQ(read->health.http, "http://127.0.0.1:8080/health");
    EXPECT_EQ(read->health.every, Milliseconds(500));
    EXPECT_EQ(read->health.timeout, Milliseconds(2'000));
    EXPECT_EQ(read->health.failures, 4);
    EXPECT_EQ(read->health.stays_up, Milliseconds(120'000));
    EXPECT_EQ(read->restart, Restart::Always);
    EXPECT_FALSE(read->autostart);
    EXPECT_EQ(read->stop_timeout, Milliseconds(11'000));
    EXPECT_THAT(read->after, ElementsAre("db"));
    EXPECT_THAT(read->wants, ElementsAre("db", "cache"));
    EXPECT_THAT(read->requires_, ElementsAre("bus"));
    EXPECT_EQ(read->resources.memory, "64M");
    EXPECT_EQ(read->resources.cpu, "50%");
    EXPECT_EQ(read->resources.tasks, 64);
    ASSERT_EQ(read->volumes.size(), 1u);
    EXPECT_EQ(read->volumes[0].name, "data");
    EXPECT_EQ(read->volumes[0].path, "/data");
    EXPECT_FALSE(read->host_network);
    EXPECT_THAT(read->devices, ElementsAre("/dev/ttyS0"));
    EXPECT_THAT(read->capabilities, ElementsAre("CAP_NET_RAW"));
    ASSERT_TRUE(read->process);
    EXPECT_THAT(read->process->args, ElementsAre("/bin/hello", "-v"));
    EXPECT_THAT(read->process->env, ElementsAre(Pair("A", "b\nc")));
    EXPECT_EQ(read->process->uid, 1000u);
    EXPECT_EQ(read->process->gid, 1001u);
    EXPECT_EQ(read->process->cwd, "/srv");
}

TEST(Manifest, HasDefaultsForWhatIsNotSaid) {
    const auto manifest = read({{"schema", 1}, {"name", "hello"}, {"version", "1"}});
    EXPECT_EQ(manifest.start, StartType::Notify);
    EXPECT_EQ(manifest.start_timeout, Milliseconds(60'000));
    EXPECT_FALSE(manifest.health.http || manifest.health.tcp);
    EXPECT_THAT(manifest.health.exec, IsEmpty());
    EXPECT_EQ(manifest.health.stays_up, Milliseconds(30'000));
    EXPECT_EQ(manifest.restart, Restart::OnFailure);
    EXPECT_TRUE(manifest.autostart);
    EXPECT_TRUE(manifest.host_network);
    EXPECT_THAT(manifest.capabilities, IsEmpty());
    EXPECT_FALSE(manifest.process);
}

TEST(Manifest, TakesAStartDelayAndAWatchdog) {
    const auto read = parse_manifest(R"({"schema": 1, "name": "a", "version": "1",
        "health": {"start_delay": "10s", "watchdog": "2s"}})");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->health.start_delay, Milliseconds(10'000));
    EXPECT_EQ(read->health.watchdog, Milliseconds(2'000));
}

TEST(Manifest, AnAppThatCannotTalkToSystemdHasNoWatchdog) {
    const auto read = parse_manifest(R"({"schema": 1, "name": "a", "version": "1",
        "start": {"type": "running"}, "health": {"watchdog": "2s"}})");
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().message, testing::HasSubstr("health.watchdog: needs start.type \"notify\""));
}

TEST(Manifest, TakesTheOtherTwoHealthChecks) {
    EXPECT_EQ(read(with("/health/tcp", "127.0.0.1:5432")).health.tcp, "127.0.0.1:5432");
    EXPECT_THAT(read(with("/health/exec", {"/bin/check", "-q"})).health.exec, ElementsAre("/bin/check", "-q"));
}

TEST(Manifest, IsRefusedWhenItIsNoJsonObject) {
    EXPECT_THAT(parse_manifest("{").error().message, HasSubstr("davit.json: line 1"));
    EXPECT_EQ(parse_manifest("[]").error().message, "davit.json: expected an object, got an array");
}

TEST(Manifest, NamesAnUnknownFieldAndTheOneThatWasProbablyMeant) {
    EXPECT_EQ(refusal(with("/helth", json::object())), "davit.json: helth: unknown field (did you mean 'health'?)");
    EXPECT_EQ(refusal(with("/health/evry", "5s")), "davit.json: health.evry: unknown field (did you mean 'every'?)");
    EXPECT_THAT(refusal(with("/start/kind", "x")), HasSubstr("davit.json: start.kind: unknown field"));
    EXPECT_THAT(refusal(with("/resources/ram", "x")), HasSubstr("davit.json: resources.ram: unknown field"));
    EXPECT_THAT(refusal(with("/process/arg", "x")),
                HasSubstr("davit.json: process.arg: unknown field (did you mean 'args'?)"));
    EXPECT_THAT(refusal(with("/volumes", {{{"name", "a"}, {"path", "/a"}, {"mode", 1}}})),
                HasSubstr("davit.json: volumes[0].mode: unknown field"));
}

TEST(Manifest, NeedsSchemaNameAndVersion) {
    auto manifest = hello_manifest();
    for (const auto* member : {"schema", "name", "version"}) {
        auto without = manifest;
        without.erase(member);
        EXPECT_THAT(refusal(without), HasSubstr(std::string("davit.json: ") + member)) << member;
    }
    EXPECT_EQ(parse_manifest(with("/schema", 2).dump()).error().code, Code::Unsupported);
    EXPECT_EQ(refusal(with("/schema", 2)), "davit.json: schema: this Davit reads schema 1, not 2");
}

struct Refused {
    const char* pointer;
    json value;
    const char* message;
};

class ManifestRefuses : public testing::TestWithParam<Refused> {};

TEST_P(ManifestRefuses, NamingFieldAndRule) {
    const auto& [pointer, value, message] = GetParam();
    const auto result = parse_manifest(with(pointer, value).dump());
    ASSERT_FALSE(result) << pointer << " = " << value;
    EXPECT_EQ(result.error().code, Code::InvalidInput);
    EXPECT_THAT(result.error().message, HasSubstr(std::string("davit.json: ") + message));
}

INSTANTIATE_TEST_SUITE_P(
    WrongTypes, ManifestRefuses,
    testing::Values(Refused{"/name", 1, "name: expected a string, got a number"},
                    Refused{"/sequence", "12", "sequence: expected an integer, got a string"},
                    Refused{"/start", "notify", "start: expected an object, got a string"},
                    Refused{"/start/timeout", 60, "start.timeout: expected a string, got a number"},
                    Refused{"/health/every", 5, "health.every: expected a string, got a number"},
                    Refused{"/health/failures", 1.5, "health.failures: expected an integer"},
                    Refused{"/autostart", "yes", "autostart: expected a boolean, got a string"},
                    Refused{"/after", "db", "after: expected an array, got a string"},
                    Refused{"/after", json::array({1}), "after[0]: expected a string, got a number"},
                    Refused{"/resources/tasks", "64", "resources.tasks: expected an integer, got a string"},
                    Refused{"/volumes", json::array({"data"}), "volumes[0]: expected an object, got a string"},
                    Refused{"/capabilities", json::array({true}), "capabilities[0]: expected a string, got a boolean"},
                    Refused{"/process/env", json::array(), "process.env: expected an object, got an array"},
                    Refused{"/process/env/A", 1, "process.env.A: expected a string, got a number"}));

INSTANTIATE_TEST_SUITE_P(
    WrongValues, ManifestRefuses,
    testing::Values(
        Refused{"/name", "Hello", "name: \"Hello\" is not an app name"},
        Refused{"/version", "1\n2", "version: \"1\\x0a2\" is not a version"},
        Refused{"/version", "", "version: \"\" is not a version"},
        Refused{"/sequence", -1, "sequence: expected at least 0"},
        Refused{"/start/type", "notfy", "start.type: expected \"notify\" or \"running\" or \"oneshot\", got \"notfy\""},
        Refused{"/start/timeout", "soon", "start.timeout: "},
        Refused{"/start/timeout", "0s", "start.timeout: 0s is not between 100ms and 24h"},
        Refused{"/stop_timeout", "25h", "stop_timeout: 25h is not between"},
        Refused{"/health/http", "127.0.0.1:8080", "health.http: \"127.0.0.1:8080\" is not a URL"},
        Refused{"/health/tcp", "127.0.0.1", "health.tcp: \"127.0.0.1\" is not a host and port"},
        Refused{"/health/exec", json::array(), "health.exec: names no program"},
        Refused{"/health/failures", 0, "health.failures: expected at least 1"},
        Refused{"/health", json({{"http", "http://a/"}, {"tcp", "a:1"}}), "health: has more than one of"},
        Refused{"/restart", "no", "restart: expected \"on-failure\" or \"always\" or \"never\", got \"no\""},
        Refused{"/after", json::array({"hello"}), "after: names the app itself"},
        Refused{"/wants", json::array({"a b"}), "wants[0]: \"a b\" is not an app name"},
        Refused{"/requires", json::array({"db\nExecStart=/bin/sh"}),
                "requires[0]: \"db\\x0aExecStart=/bin/sh\" is not an app name"},
        Refused{"/resources/memory", "64 MB", "resources.memory: \"64 MB\" is not an amount of memory"},
        Refused{"/resources/cpu", "half", "resources.cpu: \"half\" is not a share"},
        Refused{"/resources/tasks", 0, "resources.tasks: expected at least 1"},
        Refused{"/volumes", json::array({{{"name", "../x"}, {"path", "/x"}}}), "volumes[0].name: \"../x\""},
        Refused{"/volumes", json::array({{{"name", "x"}, {"path", "/x/../etc"}}}),
                "volumes[0].path: \"/x/../etc\" has an empty part"},
        Refused{"/volumes", json::array({{{"name", "x"}, {"path", "/proc/x"}}}),
                "volumes[0].path: \"/proc/x\" cannot be a mount point"},
        Refused{"/volumes", json::array({{{"name", "a"}, {"path", "/a"}}, {{"name", "a"}, {"path", "/b"}}}),
                "volumes[1].name: \"a\" is used twice"},
        Refused{"/volumes", json::array({{{"name", "a"}, {"path", "/a"}}, {{"name", "b"}, {"path", "/a"}}}),
                "volumes[1].path: \"/a\" is used twice"},
        Refused{"/network", "bridge", "network: expected \"host\" or \"none\", got \"bridge\""},
        Refused{"/devices", json::array({"/etc/passwd"}), "devices[0]: \"/etc/passwd\" is not below /dev"},
        Refused{"/capabilities", json::array({"CAP_FLY"}), "capabilities[0]: Linux has no capability \"CAP_FLY\""},
        Refused{"/process/args", json::array(), "process.args: names no program"},
        Refused{"/process/args", json::array({std::string("a\0b", 3)}), "process.args[0]: \"a\\x00b\" has a NUL"},
        Refused{"/process/env/1A", "x", "process.env: \"1A\" is not a name"},
        Refused{"/process/env/NOTIFY_SOCKET", "x", "process.env: NOTIFY_SOCKET is set by Davit"},
        Refused{"/process/user", "root", "process.user: expected \"uid:gid\" as numbers"},
        Refused{"/process/user", "1000", "process.user: expected \"uid:gid\" as numbers"},
        Refused{"/process/user", "1000:1000x", "process.user: expected \"uid:gid\" as numbers"},
        Refused{"/process/user", "4294967295:0", "process.user: expected \"uid:gid\" as numbers"},
        Refused{"/process/cwd", "srv", "process.cwd: \"srv\" is not an absolute path"}));

TEST(Manifest, RefusesAOneshotThatSystemdCouldNotRestart) {
    auto manifest = with("/start/type", "oneshot");
    manifest["restart"] = "always";
    EXPECT_EQ(refusal(manifest), "davit.json: restart: \"always\" does not go with start.type \"oneshot\"");
}

TEST(LegacyManifest, TakesItsOptionsFromTheModulesMetadata) {
    const auto manifest =
        legacy_manifest("hello", "7", {.notify = true, .autostart = false, .timeout = Milliseconds(1'500)});
    EXPECT_EQ(manifest.name, "hello");
    EXPECT_EQ(manifest.version, "7");
    EXPECT_EQ(manifest.start, StartType::Notify);
    EXPECT_EQ(manifest.start_timeout, Milliseconds(1'500));
    EXPECT_FALSE(manifest.autostart);
    EXPECT_EQ(legacy_manifest("hello", "7", {}).start, StartType::Running);
}

}  // namespace
}  // namespace davit
