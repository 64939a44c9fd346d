#pragma once
/// When to poll next: the server's interval with jitter, or an exponential back-off while it does not answer.

#include <optional>
#include <random>

#include "common/clock.h"

namespace davit {

/// Pure arithmetic; the random source is injected.
class Schedule {
public:
    /// @param longest_retry upper end of the back-off
    Schedule(Milliseconds longest_retry, std::mt19937 random) : longest_retry_(longest_retry), random_(random) {}

    /// The server answered and wishes to be asked again in @p interval. @return interval ±10 %, so that a fleet does
    /// not ask in step; never less than a second, whatever the server says
    Milliseconds answered(Milliseconds interval);
    /// A result was reported: the server may have the next deployment waiting. @return when to ask; now, unless it was
    /// asked so early a moment ago (a server that never takes a result offers the same deployment again at once)
    MonotonicTime reported(MonotonicTime now);
    /// No answer. @return 5 s, 10 s, 20 s … up to longest_retry, ±10 %
    Milliseconds failed();

private:
    Milliseconds jitter(Milliseconds wait);

    Milliseconds longest_retry_;
    std::mt19937 random_;
    int failures_ = 0;
    std::optional<MonotonicTime> early_;  ///< the last answer of reported()
};

}  // namespace davit
