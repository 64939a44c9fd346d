#include "agent/systemd/unit_text.h"

#include <algorithm>
#include <format>
#include <set>
#include <vector>

#include "agent/systemd/escape.h"

namespace davit {
namespace {

constexpr std::string_view kPrefix = "davit-app-";
constexpr std::string_view kSuffix = ".service";

/// Lines of a unit. Everything that is not a constant of ours goes through unit_value() or is a number.
class Lines {
public:
    void section(std::string_view name) { text_ += std::format("\n[{}]\n", name); }
    void add(std::string_view key, std::string_view value) { text_ += std::format("{}={}\n", key, value); }
    Result<void> add_text(std::string_view key, std::string_view value) {
        add(key, TRY(unit_value(UnitValue::Text, value)));
        return {};
    }
    Result<void> add_quantity(std::string_view key, std::string_view value) {
        add(key, TRY(unit_value(UnitValue::Quantity, value)));
        return {};
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    std::string text_ =
        "# Written by Davit from the app's manifest; changes here are lost. Drop-ins (systemctl edit) are kept.\n";
};

/// For systemd 0 means "no limit", for a manifest it means "at once".
std::string limit(Milliseconds duration) {
    return std::format("{}ms", std::max(duration, Milliseconds{1}).count());
}

Result<std::string> units_of(const std::set<std::string>& apps) {
    std::string names;
    for (const auto& app : apps) {
        TRY(check_app_name(app));
        names += (names.empty() ? "" : " ") + unit_name(app);
    }
    return names;
}

/// Wants and Requires say nothing about order, so both are also in After. Never BindsTo: an app whose dependency
/// crashes and comes back would stay dead.
Result<void> add_dependencies(Lines& unit, const Manifest& manifest) {
    const std::set<std::string> wants(manifest.wants.begin(), manifest.wants.end());
    const std::set<std::string> requires_(manifest.requires_.begin(), manifest.requires_.end());
    std::set<std::string> after(manifest.after.begin(), manifest.after.end());
    after.insert(wants.begin(), wants.end());
    after.insert(requires_.begin(), requires_.end());
    if (!wants.empty()) unit.add("Wants", TRY(units_of(wants)));
    if (!requires_.empty()) unit.add("Requires", TRY(units_of(requires_)));
    if (!after.empty()) unit.add("After", TRY(units_of(after)));
    return {};
}

Result<void> add_unit_section(Lines& unit, const Manifest& manifest, const DevicePaths& paths) {
    unit.section("Unit");
    TRY(unit.add_text("Description", "Davit app " + manifest.name));
    // `systemctl stop davit-apps.target` stops all apps, those without autostart included. Nothing ties an app to
    // davitd.
    unit.add("PartOf", "davit-apps.target");
    // Started by hand, too, the app finds its data mounted; and the unmount waits until the app has stopped.
    TRY(unit.add_text("RequiresMountsFor", paths.state.string()));
    // Apps use the host's network: they stop before it goes down. (Nobody waits for network-online.target: that may
    // take minutes.)
    unit.add("After", "network.target");
    TRY(add_dependencies(unit, manifest));
    // An app that keeps crashing is started again for ever, ever more slowly (RestartSteps below). Before systemd 254,
    // which knows no steps, this limit ends the loop instead.
    unit.add("StartLimitIntervalSec", "10min");
    unit.add("StartLimitBurst", "30");
    return {};
}

/// How systemd learns that the app has started, and which process it is.
Result<void> add_start(Lines& unit, const Manifest& manifest, const DevicePaths& paths) {
    if (manifest.start == StartType::Oneshot) {
        // davit-launch stays in the foreground until the container has ended. "Has run" is a state that others may
        // depend on, hence RemainAfterExit.
        unit.add("Type", "oneshot");
        unit.add("RemainAfterExit", "yes");
        return {};
    }
    // The runtime detaches: no process of ours stays behind. So the launcher's end is not the app's end, and the PID
    // file says which process is the app; with Type=notify it is needed as well (else Result=protocol).
    unit.add("Type", manifest.start == StartType::Notify ? "notify" : "forking");
    TRY(unit.add_text("PIDFile", paths.pid_file(manifest.name).string()));
    return {};
}

std::string_view restart_word(const Manifest& manifest) {
    switch (manifest.restart) {
        case Restart::Never:
            return "no";
        case Restart::OnFailure:
            return "on-failure";
        // systemd refuses a oneshot unit with "always": it has done its work when it ends well.
        case Restart::Always:
            return manifest.start == StartType::Oneshot ? "on-failure" : "always";
    }
    return "no";
}

Result<void> add_resources(Lines& unit, const Resources& resources) {
    if (resources.memory) TRY(unit.add_quantity("MemoryMax", *resources.memory));
    if (resources.cpu) TRY(unit.add_quantity("CPUQuota", *resources.cpu));
    if (resources.tasks) unit.add("TasksMax", std::to_string(*resources.tasks));
    return {};
}

Result<void> add_service_section(Lines& unit, const Manifest& manifest, const UnitOptions& options) {
    const std::string launcher = TRY(unit_value(UnitValue::Word, (options.libexec / "davit-launch").string()));
    const std::string app = TRY(unit_value(UnitValue::Argument, manifest.name));
    unit.section("Service");
    TRY(add_start(unit, manifest, options.paths));
    // systemd's own socket is bound into the container: READY, WATCHDOG and STATUS come from there, and an error's text
    // from the launcher. Senders are told by the unit's cgroup.
    unit.add("NotifyAccess", "all");
    // The runtime makes the container's cgroup below the unit's, so that the unit's limits hold for the container.
    unit.add("Delegate", "yes");
    unit.add("Slice", "davit-apps.slice");
    unit.add("Environment", TRY(unit_value(UnitValue::Word, "DAVIT_RUNTIME=" + options.runtime)));
    unit.add("ExecStart", std::format("{} {}", launcher, app));
    // Whatever way the app ended, nothing of its container is left for the next start to stumble over.
    unit.add("ExecStopPost", std::format("-{} --cleanup {}", launcher, app));
    unit.add("Restart", restart_word(manifest));
    // After 1 s, 2 s, 4 s, … 1 min. Not longer: systemd counts all restarts since the last start by hand, so that one
    // crash a week would end there as well.
    unit.add("RestartSec", "1");
    unit.add("RestartSteps", "6");
    unit.add("RestartMaxDelaySec", "60");
    unit.add("TimeoutStartSec", limit(manifest.start_timeout));
    unit.add("TimeoutStopSec", limit(manifest.stop_timeout));
    if (manifest.health.watchdog) unit.add("WatchdogSec", limit(*manifest.health.watchdog));
    // An app may also switch its watchdog on by WATCHDOG_USEC=. PID 1 of a PID namespace ignores the default, SIGABRT.
    unit.add("WatchdogSignal", "SIGKILL");
    TRY(unit.add_text("SyslogIdentifier", manifest.name));
    return add_resources(unit, manifest.resources);
}

}  // namespace

std::string unit_name(std::string_view app) {
    return std::format("{}{}{}", kPrefix, app, kSuffix);
}

std::optional<std::string> app_of_unit(std::string_view unit) {
    if (unit.size() <= kPrefix.size() + kSuffix.size() || !unit.starts_with(kPrefix) || !unit.ends_with(kSuffix))
        return std::nullopt;
    return std::string(unit.substr(kPrefix.size(), unit.size() - kPrefix.size() - kSuffix.size()));
}

Result<std::string> unit_text(const Bundle& bundle, const UnitOptions& options) {
    const Manifest& manifest = bundle.manifest;
    TRY(check_app_name(manifest.name));
    Lines unit;
    TRY(add_unit_section(unit, manifest, options.paths));
    TRY(add_service_section(unit, manifest, options));
    return unit.take();
}

}  // namespace davit
