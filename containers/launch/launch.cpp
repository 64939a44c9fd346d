#include "containers/launch/launch.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <format>

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "containers/launch/cgroup.h"

namespace davit {
namespace {

Result<void> read_generation(const Path& generation, std::string_view app, InstalledApp& found) {
    const auto path = generation / "generation.json";
    const auto text = TRY(file::read(path));
    const auto document = TRY(json::parse(text, path.string()));
    const json::Reader root(document, path.string());
    for (const auto& place : TRY(root.get_array("apps"))) {
        const auto name = TRY(place.need_string("name"));
        if (name != app) continue;
        found.version = TRY(place.need_string("version"));
        const auto legacy = TRY(place.get_object("legacy"));
        if (!legacy) return {};
        found.legacy.notify = TRY(legacy->get_boolean("notify")).value_or(false);
        const auto timeout = TRY(legacy->get_integer("timeout_ms"));
        if (timeout) found.legacy.timeout = Milliseconds(*timeout);
        return {};
    }
    return fail(Code::Corrupt, std::format("{} does not name app '{}'", path.string(), app));
}

/// Makes /run/davit/<app>: what is below it is for root only, since the checkout may hold setuid programs that are
/// meant for the container.
Result<void> make_rendered_directory(const DevicePaths& paths, const std::string& app) {
    TRY(file::make_directories(paths.run));
    TRY(file::make_directories(paths.rendered(app), 0700));
    return file::make_directories(paths.rendered(app) / "rootfs");
}

/// The runtime's config.json; systemd's watchdog is on if the unit says so.
Result<nlohmann::json> render(const Bundle& bundle, const DevicePaths& paths, const std::string& cgroup) {
    const auto policy = TRY(load_policy(paths.policy));
    auto config = TRY(render_config(bundle, policy, paths, cgroup));
    const char* watchdog = std::getenv("WATCHDOG_USEC");
    if (watchdog != nullptr && bundle.manifest.start == StartType::Notify) {
        config["process"]["env"].push_back(std::format("WATCHDOG_USEC={}", watchdog));
    }
    return config;
}

/// Everything up to the exec. @return the options for the runtime
Result<std::vector<std::string>> prepare(const std::string& app, const DevicePaths& paths, const Runtime& runtime) {
    TRY(check_app_name(app));
    const auto installed = TRY(find_installed(paths, app));
    const auto bundle = TRY(read_bundle(installed.checkout, app, installed.version, installed.legacy));
    const auto proc_self_cgroup = TRY(file::read("/proc/self/cgroup"));
    const auto unit = TRY(unit_cgroup(proc_self_cgroup));
    const auto config = TRY(render(bundle, paths, unit + "/ctr"));

    TRY(runtime.forget(app));
    TRY(make_rendered_directory(paths, app));
    TRY(bind_read_only(installed.checkout / "rootfs", paths.rendered(app) / "rootfs"));
    TRY(make_volumes(bundle, paths, config));
    TRY(file::write_atomically(paths.rendered(app) / "config.json", config.dump(2), 0600));
    TRY(file::write_atomically(paths.rendered(app) / "commit",
                               std::format("{}\n{}\n", installed.commit, name(bundle.manifest.start))));
    TRY(move_to_subgroup(unit));
    if (bundle.manifest.start == StartType::Oneshot) return std::vector<std::string>{};
    return std::vector<std::string>{"--detach", "--pid-file", paths.pid_file(app).string()};
}

}  // namespace

Result<InstalledApp> find_installed(const DevicePaths& paths, std::string_view app) {
    const auto current = TRY(file::read_link(paths.state / "current"));
    if (!current)
        return fail(Code::NotFound,
                    std::format("no app is installed: {} does not exist", (paths.state / "current").string()));
    const auto generation = paths.state / *current;
    const auto link = TRY(file::read_link(generation / "apps" / app));
    if (!link)
        return fail(Code::NotFound,
                    std::format("app '{}' is not installed: {} does not have it", app, generation.string()));
    InstalledApp found{.version = {},
                       .commit = link->filename(),
                       .checkout = (generation / "apps" / *link).lexically_normal(),
                       .legacy = {}};
    TRY(read_generation(generation, app, found));
    return found;
}

Result<void> bind_read_only(const Path& source, const Path& target) {
    TRY(unmount(target));
    if (mount(source.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) != 0) {
        return fail(system_error(std::format("cannot bind '{}' to '{}'", source.string(), target.string()), errno));
    }
    // A bind takes its flags in a second step. Not MS_NOSUID: the container has users of its own.
    if (mount(nullptr, target.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV, nullptr) != 0) {
        const int error = errno;
        umount2(target.c_str(), MNT_DETACH);
        return fail(system_error(std::format("cannot make '{}' read-only", target.string()), error));
    }
    return {};
}

Result<void> unmount(const Path& target) {
    // Lazily: a container that is just ending may still be on it.
    while (umount2(target.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
    }
    if (errno == EINVAL || errno == ENOENT) return {};
    return fail(system_error(std::format("cannot unmount '{}'", target.string()), errno));
}

Result<void> make_volumes(const Bundle& bundle, const DevicePaths& paths, const nlohmann::json& config) {
    const auto uid = config["process"]["user"]["uid"].get<uid_t>();
    const auto gid = config["process"]["user"]["gid"].get<gid_t>();
    for (const auto& volume : bundle.manifest.volumes) {
        const auto directory = paths.data(bundle.manifest.name, volume.name);
        if (file::exists(directory)) continue;
        TRY(file::make_directories(directory.parent_path()));
        // Owner first, name last: after a crash in between, the next start makes it again.
        const auto unfinished = directory.parent_path() / (".new-" + volume.name);
        TRY(file::make_directories(unfinished, 0750));
        if (chown(unfinished.c_str(), uid, gid) != 0) {
            return fail(system_error(std::format("cannot give '{}' to {}:{}", unfinished.string(), uid, gid), errno));
        }
        TRY(file::rename(unfinished, directory));
    }
    return {};
}

Error launch(const std::string& app, const DevicePaths& paths, const Runtime& runtime) {
    const auto options = prepare(app, paths, runtime);
    return options ? runtime.exec_run(app, paths.rendered(app), *options) : options.error();
}

Result<void> note_end(const std::string& app, const DevicePaths& paths, const ServiceEnd& end) {
    TRY(check_app_name(app));
    if (end.result.empty() || end.result == "success") return file::remove_if_there(paths.last_end(app));
    TRY(file::make_directories(paths.run));
    return file::write_atomically(paths.last_end(app), std::format("{} {} {}\n", end.result, end.code, end.status));
}

Result<void> clean_up(const std::string& app, const DevicePaths& paths, const Runtime& runtime) {
    TRY(check_app_name(app));
    const auto forgotten = runtime.forget(app);
    TRY(unmount(paths.rendered(app) / "rootfs"));
    TRY(file::remove_if_there(paths.pid_file(app)));
    return forgotten;
}

}  // namespace davit
