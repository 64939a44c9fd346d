#pragma once
/// The phases, each a function: what it needs comes in a Context, how it ended goes out as a Step. None writes the
/// journal and none knows which phase is next; both is the machine's (engine.cpp). Each may run again after a crash at
/// any of its lines, and then does what is left.

#include <optional>
#include <stop_token>
#include <string>

#include "agent/engine/engine.h"
#include "agent/engine/plan.h"
#include "agent/engine/transitions.h"

namespace davit {

struct Context {
    Generations& generations;
    Content& content;
    Apps& apps;
    Probe& probe;
    Permission& permission;
    Observer& observer;
    Clock& clock;
    const EngineOptions& options;
    const JournalEntry& entry;
    const Generation& from;
    const Plan& plan;
    const Floors& floors;
    std::stop_token stop;

    [[nodiscard]] const Deployment& deployment() const { return entry.deployment; }
    /// News about the phase.
    void tell(const std::string& message) const { observer.entered(entry.deployment, plan, entry.phase, message); }
    [[nodiscard]] Permission::Answer ask(Permission::Step step) const {
        return permission.ask(entry.deployment, step, entry.confirmed);
    }
};

struct Step {
    Event event;
    std::string message = {};  ///< what a person is told, if the deployment ends here
    std::optional<Generations::Number> prepared = {};
    Floors floors = {};  ///< that hold from now on, if the deployment ends well here
};

// An error is Event::Failed with its reason; when a stop was requested it is no event at all, and the next start enters
// the phase again.

Result<Step> receive(const Context& context);
Result<Step> confirm(const Context& context);
Result<Step> wait_to_download(const Context& context);
Result<Step> download(const Context& context);
Result<Step> verify(const Context& context);
Result<Step> stage(const Context& context);
Result<Step> wait_to_switch(const Context& context);
Result<Step> switch_over(const Context& context);
Result<Step> probation(const Context& context);
Result<Step> roll_back(const Context& context);

}  // namespace davit
