// davit-units: early at boot, the units of the current generation's apps. Needs neither davitd nor the bus: a device
// whose agent is broken still runs its apps.

#include <cstdlib>

#include "agent/config.h"
#include "agent/generations.h"
#include "agent/systemd/unit_files.h"
#include "common/log.h"
#include "common/process.h"

namespace {

using namespace davit;

constexpr Milliseconds kSystemctlTimeout{90'000};

Result<void> systemctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "systemctl");
    const auto exit = TRY(process::run({.argv = arguments, .extra_env = {}, .input = {}}, kSystemctlTimeout));
    if (exit.ok()) return {};
    return fail(Code::System, std::format("systemctl {}: {}: {}", arguments[1], exit.describe(), exit.err));
}

/// What is installed. A damaged app does not keep the others from starting; it has no unit until a deployment mends it.
std::vector<Bundle> readable_bundles(const Generation& generation, const DevicePaths& paths) {
    std::vector<Bundle> bundles;
    for (const auto& app : generation.apps) {
        auto bundle = read_bundle(paths.checkout(app.name, app.commit), app.name, app.version,
                                  app.legacy.value_or(LegacyOptions{}));
        if (bundle) {
            bundles.push_back(std::move(*bundle));
        } else {
            const log::Field field("DAVIT_APP", app.name);
            log::warning("{} {} is not started: {}", app.name, app.version, bundle.error().message);
        }
    }
    return bundles;
}

/// Writes each app's unit by itself, so that one that cannot be written costs only its own app.
std::vector<std::string> write_units(UnitFiles& files, const std::vector<Bundle>& bundles) {
    std::vector<std::string> written;
    for (const auto& bundle : bundles) {
        const auto& name = bundle.manifest.name;
        if (const auto result = files.write({bundle})) {
            written.push_back(name);
        } else {
            const log::Field field("DAVIT_APP", name);
            log::warning("{} is not started: {}", name, result.error().message);
        }
    }
    return written;
}

/// The configured runtime. A configuration that cannot be read keeps davitd from starting, not the apps.
std::string runtime() {
    const auto config = load_config("/");
    if (config) return config->runtime;
    log::warning("the OCI runtime is the default, runc: {}", config.error().message);
    return Config{}.runtime;
}

Result<void> run() {
    const DevicePaths paths;
    UnitFiles files({.paths = paths, .libexec = DAVIT_LIBEXECDIR, .runtime = runtime()});
    const auto generations = TRY(Generations::open(paths.state));
    const auto current = TRY(generations.current());
    const auto written = write_units(files, current ? readable_bundles(*current, paths) : std::vector<Bundle>{});
    TRY(files.remove_all_but(written));
    if (files.reload_needed()) {
        TRY(systemctl({"daemon-reload"}));
        TRY(files.reloaded());
    }
    log::info("generation {}: {} apps", current ? current->number : 0, written.size());
    // The target waits for this program's unit, so this must not wait for the target.
    return systemctl({"start", "--no-block", "davit-apps.target"});
}

}  // namespace

int main() {
    const auto result = run();
    if (!result) log::error("the apps are not started: {}", result.error().message);
    return result ? EXIT_SUCCESS : EXIT_FAILURE;
}
