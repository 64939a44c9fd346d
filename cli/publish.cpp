#include "cli/publish.h"

#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>
#include <set>

namespace davit::cli {
namespace {

constexpr auto kModuleType = "application";  // hawkBit's own type; it reaches devices as part "bApp"
constexpr auto kSetType = "app";
constexpr auto kDescription = "published by davit";

Result<std::vector<AppRelease>> read_apps(const PublishOptions& options, const ostree::Repository& repository) {
    std::vector<AppRelease> apps;
    for (const auto& operand : options.apps) {
        auto app = TRY(read_release(repository, operand));
        if (std::ranges::contains(apps, app.name, &AppRelease::name)) {
            return fail(Code::InvalidInput, std::format("app '{}' is named twice", app.name));
        }
        if (options.repository_url) app.metadata["repo"] = *options.repository_url;
        apps.push_back(std::move(app));
    }
    TRY(add_metadata(apps, options.metadata));
    return apps;
}

/// What differs between a module that hawkBit has and what would be published; empty if nothing does.
std::string difference(const AppRelease& app, const std::map<std::string, std::string>& there) {
    std::string text;
    for (const auto& [key, value] : app.metadata) {
        const auto found = there.find(key);
        if (found != there.end() && found->second == value) continue;
        text += std::format("{}{} is {}, not {}", text.empty() ? "" : ", ", key,
                            found == there.end() ? "not set" : found->second, value);
    }
    return text;
}

/// Looks for the app's module, without changing anything.
Result<PublishedApp> look_up(const AppRelease& app, mgmt::Client& hawkbit) {
    PublishedApp result{.app = app};
    const auto module = TRY(hawkbit.find_module(kModuleType, app.name, app.version));
    if (!module) return result;
    result.module = module->id;

    std::map<std::string, std::string> there;
    for (auto& entry : TRY(hawkbit.module_metadata(module->id)))
        there[entry.key] = entry.value;
    if (there.contains("rev") && !there.contains("commit")) there["commit"] = there["rev"];
    if (!there.contains("commit")) return result;  // an earlier publish was cut off between module and metadata

    const auto differs = difference(app, there);
    if (!differs.empty()) {
        return fail(
            Code::AlreadyExists,
            std::format("{} {} is published already and differs: {}; raise the version in davit.json (or --version)",
                        app.name, app.version, differs));
    }
    result.already = true;
    return result;
}

Result<void> register_module(PublishedApp& app, mgmt::Client& hawkbit) {
    if (app.already) return {};
    if (app.module == 0)
        app.module = TRY(hawkbit.create_module(kModuleType, app.app.name, app.app.version, kDescription)).id;
    std::vector<mgmt::MetadataEntry> entries;
    for (const auto& [key, value] : app.app.metadata)
        entries.push_back({.key = key, .value = value});
    return hawkbit.set_module_metadata(app.module, entries);
}

std::string content(const std::set<std::string>& modules) {
    std::string text;
    for (const auto& module : modules)
        text += (text.empty() ? "" : ", ") + module;
    return text;
}

/// Errors: AlreadyExists when the set exists with other modules.
Result<std::optional<std::int64_t>> look_up_set(const PublishOptions& options, const std::vector<PublishedApp>& apps,
                                                mgmt::Client& hawkbit) {
    const auto set = TRY(hawkbit.find_set(options.set, options.set_version));
    if (!set) return std::nullopt;
    std::set<std::string> there, wanted;
    for (const auto& module : set->modules)
        there.insert(module.name + " " + module.version);
    for (const auto& app : apps)
        wanted.insert(app.app.name + " " + app.app.version);
    if (there == wanted) return set->id;
    return fail(Code::AlreadyExists,
                std::format("distribution set {}:{} exists already with {}, not with {}; raise --set-version",
                            options.set, options.set_version, content(there), content(wanted)));
}

}  // namespace

Result<Published> publish(const PublishOptions& options, mgmt::Client& hawkbit) {
    auto repository = TRY(ostree::Repository::open(options.repository));
    const auto apps = TRY(read_apps(options, repository));
    auto warnings = TRY(check_relations(apps, options.on_device));

    // First look everywhere, so that a refusal leaves no trace.
    Published published{
        .apps = {}, .set = options.set, .set_version = options.set_version, .warnings = std::move(warnings)};
    for (const auto& app : apps)
        published.apps.push_back(TRY(look_up(app, hawkbit)));
    const auto set = TRY(look_up_set(options, published.apps, hawkbit));
    published.already = set.has_value();

    // Content before the names that lead to it: no device is ever offered a commit that it cannot fetch.
    TRY(ostree::Repository::open_or_create(options.published, ostree::Mode::Archive));
    for (const auto& app : apps)
        TRY(repository.push_to(options.published, app.ref, app.commit));
    std::vector<std::int64_t> modules;
    for (auto& app : published.apps) {
        TRY(register_module(app, hawkbit));
        modules.push_back(app.module);
    }
    published.set_id =
        set ? *set : TRY(hawkbit.create_set(kSetType, options.set, options.set_version, kDescription, modules)).id;
    return published;
}

std::string to_text(const Published& published) {
    std::string text;
    for (const auto& app : published.apps) {
        text += std::format("{} {}  {}  {}\n", app.app.name, app.app.version, app.app.commit.substr(0, 12),
                            app.already ? "already published" : "published");
    }
    text += std::format("{}:{} {}\n", published.set, published.set_version,
                        published.already ? "already published" : "published");
    return text;
}

std::string to_json(const Published& published) {
    auto apps = nlohmann::ordered_json::array();
    for (const auto& app : published.apps) {
        apps.push_back({{"name", app.app.name},
                        {"version", app.app.version},
                        {"commit", app.app.commit},
                        {"ref", app.app.ref},
                        {"module", app.module},
                        {"already_published", app.already}});
    }
    const nlohmann::ordered_json json = {{"set", published.set},
                                         {"version", published.set_version},
                                         {"id", published.set_id},
                                         {"already_published", published.already},
                                         {"apps", apps}};
    return json.dump(2) + "\n";
}

}  // namespace davit::cli
