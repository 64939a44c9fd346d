// Builds the runtime's config.json (OCI runtime specification 1.0.2, as runc 1.1 and later and crun take it).
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <algorithm>
#include <format>

#include "containers/bundle.h"
#include "containers/detail/wish.h"

namespace davit {
namespace {

using nlohmann::json;

constexpr std::string_view kNotifySocket = "/run/systemd/notify";

json mount(std::string_view type, std::string_view source, std::string_view destination,
           std::vector<std::string> options) {
    return {{"type", type}, {"source", source}, {"destination", destination}, {"options", std::move(options)}};
}

json standard_mounts() {
    return json::array({
        mount("proc", "proc", "/proc", {"nosuid", "noexec", "nodev"}),
        mount("tmpfs", "tmpfs", "/dev", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
        mount("devpts", "devpts", "/dev/pts",
              {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
        mount("tmpfs", "shm", "/dev/shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
        mount("mqueue", "mqueue", "/dev/mqueue", {"nosuid", "noexec", "nodev"}),
        mount("sysfs", "sysfs", "/sys", {"nosuid", "noexec", "nodev", "ro"}),
        mount("cgroup", "cgroup", "/sys/fs/cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}),
        // On these the runtime can create any mount point; the root itself is read-only.
        mount("tmpfs", "tmpfs", "/run", {"nosuid", "nodev", "mode=755"}),
        mount("tmpfs", "tmpfs", "/tmp", {"nosuid", "nodev", "mode=1777"}),
    });
}

/// @p options without `nosuid` and `nodev` taken away, and with them added.
std::vector<std::string> hardened(std::vector<std::string> options) {
    for (const auto* option : {"nosuid", "nodev"}) {
        if (!std::ranges::contains(options, option)) options.emplace_back(option);
    }
    return options;
}

json bind_mount(std::string_view source, std::string_view destination, std::vector<std::string> options) {
    if (!std::ranges::contains(options, "rbind") && !std::ranges::contains(options, "bind"))
        options.insert(options.begin(), "rbind");
    return mount("bind", source, destination, hardened(std::move(options)));
}

json mounts(const Bundle& bundle, const Wish& wish, const DevicePaths& paths) {
    auto out = standard_mounts();
    for (const auto& tmpfs : wish.tmpfs)
        out.push_back(mount("tmpfs", "tmpfs", tmpfs.destination, hardened(tmpfs.options)));
    for (const auto& volume : bundle.manifest.volumes) {
        out.push_back(bind_mount(paths.data(bundle.manifest.name, volume.name).string(), volume.path, {"rbind", "rw"}));
    }
    for (const auto& wanted : wish.binds) {
        out.push_back(bind_mount(wanted.real.string(), wanted.destination, wanted.options));
    }
    // Last, so that nothing of the app's covers them.
    if (wish.host_network) {
        for (const auto* name : {"/etc/resolv.conf", "/etc/hosts"}) {
            std::error_code error;
            const bool here = std::filesystem::exists(name, error);
            if (here && file::exists(bundle.directory / "rootfs" / Path(name).relative_path()))
                out.push_back(bind_mount(name, name, {"bind", "ro"}));
        }
    }
    // systemd's own socket instead of the runtime's proxy, which forwards READY=1 once and never WATCHDOG=1.
    if (bundle.manifest.start == StartType::Notify) out.push_back(bind_mount(kNotifySocket, kNotifySocket, {"bind"}));
    return out;
}

json process(const Bundle& bundle, const Wish& wish) {
    auto env = wish.env;
    if (bundle.manifest.start == StartType::Notify) env.push_back(std::format("NOTIFY_SOCKET={}", kNotifySocket));
    json capabilities = json::object();
    for (const auto* set : {"bounding", "effective", "inheritable", "permitted", "ambient"}) {
        const auto names = wish.capabilities.find(set);
        capabilities[set] = names == wish.capabilities.end() ? json::array() : json(names->second);
    }
    json out = {{"terminal", false},      {"user", wish.user},
                {"args", wish.args},      {"env", env},
                {"cwd", wish.cwd},        {"capabilities", std::move(capabilities)},
                {"noNewPrivileges", true}};
    if (!wish.rlimits.is_null()) out["rlimits"] = wish.rlimits;
    return out;
}

json namespaces(const Wish& wish) {
    json out = json::array();
    for (const auto* type : {"pid", "ipc", "uts", "mount", "cgroup"})
        out.push_back({{"type", type}});
    if (!wish.host_network) out.push_back({{"type", "network"}});
    return out;
}

/// Adds the device nodes of @p wish to @p linux: the node, and the rule that lets the app open it.
Result<void> add_devices(const Wish& wish, json& linux) {
    for (const auto& device : wish.devices) {
        struct stat status{};
        if (stat(device.path.c_str(), &status) != 0 || (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode))) {
            return fail(Code::NotFound,
                        std::format("{}: {} is no device node on this device", device.field, device.path));
        }
        const auto* type = S_ISCHR(status.st_mode) ? "c" : "b";
        const auto major = gnu_dev_major(status.st_rdev);
        const auto minor = gnu_dev_minor(status.st_rdev);
        linux["devices"].push_back({{"path", device.path},
                                    {"type", type},
                                    {"major", major},
                                    {"minor", minor},
                                    {"fileMode", status.st_mode & 07777},
                                    {"uid", status.st_uid},
                                    {"gid", status.st_gid}});
        linux["resources"]["devices"].push_back(
            {{"allow", true}, {"type", type}, {"major", major}, {"minor", minor}, {"access", "rw"}});
    }
    return {};
}

json linux_part(const Wish& wish, std::string_view cgroup) {
    json resources = wish.resources.is_null() ? json::object() : wish.resources;
    // The runtime adds what every container has: null, zero, full, random, urandom, tty, pts.
    resources["devices"] = json::array({{{"allow", false}, {"access", "rwm"}}});
    json out = {{"cgroupsPath", cgroup}, {"namespaces", namespaces(wish)}, {"resources", std::move(resources)}};
    out["maskedPaths"] = {"/proc/acpi",
                          "/proc/asound",
                          "/proc/kcore",
                          "/proc/keys",
                          "/proc/latency_stats",
                          "/proc/timer_list",
                          "/proc/timer_stats",
                          "/proc/sched_debug",
                          "/proc/scsi",
                          "/sys/firmware",
                          "/sys/devices/virtual/powercap"};
    out["readonlyPaths"] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
    if (!wish.seccomp.is_null()) out["seccomp"] = wish.seccomp;
    return out;
}

}  // namespace

Result<json> render_config(const Bundle& bundle, const Policy& policy, const DevicePaths& paths,
                           std::string_view cgroup) {
    const auto& name = bundle.manifest.name;
    const auto wish = TRY(read_wish(bundle));
    TRY(check_policy(name, wish, policy));
    json config = {{"ociVersion", "1.0.2"},
                   {"hostname", name},
                   {"root", {{"path", (paths.rendered(name) / "rootfs").string()}, {"readonly", true}}},
                   {"process", process(bundle, wish)},
                   {"mounts", mounts(bundle, wish, paths)},
                   {"linux", linux_part(wish, cgroup)}};
    TRY(add_devices(wish, config["linux"]));
    return config;
}

}  // namespace davit
