// Phase `probation`: the new apps show that they are good, or everything goes back.

#include <algorithm>
#include <format>
#include <vector>

#include "agent/engine/sequence.h"
#include "agent/engine/start.h"
#include "agent/engine/watch.h"
#include "common/log.h"

namespace davit {
namespace {

Result<std::vector<Watch>> watch_new_apps(const Context& context) {
    std::vector<Watch> out;
    for (const auto& change : context.plan.changes) {
        if (!change.replaces()) continue;
        const auto app = app_version(change.part);
        const auto bundle = TRY(context.content.bundle(app).transform_error(in(label(app))));
        if (bundle.manifest.autostart) out.emplace_back(app, bundle.manifest, context.clock.now());
    }
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
