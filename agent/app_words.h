#pragma once
/// How an app is, in a person's words: the same in `davitctl apps` and in hawkBit.

#include <string>
#include <string_view>

#include "common/clock.h"

namespace davit {

/// After so long without a restart an app is no longer said to be restarting.
inline constexpr Milliseconds kCalm = std::chrono::minutes(10);

/// Whether it is caught in a circle of crashes: systemd has restarted it, and it has not been up for long since.
/// @param active it is up, since @p up
bool is_restarting(bool active, unsigned restarts, Milliseconds up);

/// "restarting (5 times)"
std::string restarting(unsigned times);
/// The same for a server that should not hear of each restart: above five in steps, "restarting (more than 20 times)".
std::string restarting_roughly(unsigned times);

}  // namespace davit
