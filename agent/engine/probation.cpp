// Phase `probation`: the new apps show that they are good, or everything goes back.

#include <algorithm>
#include <format>
#include <vector>

#include "agent/engine/sequence.h"
#include "agent/engine/start.h"
#include "agent/engine/watch.h"
#include "common/log.h"
#include "containers/order.h"

namespace davit {
namespace {

/// Systemd has restarted @p app because it requires @p changed: it was up then, and is again or should be.
bool was_restarted_with(const Apps::State& app, const Apps::State& changed) {
    if (!changed.started_at) return false;
    if (app.starting) return true;  // its start waits for the end of the other's, and has no time yet
    if (app.active) return app.started_at && *app.started_at >= *changed.started_at;
    // It failed, and not before.
    return !app.stopped && app.ended_at && *app.ended_at >= *changed.started_at;
}

/// The apps of @p bundles that were restarted with those that the deployment changes. That the new versions are good
/// for themselves is not enough: who needs them must still run.
Result<void> watch_dependants(const Context& context, const std::vector<Bundle>& bundles, std::vector<Watch>& watches) {
    for (const auto& change : context.plan.changes) {
        if (!change.replaces()) continue;
        const auto changed = TRY(context.apps.state(change.part.app).transform_error(in(change.part.app)));
        for (const auto& name : dependants(bundles, {change.part.app})) {
            if (std::ranges::contains(watches, name, [](const Watch& watch) { return watch.app().name; })) continue;
            const auto app = std::ranges::find(context.plan.after, name, &AppVersion::name);
            const auto state = TRY(context.apps.state(name).transform_error(in(label(*app))));
            if (!was_restarted_with(state, changed)) continue;
            const auto bundle = std::ranges::find(bundles, name, [](const Bundle& one) { return one.manifest.name; });
            watches.emplace_back(*app, bundle->manifest, context.clock.now());
        }
    }
    return {};
}

Result<std::vector<Watch>> watch_new_apps(const Context& context) {
    const auto bundles = TRY(bundles_of(context, context.plan.after));
    std::vector<Watch> out;
    for (const auto& change : context.plan.changes) {
        if (!change.replaces()) continue;
        const auto app = app_version(change.part);
        const auto bundle = std::ranges::find(bundles, app.name, [](const Bundle& one) { return one.manifest.name; });
        if (bundle->manifest.autostart) out.emplace_back(app, bundle->manifest, context.clock.now());
    }
    TRY(watch_dependants(context, bundles, out));
    return out;
}

Result<void> look_at_due(const Context& context, std::vector<Watch>& watches) {
    for (auto& watch : watches) {
        if (watch.due() > context.clock.now()) continue;
        const log::Field field("DAVIT_APP", watch.app().name);
        TRY(watch.look(context.apps, context.probe, context.clock));
        if (context.stop.stop_requested()) return fail(Code::Canceled, "stopped in probation");
    }
    return {};
}

}  // namespace

Result<Step> probation(const Context& context) {
    auto watches = TRY(watch_new_apps(context));
    for (;;) {
        TRY(look_at_due(context, watches));
        if (std::ranges::all_of(watches, &Watch::passed)) {
            auto floors = TRY(raised_floors(context));
            return Step{.event = Event::Kept, .message = context.plan.done(), .floors = std::move(floors)};
        }
        const auto now = context.clock.now();
        const auto due = std::ranges::min(watches, {}, &Watch::due).due();
        const auto pause = std::chrono::ceil<Milliseconds>(std::max(due - now, MonotonicTime::duration::zero()));
        if (!context.clock.sleep(pause, context.stop)) return fail(Code::Canceled, "stopped in probation");
    }
}

}  // namespace davit
