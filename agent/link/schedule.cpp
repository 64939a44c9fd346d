#include "agent/link/schedule.h"

#include <algorithm>

namespace davit {
namespace {
constexpr Milliseconds kFirstRetry{5'000};
constexpr Milliseconds kShortest{1'000};
constexpr Milliseconds kBetweenEarlyPolls{10'000};
constexpr int kMostDoublings = 12;  // 5 s doubled 12 times is over five hours: enough, and no overflow
}  // namespace

Milliseconds Schedule::answered(Milliseconds interval) {
    failures_ = 0;
    return std::max(jitter(interval), kShortest);
}

MonotonicTime Schedule::reported(MonotonicTime now) {
    early_ = early_ ? std::max(now, *early_ + kBetweenEarlyPolls) : now;
    return *early_;
}

Milliseconds Schedule::failed() {
    const auto doubled = kFirstRetry * (1 << std::min(failures_, kMostDoublings));
    ++failures_;
    return jitter(std::min<Milliseconds>(doubled, longest_retry_));
}

Milliseconds Schedule::jitter(Milliseconds wait) {
    std::uniform_int_distribution<Milliseconds::rep> around(-wait.count() / 10, wait.count() / 10);
    return wait + Milliseconds(around(random_));
}

}  // namespace davit
