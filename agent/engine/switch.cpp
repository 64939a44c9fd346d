// Phase `switching`: the one moment in which something on the device changes.

#include <algorithm>
#include <vector>

#include "agent/engine/start.h"
#include "common/log.h"
#include "containers/order.h"

namespace davit {
namespace {

/// The last started first: an app stops before those that it needs.
Result<void> stop_removed(const Context& context) {
    for (const auto& app : stop_order(context, context.from.apps)) {
        const auto* change = context.plan.find(app.name);
        if (!change || change->action != Action::Remove) continue;
        const log::Field field("DAVIT_APP", app.name);
        TRY(context.apps.stop(app.name, context.stop).transform_error(in(label(app) + " did not stop")));
    }
    return {};
}

/// Apps that the deployment names; the others run on.
Result<void> start_named(const Context& context, const std::vector<Bundle>& bundles) {
    for (const auto& name : TRY(start_order(bundles))) {
        const auto* change = context.plan.find(name);
        if (!change) continue;
        const auto bundle = std::ranges::find(bundles, name, [](const Bundle& one) { return one.manifest.name; });
        const auto stopped = change->replaces() ? Stopped::Start : Stopped::Leave;
        TRY(start_if_needed(context, app_version(change->part), bundle->manifest, stopped));
    }
    return {};
}

}  // namespace

Result<Step> switch_over(const Context& context) {
    if (!context.entry.to) return fail(Code::Defect, "switching without a prepared generation");
    const auto bundles = TRY(bundles_of(context, context.plan.after));
    TRY(context.apps.prepare(bundles));  // reloading systemd is slow: the old apps still serve
    TRY(context.generations.switch_to(*context.entry.to));
    TRY(stop_removed(context));
    TRY(start_named(context, bundles));
    return Step{Event::Started};
}

}  // namespace davit
