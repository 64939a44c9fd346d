#include "containers/detail/wish.h"

#include <algorithm>
#include <format>

#include "containers/detail/rules.h"

namespace davit {
namespace {

constexpr std::string_view kDefaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

Wish wish_of(const ProcessSpec& process) {
    Wish wish;
    wish.args = process.args;
    wish.cwd = process.cwd;
    wish.user = {{"uid", process.uid}, {"gid", process.gid}};
    for (const auto& [name, value] : process.env)
        wish.env.push_back(std::format("{}={}", name, value));
    return wish;
}

void add_capabilities(Wish& wish, const std::vector<std::string>& names) {
    // Only ambient capabilities survive the execve of a user other than root, and they must be inheritable.
    const bool is_root = wish.user.value("uid", 0u) == 0;
    for (const auto& name : names) {
        wish.capability_field.try_emplace(name, "davit.json: capabilities");
        for (const auto* set : {"bounding", "effective", "permitted"})
            wish.capabilities[set].insert(name);
        if (is_root) continue;
        for (const auto* set : {"inheritable", "ambient"})
            wish.capabilities[set].insert(name);
    }
}

/// Whether @p path is one of @p directories or below one. Both without links, so that a link inside an allowed
/// directory leads nowhere else.
bool is_within(const Path& path, const std::set<std::string>& directories) {
    return std::ranges::any_of(directories, [&](const Path& directory) {
        const auto [end, rest] = std::ranges::mismatch(directory, path);
        return end == directory.end();
    });
}

Error refusal(const std::string& app, std::string_view what, std::string_view field, std::string_view rule) {
    return {Code::PolicyRefused,
            std::format("app '{}' asks for {} ({}), which policy.json does not allow ({})", app, what, field, rule)};
}

}  // namespace

Result<Wish> read_wish(const Bundle& bundle) {
    const auto& manifest = bundle.manifest;
    Wish wish;
    if (manifest.process) {
        wish = wish_of(*manifest.process);
    } else {
        const auto text = TRY(file::read(bundle.directory / "config.json"));
        wish = TRY(read_oci_config(text));
    }
    // In the old form config.json alone says whether the app has a network of its own.
    if (!bundle.legacy) wish.host_network = manifest.host_network;
    add_capabilities(wish, manifest.capabilities);
    for (const auto& path : manifest.devices)
        wish.devices.push_back({"davit.json: devices", path});
    if (std::ranges::none_of(wish.env, [](const auto& entry) { return entry.starts_with("PATH="); })) {
        wish.env.emplace_back(kDefaultPath);
    }
    return wish;
}

Result<void> check_policy(const std::string& app, const Wish& wish, const Policy& policy) {
    for (const auto& [name, field] : wish.capability_field) {
        if (!policy.capabilities.contains(name)) return fail(refusal(app, "capability " + name, field, "capabilities"));
    }
    for (const auto& device : wish.devices) {
        if (!policy.devices.contains(device.path))
            return fail(refusal(app, "device " + device.path, device.field, "devices"));
    }
    for (const auto& bind : wish.binds) {
        if (is_within(bind.real, policy.bind_sources)) continue;
        return fail(refusal(app, "the host's " + bind.source.string(), bind.field, "bind_sources"));
    }
    if (wish.host_network && !policy.host_network)
        return fail(refusal(app, "the host's network", "davit.json: network", "host_network"));
    return {};
}

}  // namespace davit
