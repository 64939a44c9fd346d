#pragma once
/// The phases of a deployment. Each is persisted before it acts, may be entered twice, and has one way to be left: an
/// event of agent/engine/transitions.

#include <optional>
#include <string_view>

namespace davit {

enum class Phase {
    Received,
    Confirming,
    WaitingToDownload,
    Downloading,
    Verifying,
    Staged,
    WaitingToSwitch,
    Switching,
    Probation,
    RollingBack,
    Done
};

/// Whether the phase only waits for somebody's word, for hours or weeks if need be.
bool is_waiting(Phase phase);
/// Whether nothing on the device has changed yet, so that the deployment can still be given up without a trace.
bool is_before_switch(Phase phase);

std::string_view name(Phase phase);  ///< "rolling-back"
std::optional<Phase> phase_from_name(std::string_view text);

}  // namespace davit
