// What hawkBit takes as text. Its rules, as its servers showed them: a detail with something like a tag in it ("<new>")
// is refused with 400 and the action stays open; more than 50 pieces of 512 characters are refused even in the message
// that closes an action; attribute values are ASCII.

#include <algorithm>
#include <format>

#include "hawkbit/ddi/client.h"

namespace davit::ddi {
namespace {

constexpr std::size_t kMaxDetails = 20;
constexpr std::size_t kMaxDetailBytes = 512;
constexpr std::size_t kMaxAttribute = 128;

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u;
}

/// At most @p limit bytes, without half a character at the end.
std::string cut(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) return std::string(text);
    while (limit > 0 && is_continuation(text[limit]))
        --limit;
    return std::string(text.substr(0, limit));
}

char clean_character(char c) {
    if (c == '<') return '(';  // nothing is a tag without it
    if (c == '\n' || c == '\t') return c;
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F ? ' ' : c;
}

std::string clean_detail(std::string_view detail) {
    auto text = cut(detail, kMaxDetailBytes);
    std::ranges::transform(text, text.begin(), clean_character);
    return text;
}

bool fits_attribute(char c) {
    // Java's \s, and printable ASCII without '~' and '`'.
    if (c == '\t' || c == '\n' || c == '\v' || c == '\f' || c == '\r') return true;
    return c >= ' ' && c < '~' && c != '`';
}

}  // namespace

std::vector<std::string> clean_details(const std::vector<std::string>& details) {
    std::vector<std::string> cleaned;
    std::size_t first = 0;
    if (details.size() > kMaxDetails) {
        // The end says how it ended and why: what goes is the beginning.
        first = details.size() - (kMaxDetails - 1);
        cleaned.push_back(std::format("({} earlier messages left out)", first));
    }
    for (auto i = first; i < details.size(); ++i)
        cleaned.push_back(clean_detail(details[i]));
    return cleaned;
}

std::string clean_attribute(std::string_view value) {
    std::string cleaned;
    for (const char c : value) {
        if (is_continuation(c)) continue;  // one '?' a character, not a byte
        if (cleaned.size() == kMaxAttribute) break;
        cleaned += fits_attribute(c) ? c : '?';
    }
    return cleaned;
}

}  // namespace davit::ddi
