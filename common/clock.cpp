#include "common/clock.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <condition_variable>
#include <format>
#include <mutex>
#include <optional>

namespace davit {

using namespace std::chrono_literals;

namespace {

class RealClock final : public Clock {
public:
    MonotonicTime now() const override { return std::chrono::steady_clock::now(); }

    std::int64_t wall_ms() const override {
        return std::chrono::duration_cast<Milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    }

    bool sleep(Milliseconds duration, std::stop_token stop) override {
        constexpr Milliseconds kLongest = std::chrono::hours(24 * 365);  // now + Milliseconds::max() would overflow
        std::mutex mutex;
        std::condition_variable_any nobody_notifies;
        std::unique_lock lock(mutex);
        nobody_notifies.wait_for(lock, stop, std::min(duration, kLongest), [] { return false; });
        return !stop.stop_requested();
    }
};

struct Unit {
    std::string_view suffix;
    std::int64_t milliseconds;
};

constexpr std::array kUnits{Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000}, Unit{"ms", 1}};

/// Takes a non-negative number off the front of @p text.
std::optional<std::int64_t> take_number(std::string_view& text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < 0 || text.front() == '-') return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

/// @p count × @p unit, unless that is more than a century: nobody means it, and sums of such times would overflow.
std::optional<Milliseconds> product(std::int64_t count, Milliseconds unit) {
    constexpr Milliseconds kCentury = std::chrono::hours(24 * 36525);
    if (count > kCentury / unit) return std::nullopt;
    return count * unit;
}

std::optional<Milliseconds> parse_clock_form(std::string_view text) {
    Milliseconds total{0};
    for (const Milliseconds unit : {Milliseconds(1h), Milliseconds(1min), Milliseconds(1s)}) {
        const auto number = take_number(text);
        const auto part = number ? product(*number, unit) : std::nullopt;
        if (!part || (unit < 1h && *number > 59)) return std::nullopt;
        total += *part;
        if (unit == 1s) break;
        if (!text.starts_with(':')) return std::nullopt;
        text.remove_prefix(1);
    }
    return text.empty() ? std::optional(total) : std::nullopt;
}

Milliseconds iso_unit(char letter) {
    switch (letter) {
        case 'D':
            return 24h;
        case 'H':
            return 1h;
        case 'M':
            return 1min;
        default:
            return 1s;
    }
}

std::optional<Milliseconds> parse_iso_form(std::string_view text) {
    constexpr std::string_view kDateUnits = "D", kTimeUnits = "HMS";
    text.remove_prefix(1);  // P
    Milliseconds total{0};
    std::string_view allowed = kDateUnits;  // each unit once, in this order
    bool any = false;
    while (!text.empty()) {
        if (text.front() == 'T') {
            if (allowed.data() == kTimeUnits.data()) return std::nullopt;
            allowed = kTimeUnits;
            any = false;  // something must follow a T
            text.remove_prefix(1);
            continue;
        }
        const auto number = take_number(text);
        const auto at = number && !text.empty() ? allowed.find(text.front()) : std::string_view::npos;
        if (at == std::string_view::npos) return std::nullopt;
        const auto part = product(*number, iso_unit(allowed[at]));
        if (!part) return std::nullopt;
        total += *part;
        any = true;
        allowed.remove_prefix(at + 1);
        text.remove_prefix(1);
    }
    return any ? std::optional(total) : std::nullopt;
}

}  // namespace

Clock& system_clock() {
    static RealClock clock;
    return clock;
}

Result<Milliseconds> parse_duration(std::string_view text) {
    std::string_view rest = text;
    if (const auto number = take_number(rest)) {
        const auto suffix = rest.empty() ? std::string_view("s") : rest;
        const auto unit = std::ranges::find(kUnits, suffix, &Unit::suffix);
        const auto duration = unit != kUnits.end() ? product(*number, Milliseconds(unit->milliseconds)) : std::nullopt;
        if (duration) return *duration;
    }
    return fail(Code::InvalidInput, std::format("'{}' is not a duration (write it like 500ms, 5s, 2m or 1h)", text));
}

std::string to_string(Milliseconds duration) {
    if (duration == 0ms) return "0s";
    const auto unit =
        std::ranges::find_if(kUnits, [&](const Unit& u) { return duration.count() % u.milliseconds == 0; });
    return std::format("{}{}", duration.count() / unit->milliseconds, unit->suffix);
}

std::string in_seconds(Milliseconds duration) {
    return std::format("{:g} s", static_cast<double>(duration.count()) / 1000.0);
}

Result<Milliseconds> parse_polling_time(std::string_view text) {
    const auto time = text.starts_with('P') ? parse_iso_form(text) : parse_clock_form(text);
    if (time) return *time;
    return fail(Code::InvalidInput, std::format("'{}' is not a polling time (like 00:05:00 or PT5M)", text));
}

std::string iso_time(std::int64_t wall_ms) {
    // Not "{:%FT%TZ}": that formatter brings the locale machinery into every program.
    using namespace std::chrono;
    const auto time = sys_seconds(floor<seconds>(milliseconds(wall_ms)));
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(time - day);
    return std::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                       clock.minutes().count(), clock.seconds().count());
}

}  // namespace davit
