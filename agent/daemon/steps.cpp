#include "agent/daemon/steps.h"

#include <format>

namespace davit {
namespace {

/// A download that is through sooner needs no steps.
constexpr Milliseconds kBetween{5'000};
constexpr unsigned kQuarter = 25;

double megabytes(std::uint64_t bytes) {
    return static_cast<double>(bytes) / 1e6;
}

}  // namespace

std::optional<std::string> Steps::step(const DeploymentStatus& deployment, MonotonicTime now) {
    std::uint64_t bytes = 0, expected = 0;
    for (const auto& part : deployment.parts) {
        bytes += part.bytes;
        expected += part.expected;
    }
    if (!last_) last_ = now;
    if (expected == 0 || bytes >= expected || now - *last_ < kBetween) return std::nullopt;
    const auto percent = static_cast<unsigned>(100.0 * static_cast<double>(bytes) / static_cast<double>(expected));
    if (percent < next_) return std::nullopt;
    last_ = now;
    next_ = (percent / kQuarter + 1) * kQuarter;
    return std::format("fetched {} % ({:.1f} of {:.1f} MB)", percent, megabytes(bytes), megabytes(expected));
}

}  // namespace davit
