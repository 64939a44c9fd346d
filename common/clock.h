#pragma once
/// Time: monotonic for every time-out and back-off, wall clock for display only.

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

#include "common/result.h"

namespace davit {

using Milliseconds = std::chrono::milliseconds;
using MonotonicTime = std::chrono::steady_clock::time_point;

/// The seam for tests: a fake clock moves when somebody sleeps.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual MonotonicTime now() const = 0;
    /// Milliseconds since the epoch, for humans and for hawkBit's `timestamp`.
    [[nodiscard]] virtual std::int64_t wall_ms() const = 0;
    /// Blocks for @p duration or until @p stop is requested. @return false when stopped
    virtual bool sleep(Milliseconds duration, std::stop_token stop) = 0;
};

/// The real one; lives as long as the program.
Clock& system_clock();

/// "500ms", "5s", "2m", "1h", or a bare number of seconds. Error: InvalidInput.
Result<Milliseconds> parse_duration(std::string_view text);
/// The shortest exact form: "500ms", "5s", "2m".
std::string to_string(Milliseconds duration);
/// "60 s" or "0.2 s", for sentences.
std::string in_seconds(Milliseconds duration);
/// hawkBit's polling interval: "00:05:00" or ISO-8601 "PT24H". Error: InvalidInput.
Result<Milliseconds> parse_polling_time(std::string_view text);
/// "2026-11-21T10:00:00Z"
std::string iso_time(std::int64_t wall_ms);

}  // namespace davit
