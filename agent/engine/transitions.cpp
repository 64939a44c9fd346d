#include "agent/engine/transitions.h"

#include <format>
#include <utility>

namespace davit {
namespace {

// What is not here cannot happen. Until `switching` nothing on the device has changed, so a failure or a cancel
// simply ends the deployment.
// clang-format off
constexpr Transition kTransitions[] = {
    // phase                   event                next
    {Phase::Received,          Event::MustConfirm,  Phase::Confirming},
    {Phase::Received,          Event::MustWait,     Phase::WaitingToDownload},
    {Phase::Received,          Event::Planned,      Phase::Downloading},
    {Phase::Received,          Event::NothingToDo,  Phase::Done},
    {Phase::Received,          Event::Failed,       Phase::Done},
    {Phase::Received,          Event::Canceled,     Phase::Done},

    {Phase::Confirming,        Event::Confirmed,    Phase::WaitingToDownload},
    {Phase::Confirming,        Event::Denied,       Phase::Done},
    {Phase::Confirming,        Event::Failed,       Phase::Done},
    {Phase::Confirming,        Event::Canceled,     Phase::Done},

    {Phase::WaitingToDownload, Event::Allowed,      Phase::Downloading},
    {Phase::WaitingToDownload, Event::Denied,       Phase::Done},
    {Phase::WaitingToDownload, Event::Failed,       Phase::Done},
    {Phase::WaitingToDownload, Event::Canceled,     Phase::Done},

    {Phase::Downloading,       Event::Fetched,      Phase::Verifying},
    {Phase::Downloading,       Event::Failed,       Phase::Done},
    {Phase::Downloading,       Event::Canceled,     Phase::Done},

    {Phase::Verifying,         Event::Verified,     Phase::Staged},
    {Phase::Verifying,         Event::Failed,       Phase::Done},
    {Phase::Verifying,         Event::Canceled,     Phase::Done},

    {Phase::Staged,            Event::Prepared,     Phase::Switching},
    {Phase::Staged,            Event::MustWait,     Phase::WaitingToSwitch},
    {Phase::Staged,            Event::Held,         Phase::Done},
    {Phase::Staged,            Event::Failed,       Phase::Done},
    {Phase::Staged,            Event::Canceled,     Phase::Done},

    {Phase::WaitingToSwitch,   Event::Allowed,      Phase::Switching},
    {Phase::WaitingToSwitch,   Event::Denied,       Phase::Done},
    {Phase::WaitingToSwitch,   Event::Failed,       Phase::Done},
    {Phase::WaitingToSwitch,   Event::Canceled,     Phase::Done},

    {Phase::Switching,         Event::Started,      Phase::Probation},
    {Phase::Switching,         Event::Failed,       Phase::RollingBack},

    {Phase::Probation,         Event::Kept,         Phase::Done},
    {Phase::Probation,         Event::Failed,       Phase::RollingBack},

    {Phase::RollingBack,       Event::RolledBack,   Phase::Done},
    {Phase::RollingBack,       Event::Failed,       Phase::Done},  // the result says so
};
// clang-format on

}  // namespace

std::string_view name(Event event) {
    switch (event) {
        case Event::Planned:
            return "planned";
        case Event::NothingToDo:
            return "nothing-to-do";
        case Event::MustConfirm:
            return "must-confirm";
        case Event::Confirmed:
            return "confirmed";
        case Event::Denied:
            return "denied";
        case Event::MustWait:
            return "must-wait";
        case Event::Allowed:
            return "allowed";
        case Event::Fetched:
            return "fetched";
        case Event::Verified:
            return "verified";
        case Event::Prepared:
            return "prepared";
        case Event::Held:
            return "held";
        case Event::Started:
            return "started";
        case Event::Kept:
            return "kept";
        case Event::RolledBack:
            return "rolled-back";
        case Event::Failed:
            return "failed";
        case Event::Canceled:
            return "canceled";
    }
    std::unreachable();
}

std::span<const Transition> transitions() {
    return kTransitions;
}

Result<Phase> next_phase(Phase phase, Event event) {
    for (const auto& row : kTransitions) {
        if (row.phase == phase && row.event == event) return row.next;
    }
    return fail(Code::Defect, std::format("event '{}' cannot happen in phase '{}'", name(event), name(phase)));
}

}  // namespace davit
