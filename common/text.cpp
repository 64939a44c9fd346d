#include "common/text.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace davit {

std::string cut(std::string_view text, std::size_t most) {
    if (text.size() <= most) return std::string(text);
    constexpr std::string_view kEllipsis = "…";
    std::size_t end = most > kEllipsis.size() ? most - kEllipsis.size() : 0;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
        --end;
    return std::string(text.substr(0, end)) + std::string(kEllipsis);
}

std::string one_line(std::string_view text) {
    std::string line(text);
    std::ranges::replace_if(line, [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
    return line;
}

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

}  // namespace

std::string_view nearest(std::string_view written, std::span<const std::string_view> known) {
    constexpr std::size_t kLongestName = 64;  // names from outside may be of any length
    if (written.size() > kLongestName) return {};
    std::string_view best;
    std::size_t best_distance = 3;
    for (const auto name : known) {
        const auto distance = edit_distance(written, name);
        // "id" is two edits from every other two-letter word: something of the name must be left.
        if (distance >= best_distance || distance >= std::max(written.size(), name.size())) continue;
        best = name;
        best_distance = distance;
    }
    return best;
}

}  // namespace davit
