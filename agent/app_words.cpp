#include "agent/app_words.h"

#include <array>
#include <format>
#include <ranges>

namespace davit {

bool is_restarting(bool active, unsigned restarts, Milliseconds up) {
    return restarts > 0 && (!active || up < kCalm);
}

std::string restarting(unsigned times) {
    return std::format("restarting ({} time{})", times, times == 1 ? "" : "s");
}

std::string restarting_roughly(unsigned times) {
    constexpr std::array kSteps{5u, 10u, 20u, 50u, 100u, 200u, 500u, 1000u};
    if (times <= kSteps.front()) return restarting(times);
    for (const auto step : kSteps | std::views::reverse)
        if (times > step) return std::format("restarting (more than {} times)", step);
    return restarting(times);
}

}  // namespace davit
