// Phases `confirming`, `waiting-to-download` and `waiting-to-switch`: nothing happens until somebody says so.

#include "agent/engine/phases.h"
#include "common/log.h"

namespace davit {
namespace {

Result<Step> wait_for(const Context& context, Permission::Step step, Event allowed) {
    std::string told;
    for (;;) {
        const auto answer = context.ask(step);
        if (answer.word == Permission::Answer::Word::Yes) return Step{allowed, answer.reason};
        if (answer.word == Permission::Answer::Word::No) return Step{Event::Denied, answer.reason};
        if (answer.reason != told) {
            log::notice("deployment {}: {}", context.deployment().id, answer.reason);
            context.tell(answer.reason);
            told = answer.reason;
        }
        context.permission.wait(answer, context.stop);
        if (context.stop.stop_requested()) return fail(Code::Canceled, "stopped while " + answer.reason);
    }
}

}  // namespace

Result<Step> confirm(const Context& context) {
    if (context.entry.confirmed) return Step{Event::Confirmed};  // said, and persisted, before a crash
    return wait_for(context, Permission::Step::Begin, Event::Confirmed);
}

Result<Step> wait_to_download(const Context& context) {
    return wait_for(context, Permission::Step::Download, Event::Allowed);
}

Result<Step> wait_to_switch(const Context& context) {
    return wait_for(context, Permission::Step::Switch, Event::Allowed);
}

}  // namespace davit
