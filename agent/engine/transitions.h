#pragma once
/// Every (phase, event) that may happen, as data.

#include <span>
#include <string_view>

#include "agent/phase.h"
#include "common/result.h"

namespace davit {

/// How a phase ended.
enum class Event {
    Planned,      ///< there is something to do
    NothingToDo,  ///< everything is installed and running already
    MustConfirm,  ///< somebody at the device must say yes first
    Confirmed,    ///< somebody did
    Denied,       ///< somebody said no
    MustWait,     ///< the next step may not be taken yet
    Allowed,      ///< now it may
    Fetched,      ///< every commit is on this disk
    Verified,     ///< every checkout is complete and within the policy
    Prepared,     ///< the new generation is complete
    Held,         ///< it is, and waits for another deployment to switch to it
    Started,      ///< the new generation is current and its apps have started
    Kept,         ///< the new apps have passed their probation
    RolledBack,   ///< the old generation is current again
    Failed,       ///< the phase could not do its work
    Canceled,     ///< somebody wanted the deployment stopped, in time
};

struct Transition {
    Phase phase;
    Event event;
    Phase next;
};

std::string_view name(Event event);  ///< "nothing-to-do"
std::span<const Transition> transitions();

/// Where @p event leads from @p phase. Error: Defect if the table does not have it; the machine stays where it is.
Result<Phase> next_phase(Phase phase, Event event);

}  // namespace davit
