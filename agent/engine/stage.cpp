// Phases `verifying` and `staged`: what was fetched becomes checkouts and one complete generation, while the old apps
// run.

#include <format>

#include "agent/engine/sequence.h"
#include "agent/engine/start.h"
#include "common/log.h"
#include "containers/order.h"

namespace davit {
namespace {

/// hawkBit's words about an app must be those of the signed commit; FullMetalUpdate's form has no words of its own.
Result<void> check_identity(const Part& part, const Bundle& bundle) {
    if (bundle.legacy) return {};
    const auto& manifest = bundle.manifest;
    if (manifest.name != part.app) {
        return fail(Code::InvalidInput, std::format("app '{}' {}: its davit.json says name '{}' (commit {})", part.app,
                                                    part.version, manifest.name, part.commit));
    }
    if (manifest.version != part.version) {
        return fail(Code::InvalidInput,
                    std::format("app '{}': the deployment says version {}, its davit.json says {} (commit {})",
                                part.app, part.version, manifest.version, part.commit));
    }
    return {};
}

Result<void> check_out(const Context& context, const Part& part) {
    const log::Field field("DAVIT_APP", part.app);
    TRY(context.content.checkout(part, context.stop));
    const auto app = app_version(part);
    const auto bundle = TRY(context.content.bundle(app).transform_error(in(label(app))));
    TRY(check_identity(part, bundle));
    return check_sequence(context, part, bundle.manifest);
}

/// The apps of the new set need each other in a way that can be had.
Result<void> check_relations(const Context& context) {
    const auto bundles = TRY(bundles_of(context, context.plan.after));
    TRY(start_order(bundles));
    const auto missing = missing_requirements(bundles);
    if (missing.empty()) return {};
    const auto& [app, other] = missing.front();
    const auto* change = context.plan.find(other);
    const bool removed = change && change->action == Action::Remove;
    return fail(Code::InvalidInput, std::format("app '{}' requires app '{}', which {}", app, other,
                                                removed ? "this deployment removes" : "would not be on this device"));
}

}  // namespace

Result<Step> verify(const Context& context) {
    for (const auto& change : context.plan.changes) {
        if (TRY(needs_content(context, change))) TRY(check_out(context, change.part));
    }
    TRY(check_relations(context));  // here, not in the middle of the switch
    return Step{Event::Verified};
}

Result<Step> stage(const Context& context) {
    if (context.deployment().download_only) {
        const auto number = TRY(context.generations.prepare(context.plan.after));
        TRY(context.generations.hold(number));
        return Step{Event::Held, "downloaded, to " + context.plan.todo()};
    }
    const bool is_there = context.plan.after == context.from.apps;
    const auto number = is_there ? context.from.number : TRY(context.generations.prepare(context.plan.after));
    const bool may_switch = context.ask(Permission::Step::Switch).word == Permission::Answer::Word::Yes;
    return Step{may_switch ? Event::Prepared : Event::MustWait, {}, number};
}

}  // namespace davit
