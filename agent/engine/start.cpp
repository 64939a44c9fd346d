#include "agent/engine/start.h"

#include <algorithm>
#include <format>
#include <functional>

#include "common/log.h"
#include "containers/order.h"

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

std::vector<AppVersion> stop_order(const Context& context, const std::vector<AppVersion>& apps) {
    std::vector<Bundle> readable;
    for (const auto& app : apps)
        if (auto bundle = context.content.bundle(app)) readable.push_back(std::move(*bundle));
    const auto order = start_order(readable).value_or(std::vector<std::string>{});
    auto out = apps;
    std::ranges::stable_sort(out, std::greater{}, [&](const AppVersion& app) {
        return std::ranges::find(order, app.name) - order.begin();  // what is in no order stops first
    });
    return out;
}

Result<bool> needs_content(const Context& context, const Change& change) {
    if (change.brings_content()) return true;
    if (change.part.remove) return false;
    const auto app = app_version(change.part);
    if (!context.content.bundle(app)) return true;
    return !TRY(context.apps.state(app.name).transform_error(in(label(app)))).active;
}

bool must_start(const Apps::State& state, const AppVersion& app, const Manifest& manifest, Stopped stopped) {
    const bool same_kind = !state.running_start || *state.running_start == manifest.start;
    if (state.active) return state.running_commit != app.commit || !same_kind;
    if (stopped == Stopped::Leave && state.stopped) return false;
    return manifest.autostart;
}

Result<void> start_if_needed(const Context& context, const AppVersion& app, const Manifest& manifest, Stopped stopped) {
    const log::Field field("DAVIT_APP", app.name);
    const auto state = TRY(context.apps.state(app.name).transform_error(in(label(app))));
    if (!must_start(state, app, manifest, stopped)) return {};
    log::info("starting {}", label(app));
    return context.apps.restart(app.name, manifest.start_timeout, context.stop)
        .transform_error(in(label(app) + " did not start"));
}

}  // namespace davit
