#include "agent/systemd/unit_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "parsed_unit.h"
#include "tests/unit/common/support.h"

namespace davit {
namespace {

using test::FailsWith;
using test::Gives;
using test::Works;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Bundle bundle(std::string name) {
    Bundle app;
    app.manifest.name = std::move(name);
    app.manifest.version = "1.0";
    app.directory = "/var/lib/davit/checkouts/x/0123abcd";
    return app;
}

Result<std::string> text_of(const Bundle& app) {
    return unit_text(app, {.paths = {}, .libexec = "/usr/libexec/davit"});
}

/// @p app's unit as systemd reads it. Fails the test when systemd complains about a line.
test::ParsedUnit read_by_systemd(const Bundle& app) {
    // The launcher need not be installed here for systemd to accept the unit.
    const auto text = unit_text(app, {.paths = {}, .libexec = "/bin"});
    auto parsed = test::parse_with_systemd({{unit_name(app.manifest.name), text.value_or("")}});
    EXPECT_THAT(parsed.complaints, IsEmpty());
    EXPECT_EQ(parsed.units.size(), 1u);
    return parsed.units.empty() ? test::ParsedUnit("") : parsed.units.begin()->second;
}

TEST(UnitName, IsFoundAgainInAUnitsName) {
    EXPECT_EQ(unit_name("hello"), "davit-app-hello.service");
    EXPECT_EQ(app_of_unit("davit-app-hello.service"), "hello");
    EXPECT_EQ(app_of_unit("davit-app-.service"), std::nullopt);
    EXPECT_EQ(app_of_unit("davit-apps.target"), std::nullopt);
    EXPECT_EQ(app_of_unit("davitd.service"), std::nullopt);
}

TEST(UnitText, IsTheWholeUnit) {
    auto app = bundle("hello");
    app.manifest.after = {"clock"};
    app.manifest.wants = {"db"};
    app.manifest.requires_ = {"bus"};
    app.manifest.resources = {.memory = "64M", .cpu = "50%", .tasks = 16};

    const auto text = text_of(app);

    ASSERT_THAT(text, Works());
    EXPECT_EQ(*text,
              R"(# Written by Davit from the app's manifest; changes here are lost. Drop-ins (systemctl edit) are kept.

[Unit]
Description=Davit app hello
PartOf=davit-apps.target
RequiresMountsFor=/var/lib/davit
After=network.target
Wants=davit-app-db.service
Requires=davit-app-bus.service
After=davit-app-bus.service davit-app-clock.service davit-app-db.service
StartLimitIntervalSec=10min
StartLimitBurst=30

[Service]
Type=notify
PIDFile=/run/davit/hello.pid
NotifyAccess=all
Delegate=yes
Slice=davit-apps.slice
Environment="DAVIT_RUNTIME=runc"
ExecStart="/usr/libexec/davit/davit-launch" "hello"
ExecStopPost=-"/usr/libexec/davit/davit-launch" --cleanup "hello"
Restart=on-failure
RestartSec=1
RestartSteps=6
RestartMaxDelaySec=60
TimeoutStartSec=60000ms
TimeoutStopSec=10000ms
WatchdogSignal=SIGKILL
SyslogIdentifier=hello
MemoryMax=64M
CPUQuota=50%
TasksMax=16
)");
}

TEST(UnitText, IsReadBySystemdAsItIsMeant) {
    auto app = bundle("hello");
    app.manifest.start_timeout = Milliseconds{90'000};
    app.manifest.resources = {.memory = "64M", .cpu = "50%", .tasks = 16};

    const auto unit = read_by_systemd(app);

    EXPECT_EQ(unit.value("Description"), "Davit app hello");
    EXPECT_EQ(unit.value("Type"), "notify");
    EXPECT_EQ(unit.value("NotifyAccess"), "all");
    EXPECT_EQ(unit.value("PIDFile"), "/run/davit/hello.pid");
    EXPECT_THAT(unit.value("Delegate"), HasSubstr("memory"));
    EXPECT_EQ(unit.value("Restart"), "on-failure");
    EXPECT_EQ(unit.value("RestartSec"), "1s");
    EXPECT_EQ(unit.value("RestartSteps"), "6");
    EXPECT_EQ(unit.value("RestartMaxDelaySec"), "1min");
    EXPECT_EQ(unit.value("TimeoutStartSec"), "1min 30s");
    EXPECT_EQ(unit.value("TimeoutStopSec"), "10s");
    EXPECT_EQ(unit.value("MemoryMax"), std::to_string(64u << 20));
    EXPECT_EQ(unit.value("CPUQuotaPerSecSec"), "500ms");
    EXPECT_EQ(unit.value("TasksMax"), "16");
}

TEST(UnitText, DoesNotChangeWithTheVersionOrTheCommit) {
    auto next = bundle("hello");
    next.manifest.version = "2.0";
    next.manifest.sequence = 7;
    next.directory = "/var/lib/davit/checkouts/hello/ffff";

    EXPECT_THAT(text_of(next), Gives(*text_of(bundle("hello"))));
}

TEST(UnitText, AppsWithoutReadyAreForkingBecauseTheRuntimeDetaches) {
    auto app = bundle("legacy");
    app.manifest = legacy_manifest("legacy", "1", {.notify = false, .autostart = true, .timeout = Milliseconds{5'000}});
    app.legacy = true;

    const auto unit = read_by_systemd(app);

    EXPECT_EQ(unit.value("Type"), "forking");
    EXPECT_EQ(unit.value("PIDFile"), "/run/davit/legacy.pid");
    EXPECT_EQ(unit.value("TimeoutStartSec"), "5s");
}

TEST(UnitText, AOneshotAppHasRunWhenItHasEndedAndIsNeverAlwaysRestarted) {
    auto app = bundle("job");
    app.manifest.start = StartType::Oneshot;
    app.manifest.restart = Restart::Always;  // systemd refuses to load this for a oneshot

    const auto unit = read_by_systemd(app);

    EXPECT_EQ(unit.value("Type"), "oneshot");
    EXPECT_EQ(unit.value("RemainAfterExit"), "yes");
    EXPECT_EQ(unit.value("Restart"), "on-failure");
}

TEST(UnitText, AnAppWithAWatchdogIsEndedWhenItHangs) {
    auto app = bundle("hello");
    EXPECT_THAT(text_of(app), Gives(Not(HasSubstr("WatchdogSec="))));
    app.manifest.health.watchdog = Milliseconds{3'000};

    const auto unit = read_by_systemd(app);

    EXPECT_EQ(unit.value("WatchdogSec"), "3s");
}

TEST(UnitText, TellsTheLauncherWhichRuntimeTheDeviceHas) {
    EXPECT_THAT(unit_text(bundle("hello"), {.paths = {}, .libexec = "/bin", .runtime = "/opt/my crun"}),
                Gives(HasSubstr("\nEnvironment=\"DAVIT_RUNTIME=/opt/my crun\"\n")));
}

TEST(UnitText, RestartFollowsTheManifest) {
    auto app = bundle("hello");
    app.manifest.restart = Restart::Never;
    EXPECT_THAT(text_of(app), Gives(HasSubstr("\nRestart=no\n")));
    app.manifest.restart = Restart::Always;
    EXPECT_THAT(text_of(app), Gives(HasSubstr("\nRestart=always\n")));
}

TEST(UnitText, ATimeoutOfZeroIsNotNoTimeout) {
    auto app = bundle("hello");
    app.manifest.start_timeout = app.manifest.stop_timeout = Milliseconds{0};

    EXPECT_THAT(text_of(app), Gives(AllOf(HasSubstr("TimeoutStartSec=1ms\n"), HasSubstr("TimeoutStopSec=1ms\n"))));
}

TEST(UnitText, AppsWithoutLimitsHaveNoneInTheirUnit) {
    EXPECT_THAT(text_of(bundle("hello")),
                Gives(AllOf(Not(HasSubstr("MemoryMax")), Not(HasSubstr("CPUQuota")), Not(HasSubstr("TasksMax")))));
}

TEST(UnitText, StringsFromOutsideNeverBecomeDirectives) {
    auto app = bundle("hello");
    app.manifest.resources.memory = "64M\nExecStartPre=/bin/sh";
    EXPECT_THAT(text_of(app), FailsWith(Code::InvalidInput, HasSubstr("is not a number with a unit")));

    app = bundle("hello");
    app.manifest.after = {"db.service\nUser=root"};
    EXPECT_THAT(text_of(app), FailsWith(Code::InvalidInput, HasSubstr("name")));

    EXPECT_THAT(text_of(bundle("hello\n[Service]")), FailsWith(Code::InvalidInput, HasSubstr("name")));
    EXPECT_THAT(text_of(bundle("../../etc/passwd")), FailsWith(Code::InvalidInput, HasSubstr("name")));
}

}  // namespace
}  // namespace davit
