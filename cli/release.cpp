#include "cli/release.h"

#include <algorithm>
#include <array>
#include <format>

#include "containers/order.h"

namespace davit::cli {
namespace {

Result<std::string> commit_of(const ostree::Repository& repository, const std::string& app, const std::string& given) {
    if (!given.empty()) {
        if (ostree::is_commit_id(given)) return given;
        return fail(Code::InvalidInput, std::format("{}={}: expected a commit id of 64 hex digits", app, given));
    }
    const auto commit = TRY(repository.resolve(app));
    if (commit) return *commit;
    return fail(Code::NotFound,
                std::format("the repository has no ref '{}': commit the app first with 'davit app commit'", app));
}

/// The manifest inside a commit; nullopt for the older form without one.
Result<std::optional<Manifest>> manifest_of(const ostree::Repository& repository, const std::string& commit) {
    const auto text = repository.read_file(commit, "davit.json");
    if (!text && text.error().code == Code::NotFound) return std::nullopt;
    if (!text) return fail(text.error());
    return parse_manifest(*text).transform([](auto manifest) { return std::optional(std::move(manifest)); });
}

Result<std::string> ref_of(const ostree::CommitInfo& info, const std::string& app) {
    if (std::ranges::contains(info.refs, app)) return app;
    if (!info.refs.empty()) return info.refs.front();
    return fail(Code::InvalidInput,
                std::format("commit {} is bound to no ref, so no device would take it: make it with 'davit app commit'",
                            info.id));
}

}  // namespace

Result<AppRelease> read_release(const ostree::Repository& repository, const std::string& operand) {
    const auto equals = operand.find('=');
    const auto app = operand.substr(0, equals);
    const auto given = equals == std::string::npos ? std::string{} : operand.substr(equals + 1);
    if (equals != std::string::npos && given.empty()) {
        return fail(Code::InvalidInput, std::format("'{}': expected APP or APP=COMMIT", operand));
    }
    AppRelease release;
    release.commit = TRY(commit_of(repository, app, given));
    const auto info = TRY(repository.info(release.commit).transform_error(in(app)));
    const auto manifest = TRY(manifest_of(repository, release.commit).transform_error(in(app)));
    release.ref = TRY(ref_of(info, app));
    release.name = manifest ? manifest->name : Path(app).filename().string();
    release.version = manifest ? manifest->version : info.version.value_or("");
    if (release.version.empty()) {
        return fail(
            Code::InvalidInput,
            std::format("commit {} of '{}' says no version: make it with 'davit app commit'", release.commit, app));
    }
    if (app != release.name && app != release.ref) {
        return fail(Code::InvalidInput,
                    std::format("commit {} is app '{}', not '{}'", release.commit, release.name, app));
    }
    if (manifest) release.manifest = *manifest;
    release.manifest.name = release.name;
    release.metadata = {{"commit", release.commit}, {"ref", release.ref}};
    return release;
}

Result<std::vector<std::string>> check_relations(const std::vector<AppRelease>& apps,
                                                 const std::vector<std::string>& on_device) {
    std::vector<Bundle> bundles;
    for (const auto& app : apps)
        bundles.push_back({.directory = {}, .manifest = app.manifest});
    TRY(start_order(bundles));
    for (const auto& [app, other] : missing_requirements(bundles)) {
        if (std::ranges::contains(on_device, other)) continue;
        return fail(Code::InvalidInput,
                    std::format("app '{0}' requires app '{1}', which is not in this set: a device without '{1}' would "
                                "refuse it. Publish both, or say --on-device {1} if your devices have it",
                                app, other));
    }
    std::vector<std::string> warnings;
    for (const auto& [app, other] : missing_wants(bundles)) {
        if (std::ranges::contains(on_device, other)) continue;
        warnings.push_back(
            std::format("app '{}' wants app '{}', which is not in this set (--on-device {} if your "
                        "devices have it)",
                        app, other, other));
    }
    return warnings;
}

Result<void> add_metadata(std::vector<AppRelease>& apps, const std::vector<std::string>& options) {
    constexpr std::array<std::string_view, 4> kOwn = {"commit", "rev", "ref", "repo"};
    for (const auto& option : options) {
        const auto equals = option.find('=');
        const auto left = option.substr(0, equals);
        const auto colon = left.find(':');
        const auto app = colon == std::string::npos ? std::string{} : left.substr(0, colon);
        const auto key = colon == std::string::npos ? left : left.substr(colon + 1);
        if (equals == std::string::npos || key.empty()) {
            return fail(Code::InvalidInput, std::format("--meta {}: expected KEY=VALUE or APP:KEY=VALUE", option));
        }
        if (std::ranges::contains(kOwn, key)) {
            return fail(Code::InvalidInput, std::format("--meta {}: '{}' is set by publish itself", option, key));
        }
        bool found = false;
        for (auto& release : apps) {
            if (!app.empty() && release.name != app) continue;
            release.metadata[key] = option.substr(equals + 1);
            found = true;
        }
        if (!found)
            return fail(Code::InvalidInput,
                        std::format("--meta {}: no app of this release is called '{}'", option, app));
    }
    return {};
}

}  // namespace davit::cli
