#pragma once
/// What this device's configuration says to a soft deployment.

#include <cstdint>
#include <optional>
#include <string>

#include "agent/config.h"

namespace davit {

/// How long, from @p wall_ms (read in the device's time zone), until @p hours are open; zero: they are. "22:00-05:00"
/// goes over midnight. Never more than 15 minutes: wall clocks are set, and clocks change for the summer.
Milliseconds until_open(const Config::Hours& hours, std::int64_t wall_ms);

}  // namespace davit
