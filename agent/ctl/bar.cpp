#include "agent/ctl/bar.h"

#include <algorithm>
#include <array>
#include <format>
#include <nlohmann/json.hpp>

#include "common/text.h"

namespace davit {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kWidestBar = 30;
constexpr std::size_t kNarrowestBar = 5;

bool begins_character(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, begins_character));
}

struct Part {
    std::string name;
    std::uint64_t bytes = 0, expected = 0;
};

/// A part of which nothing travels (removed, unchanged, here already) has no bar.
std::vector<Part> parts_of(const Json& status) {
    std::vector<Part> out;
    for (const auto& part : status.value("parts", Json::array())) {
        const auto todo = part.value("todo", "");
        out.push_back({todo.empty() ? part.value("app", "") : todo, part.value("bytes", std::uint64_t{0}),
                       part.value("expected_bytes", std::uint64_t{0})});
    }
    return out;
}

Part total_of(const Json& status) {
    return {"", status.value("bytes", std::uint64_t{0}), status.value("expected_bytes", std::uint64_t{0})};
}

unsigned percent(const Part& part) {
    if (part.expected == 0) return 0;
    // Signed sizes are upper bounds, so the end comes before 100 %; never more than that.
    return static_cast<unsigned>(std::min<long double>(100.0L * part.bytes / part.expected, 100.0L));
}

/// "[#####-----]  50 %  1.2 of 2.4 MB"
std::string bar(const Part& part, std::size_t columns) {
    const auto numbers = std::format("{:3} %  {}", percent(part), amount(part.bytes, part.expected));
    const auto rest = width_of(numbers) + 4;
    if (columns < rest + kNarrowestBar) return fit(numbers, columns);
    const auto length = std::min(columns - rest, kWidestBar);
    const auto done = length * percent(part) / 100;
    return std::format("[{}{}]  {}", std::string(done, '#'), std::string(length - done, '-'), numbers);
}

std::string title(const Json& status) {
    return std::format("{}, {}: {}", status.value("deployment_id", ""), status.value("phase", ""),
                       status.value("message", ""));
}

}  // namespace

std::string fit(std::string_view text, std::size_t columns) {
    const auto line = one_line(text);
    if (width_of(line) <= columns) return line;
    constexpr std::string_view kMore = "...";
    const auto room = columns < kMore.size() ? columns : columns - kMore.size();
    std::size_t seen = 0;
    std::size_t end = 0;
    while (end < line.size() && !(begins_character(line[end]) && seen++ == room))
        ++end;
    return line.substr(0, end) + (columns < kMore.size() ? "" : std::string(kMore));
}

std::string amount(std::uint64_t bytes, std::uint64_t expected) {
    struct Unit {
        std::uint64_t size;
        const char* name;
        int digits;
    };
    constexpr std::array kUnits{Unit{1'000'000'000, "GB", 2}, Unit{1'000'000, "MB", 1}, Unit{1'000, "kB", 0},
                                Unit{1, "B", 0}};
    const auto largest = std::max(bytes, expected);
    const auto unit =
        *std::ranges::find_if(kUnits, [&](const Unit& one) { return largest >= one.size || one.size == 1; });
    const auto number = [&](std::uint64_t value) {
        return std::format("{:.{}f}", static_cast<double>(value) / static_cast<double>(unit.size), unit.digits);
    };
    if (expected == 0) return std::format("{} {}", number(bytes), unit.name);
    return std::format("{} of {} {}", number(bytes), number(expected), unit.name);
}

std::vector<std::string> live_lines(const Json& status, std::size_t columns) {
    std::vector<std::string> lines = {fit(title(status), columns)};
    const auto parts = parts_of(status);
    std::size_t widest = 0;
    for (const auto& part : parts)
        widest = std::max(widest, width_of(part.name));
    widest = std::min(widest, columns / 3);
    for (const auto& part : parts) {
        if (part.expected == 0) continue;
        auto name = fit(part.name, widest);
        name += std::string(widest - width_of(name), ' ');
        lines.push_back("  " + name + "  " + bar(part, columns - std::min(columns, widest + 4)));
    }
    const auto total = total_of(status);
    if (lines.size() == 1 && total.expected > 0)
        lines.push_back("  " + bar(total, columns - std::min<std::size_t>(columns, 2)));
    for (auto& line : lines)
        line = fit(line, columns);
    return lines;
}

std::string plain_line(const Json& status) {
    const auto total = total_of(status);
    auto line = one_line(title(status));
    if (total.expected == 0) return line;
    constexpr unsigned kStep = 10;
    return line + std::format(" ({} % of {})", percent(total) / kStep * kStep, amount(total.expected, 0));
}

}  // namespace davit
