#include "agent/engine/start.h"

#include <format>

#include "common/log.h"

namespace davit {

std::string label(const AppVersion& app) {
    return std::format("app '{}' {}", app.name, app.version);
}

Result<std::vector<Bundle>> bundles_of(const Context& context, const std::vector<AppVersion>& apps) {
    std::vector<Bundle> out;
    for (const auto& app : apps) {
        auto bundle = TRY(context.content.bundle(app).transform_error(in(label(app))));
        out.push_back(std::move(bundle));
    }
    return out;
}

Result<bool> must_start(Apps& apps, const AppVersion& app, const Manifest& manifest) {
    const auto state = TRY(apps.state(app.name).transform_error(in(label(app))));
    return state.active ? state.running_commit != app.commit : manifest.autostart;
}

Result<bool> needs_content(const Context& context, const Change& change) {
    if (change.brings_content()) return true;
    if (change.part.remove) return false;
    const auto app = app_version(change.part);
    if (!context.content.bundle(app)) return true;
    return !TRY(context.apps.state(app.name).transform_error(in(label(app)))).active;
}

Result<void> start_if_needed(const Context& context, const AppVersion& app, const Manifest& manifest) {
    const log::Field field("DAVIT_APP", app.name);
    if (!TRY(must_start(context.apps, app, manifest))) return {};
    log::info("starting {}", label(app));
    return context.apps.restart(app.name, manifest.start_timeout, context.stop)
        .transform_error(in(label(app) + " did not start"));
}

}  // namespace davit
