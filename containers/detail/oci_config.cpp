// Reads the config.json of a bundle. What could widen an app's rights is read with care or refused; what Davit decides
// itself (hooks, the root's mode, the cgroup's path, the standard mounts, the host name, labels, terminal, annotations)
// is not read at all.
#include <algorithm>
#include <array>
#include <format>

#include "common/json.h"
#include "containers/detail/rules.h"
#include "containers/detail/wish.h"

namespace davit {
namespace {

using json::Reader;

constexpr std::array kCapabilitySets =
    std::to_array<std::string_view>({"bounding", "effective", "inheritable", "permitted", "ambient"});

/// Where the rendered config.json has a file system of ours, whatever the bundle's says.
constexpr std::array kOurMounts = std::to_array<std::string_view>(
    {"/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup", "/run", "/tmp"});

/// Every container has these.
constexpr std::array kStandardDevices = std::to_array<std::string_view>(
    {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/console", "/dev/ptmx"});

constexpr std::array kBindOptions =
    std::to_array<std::string_view>({"bind", "rbind", "ro", "rw", "nosuid", "nodev", "noexec", "noatime", "relatime",
                                     "private", "rprivate", "slave", "rslave"});
constexpr std::array kTmpfsOptions =
    std::to_array<std::string_view>({"ro", "rw", "nosuid", "nodev", "noexec", "noatime", "relatime", "strictatime",
                                     "private", "rprivate", "slave", "rslave"});
constexpr std::array kTmpfsSettings = std::to_array<std::string_view>({"size=", "mode=", "uid=", "gid=", "nr_inodes="});

Error refused(const Reader& place, std::string_view what) {
    return {Code::PolicyRefused, place.error(what).message};
}

Result<std::vector<std::string>> strings_without_nul(const Reader& from, std::string_view member) {
    auto texts = TRY(from.get_strings(member));
    for (const auto& text : texts) {
        if (const auto objection = rules::argument(text)) return fail(from.error_at(member, *objection));
    }
    return texts;
}

Result<void> read_env(const Reader& process, Wish& wish) {
    for (auto& entry : TRY(strings_without_nul(process, "env"))) {
        if (entry.find('=') == 0 || !entry.contains('=')) {
            return fail(process.error_at("env", std::format("{} is not NAME=value", rules::quoted(entry))));
        }
        if (entry.starts_with("NOTIFY_SOCKET=") || entry.starts_with("WATCHDOG_USEC=")) continue;  // ours to set
        wish.env.push_back(std::move(entry));
    }
    return {};
}

Result<nlohmann::json> read_user(const Reader& process) {
    constexpr json::Range kId{.least = 0, .most = 0xffff'fffe};
    nlohmann::json out = {{"uid", 0}, {"gid", 0}};
    const auto user = TRY(process.get_object("user"));
    if (!user) return out;
    out["uid"] = TRY(user->get_integer("uid", kId)).value_or(0);
    out["gid"] = TRY(user->get_integer("gid", kId)).value_or(0);
    if (const auto umask = TRY(user->get_integer("umask", {.least = 0, .most = 0777}))) out["umask"] = *umask;
    for (const auto& gid : TRY(user->get_array("additionalGids"))) {
        if (!gid.raw().is_number_unsigned() || gid.raw() > kId.most)
            return fail(gid.error("expected a group's number"));
        out["additionalGids"].push_back(gid.raw());
    }
    return out;
}

Result<void> read_capabilities(const Reader& process, Wish& wish) {
    const auto sets = TRY(process.get_object("capabilities"));
    if (!sets) return {};
    for (const auto set : kCapabilitySets) {
        for (const auto& place : TRY(sets->get_array(set))) {
            const auto text = TRY(place.as_string());
            const auto name = rules::capability(text);
            if (!name) return fail(place.error(std::format("Linux has no capability {}", rules::quoted(text))));
            wish.capabilities[std::string(set)].insert(*name);
            wish.capability_field.try_emplace(*name, std::format("config.json: process.capabilities.{}", set));
        }
    }
    return {};
}

Result<nlohmann::json> read_rlimits(const Reader& process) {
    nlohmann::json out;
    for (const auto& place : TRY(process.get_array("rlimits"))) {
        const auto type = TRY(place.need_string("type"));
        nlohmann::json limit = {{"type", type}};
        for (const auto* bound : {"soft", "hard"}) {
            // Not Reader's integer: "no limit" is written as 2^64-1.
            if (!place.raw().contains(bound) || !place.raw()[bound].is_number_unsigned()) {
                return fail(place.error_at(bound, "expected a number that is not negative"));
            }
            limit[bound] = place.raw()[bound];
        }
        out.push_back(std::move(limit));
    }
    return out;
}

Result<void> read_process(const Reader& root, Wish& wish) {
    const auto process = TRY(root.need_object("process"));
    wish.args = TRY(strings_without_nul(process, "args"));
    if (wish.args.empty() || wish.args[0].empty()) return fail(process.error_at("args", "names no program"));
    if (const auto cwd = TRY(process.get_string("cwd"))) {
        if (const auto objection = rules::absolute_path(*cwd)) return fail(process.error_at("cwd", *objection));
        wish.cwd = *cwd;
    }
    TRY(read_env(process, wish));
    TRY(read_capabilities(process, wish));
    wish.user = TRY(read_user(process));
    wish.rlimits = TRY(read_rlimits(process));
    return {};
}

bool is_tmpfs_setting(std::string_view option) {
    const auto plain = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '%'; };
    return std::ranges::any_of(kTmpfsSettings, [&](auto name) {
        return option.starts_with(name) && std::ranges::all_of(option.substr(name.size()), plain);
    });
}

Result<void> read_bind(const Reader& place, BindWish bind, Wish& wish) {
    const auto source = TRY(place.need_string("source"));
    if (source == bind.destination && (source == "/etc/resolv.conf" || source == "/etc/hosts")) return {};  // ours
    if (const auto objection = rules::absolute_path(source)) return fail(place.error_at("source", *objection));
    for (const auto& option : bind.options) {
        if (std::ranges::contains(kBindOptions, option)) continue;
        return fail(refused(place, std::format("option {} of a bind mount is not allowed", rules::quoted(option))));
    }
    bind.source = source;
    std::error_code error;
    bind.real = std::filesystem::weakly_canonical(source, error);
    wish.binds.push_back(std::move(bind));
    return {};
}

Result<void> read_mount(const Reader& place, std::size_t index, Wish& wish) {
    const auto written = TRY(place.need_string("destination"));
    auto destination = Path(written).lexically_normal().string();
    if (destination.size() > 1 && destination.ends_with('/')) destination.pop_back();
    const auto type = TRY(place.get_string("type")).value_or("bind");
    const auto options = TRY(place.get_strings("options"));
    const bool bind =
        type == "bind" || std::ranges::contains(options, "bind") || std::ranges::contains(options, "rbind");
    if (!bind && std::ranges::contains(kOurMounts, destination)) return {};
    if (const auto objection = rules::mount_point(destination)) return fail(place.error_at("destination", *objection));
    if (bind) {
        const auto field = std::format("config.json: mounts[{}]", index);
        return read_bind(
            place, {.field = field, .source = {}, .real = {}, .destination = destination, .options = options}, wish);
    }
    if (type != "tmpfs")
        return fail(refused(place, std::format("a mount of type {} is not allowed", rules::quoted(type))));
    for (const auto& option : options) {
        if (std::ranges::contains(kTmpfsOptions, option) || is_tmpfs_setting(option)) continue;
        return fail(refused(place, std::format("option {} of a tmpfs is not allowed", rules::quoted(option))));
    }
    wish.tmpfs.push_back({destination, options});
    return {};
}

/// The limits that stay inside the unit's: they can only make the app's share smaller.
Result<nlohmann::json> read_resources(const Reader& linux) {
    nlohmann::json out;
    const auto resources = TRY(linux.get_object("resources"));
    if (!resources) return out;
    constexpr auto kLimits = std::to_array<std::pair<const char*, const char*>>(
        {{"memory", "limit"}, {"cpu", "shares"}, {"cpu", "quota"}, {"cpu", "period"}, {"pids", "limit"}});
    for (const auto& [kind, limit] : kLimits) {
        const auto place = TRY(resources->get_object(kind));
        if (!place) continue;
        const auto value = TRY(place->get_integer(limit));
        if (value.value_or(-1) > 0) out[kind][limit] = *value;  // -1 and 0: no limit
    }
    return out;
}

Result<void> read_namespaces(const Reader& linux, Wish& wish) {
    wish.host_network = true;
    for (const auto& place : TRY(linux.get_array("namespaces"))) {
        const auto type = TRY(place.need_string("type"));
        if (place.has("path")) return fail(refused(place, "joining another namespace is not allowed"));
        if (type == "user")
            return fail(Code::Unsupported, place.error("a user namespace is not supported by this version").message);
        if (type == "network") wish.host_network = false;
    }
    return {};
}

Result<void> read_linux(const Reader& root, Wish& wish) {
    const auto linux = TRY(root.get_object("linux"));
    if (!linux) return {};
    TRY(read_namespaces(*linux, wish));
    wish.resources = TRY(read_resources(*linux));
    for (const auto& place : TRY(linux->get_array("devices"))) {
        const auto path = TRY(place.need_string("path"));
        if (std::ranges::contains(kStandardDevices, path)) continue;
        if (const auto objection = rules::device_node(path)) return fail(place.error_at("path", *objection));
        wish.devices.push_back({"config.json: linux.devices", path});
    }
    if (const auto seccomp = TRY(linux->get_object("seccomp"))) {
        if (seccomp->has("listenerPath")) return fail(refused(*seccomp, "a listener on the host is not allowed"));
        wish.seccomp = seccomp->raw();
    }
    return {};
}

}  // namespace

Result<Wish> read_oci_config(std::string_view text) {
    const auto document = TRY(json::parse(text, "config.json"));
    const Reader root(document, "config.json");
    TRY(root.expect_object());
    Wish wish;
    if (const auto place = TRY(root.get_object("root"))) {
        const auto path = TRY(place->get_string("path"));
        if (path && path != "rootfs") return fail(place->error_at("path", "must be \"rootfs\""));
    }
    TRY(read_process(root, wish));
    const auto mounts = TRY(root.get_array("mounts"));
    for (std::size_t index = 0; index < mounts.size(); ++index)
        TRY(read_mount(mounts[index], index, wish));
    TRY(read_linux(root, wish));
    return wish;
}

}  // namespace davit
