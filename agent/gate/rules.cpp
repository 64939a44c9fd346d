#include "agent/gate/rules.h"

#include <algorithm>
#include <ctime>

namespace davit {
namespace {

constexpr int kMinutesOfADay = 24 * 60;

int minute_of_the_day(std::int64_t wall_ms) {
    const auto seconds = static_cast<std::time_t>(wall_ms / 1000);
    std::tm local{};
    ::localtime_r(&seconds, &local);
    return local.tm_hour * 60 + local.tm_min;
}

}  // namespace

Milliseconds until_open(const Config::Hours& hours, std::int64_t wall_ms) {
    const int now = minute_of_the_day(wall_ms);
    const int length = (hours.to - hours.from + kMinutesOfADay) % kMinutesOfADay;
    const int since = (now - hours.from + kMinutesOfADay) % kMinutesOfADay;
    if (since < length) return Milliseconds::zero();
    constexpr Milliseconds kLongest = std::chrono::minutes(15);
    return std::min<Milliseconds>(std::chrono::minutes(kMinutesOfADay - since), kLongest);
}

}  // namespace davit
