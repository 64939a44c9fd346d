#pragma once
/// The phases of a deployment. Each is persisted before it acts, may be entered twice, and has one way to be left: an
/// event of agent/engine/transitions.

#include <optional>
#include <string_view>

namespace davit {

enum class Phase { Received, Downloading, Verifying, Staged, Switching, Probation, RollingBack, Done };

std::string_view name(Phase phase);  ///< "rolling-back"
std::optional<Phase> phase_from_name(std::string_view text);

}  // namespace davit
