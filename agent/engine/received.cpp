// Phase `received`: is there anything to do?

#include <format>

#include "agent/engine/start.h"
#include "common/log.h"

namespace davit {
namespace {

/// Everything is as the deployment wants it, and what should run runs.
Result<bool> is_satisfied(const Context& context) {
    if (!context.plan.changes_nothing()) return false;
    for (const auto& change : context.plan.changes) {
        if (change.part.remove) continue;
        const auto app = app_version(change.part);
        const auto bundle = context.content.bundle(app);
        if (!bundle) {
            log::warning("{} is here, but cannot be used: {}", label(app), bundle.error().message);
            return false;
        }
        const auto state = TRY(context.apps.state(app.name).transform_error(in(label(app))));
        if (must_start(state, app, bundle->manifest, Stopped::Leave)) return false;
    }
    return true;
}

}  // namespace

Result<Step> receive(const Context& context) {
    // A server that asks for a yes takes nothing else before it, not even "there was nothing to do".
    if (context.deployment().confirm && !context.entry.confirmed) return Step{Event::MustConfirm};
    if (TRY(is_satisfied(context))) return Step{Event::NothingToDo, context.plan.done()};
    const bool may_download = context.ask(Permission::Step::Download).word == Permission::Answer::Word::Yes;
    return Step{may_download ? Event::Planned : Event::MustWait};
}

}  // namespace davit
