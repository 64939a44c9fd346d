#include "agent/phase.h"

#include <array>
#include <utility>

namespace davit {
namespace {

constexpr std::array kNames = {
    std::pair{Phase::Received, "received"},
    std::pair{Phase::Confirming, "confirming"},
    std::pair{Phase::WaitingToDownload, "waiting-to-download"},
    std::pair{Phase::Downloading, "downloading"},
    std::pair{Phase::Verifying, "verifying"},
    std::pair{Phase::Staged, "staged"},
    std::pair{Phase::WaitingToSwitch, "waiting-to-switch"},
    std::pair{Phase::Switching, "switching"},
    std::pair{Phase::Probation, "probation"},
    std::pair{Phase::RollingBack, "rolling-back"},
    std::pair{Phase::Done, "done"},
};

}  // namespace

bool is_waiting(Phase phase) {
    return phase == Phase::Confirming || phase == Phase::WaitingToDownload || phase == Phase::WaitingToSwitch;
}

bool is_before_switch(Phase phase) {
    return phase < Phase::Switching;
}

std::string_view name(Phase phase) {
    for (const auto& [known, text] : kNames) {
        if (known == phase) return text;
    }
    std::unreachable();
}

std::optional<Phase> phase_from_name(std::string_view text) {
    for (const auto& [phase, known] : kNames) {
        if (known == text) return phase;
    }
    return std::nullopt;
}

}  // namespace davit
