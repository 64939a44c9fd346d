#pragma once
/// An OCI bundle on disk: `rootfs/` beside `davit.json` and/or `config.json`.

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "common/file.h"
#include "containers/manifest.h"
#include "containers/policy.h"

namespace davit {

/// Where things are on the device. Tests give their own root.
struct DevicePaths {
    Path state = "/var/lib/davit";  ///< repo/, checkouts/, generations/, current, data/, state.db
    Path run = "/run/davit";        ///< rendered bundles, cleared by a reboot
    Path units = "/run/systemd/system";
    Path policy = "/etc/davit/policy.json";
    [[nodiscard]] Path checkout(std::string_view app, std::string_view commit) const {
        return state / "checkouts" / app / commit;
    }
    [[nodiscard]] Path data(std::string_view app, std::string_view volume) const {
        return state / "data" / app / volume;
    }
    /// The rendered bundle: config.json, rootfs/ (read-only bind of the checkout's), commit (what runs now).
    [[nodiscard]] Path rendered(std::string_view app) const { return run / app; }
    [[nodiscard]] Path pid_file(std::string_view app) const { return run / (std::string(app) + ".pid"); }
    /// How the app ended last, if not well: systemd's result, exit code kind and status, in words ("exit-code exited
    /// 3").
    [[nodiscard]] Path last_end(std::string_view app) const { return run / (std::string(app) + ".end"); }
};

struct Bundle {
    Path directory;       ///< the checkout
    Manifest manifest;    ///< from davit.json, or legacy_manifest()
    bool legacy = false;  ///< there was no davit.json
};

/// Reads the bundle in @p directory. @p name, @p version and @p legacy are used when there is no davit.json.
/// Errors: InvalidInput "… has neither davit.json nor config.json", "… has no rootfs/", both or none of `process` and
/// config.json, manifest errors.
Result<Bundle> read_bundle(const Path& directory, std::string_view name, std::string_view version,
                           const LegacyOptions& legacy);

/// Everything that would make the bundle fail on a device, found at the publisher's: mount points that do not exist in
/// rootfs (runc would create them on disk, or fail on a read-only one), the program that args[0] names, volume paths,
/// device nodes, sockets and FIFOs (OSTree refuses them). Errors: InvalidInput saying what is missing and how to add
/// it; PolicyRefused; what read_bundle and config.json may have wrong.
Result<void> check_bundle(const Bundle& bundle, const Policy& policy);

/// runc's config.json for this device, from manifest, config.json (a wish) and policy: hooks dropped, cgroups path
/// ours, read-only root, capabilities, mounts, devices and namespaces within the policy, systemd's notify socket bound
/// in for StartType::Notify (NOTIFY_SOCKET, WATCHDOG_USEC in env). Volumes are bound from @p paths: their directories
/// must exist when the container starts.
/// @param cgroup the container's cgroup below the unit's, e.g. "/davit.slice/davit-app-hello.service/ctr"
/// Errors: PolicyRefused naming app, field and rule; NotFound for a device node that this device does not have.
Result<nlohmann::json> render_config(const Bundle& bundle, const Policy& policy, const DevicePaths& paths,
                                     std::string_view cgroup);

}  // namespace davit
