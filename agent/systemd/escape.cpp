#include "agent/systemd/escape.h"

#include <cstdint>
#include <format>
#include <optional>

#include "common/text.h"

namespace davit {
namespace {

// What execve takes for one argument. Escaped fourfold it stays below systemd's line limit of 1 MiB.
constexpr std::size_t kLongest = 128u << 10;

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}
bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// The code point at the start of @p text and its length in bytes; nullopt if it is not UTF-8 in its one correct form.
struct Symbol {
    std::uint32_t code = 0;
    std::size_t length = 0;
};
std::optional<Symbol> first_symbol(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
    const std::uint32_t lead = byte(0);
    if (lead < 0x80) return Symbol{lead, 1};
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc0 || lead >= 0xf8 || text.size() < length) return std::nullopt;
    std::uint32_t code = lead & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return std::nullopt;
        code = code << 6 | (byte(i) & 0x3f);
    }
    constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < kSmallest[length]) return std::nullopt;
    return Symbol{code, length};
}

/// systemd's idea of a character (unichar_is_valid): no surrogates and none of Unicode's non-characters. It drops the
/// whole line otherwise.
bool is_character(std::uint32_t code) {
    return code < 0x110000 && (code & 0xfffff800) != 0xd800 && (code < 0xfdd0 || code > 0xfdef) &&
           (code & 0xfffe) != 0xfffe;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto symbol = first_symbol(text);
        if (!symbol || !is_character(symbol->code)) return false;
        text.remove_prefix(symbol->length);
    }
    return true;
}

/// What keeps @p text out of a unit in every place; empty if nothing.
std::string_view objection(std::string_view text) {
    if (text.size() > kLongest) return "is longer than 128 KiB";
    if (text.find('\0') != text.npos) return "has a NUL byte";
    if (!is_utf8(text)) return "is not UTF-8";
    return {};
}

std::string_view objection_to_quantity(std::string_view text) {
    if (text.empty()) return "is empty";  // "Key=" unsets
    return text.find_first_not_of("0123456789.KMGTPE%") == text.npos ? "" : "is not a number with a unit";
}

/// What keeps @p text out of a place that has no quotes.
std::string_view objection_to_text(std::string_view text) {
    if (text.empty()) return "is empty";
    for (const char c : text)
        if (is_control(c)) return "has a control character";
    if (is_blank(text.front()) || is_blank(text.back())) return "begins or ends with a blank";
    if (text.back() == '\\') return "ends with a backslash";  // would join the next line
    return {};
}

std::string doubled(std::string_view text, std::string_view which) {
    std::string result;
    for (const char c : text) {
        result += c;
        if (which.contains(c)) result += c;
    }
    return result;
}

/// In double quotes, with C escapes. Quotes keep blanks and a lone ";" (which would begin another command) inside the
/// word.
std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            result += '\\';
            result += c;
        } else if (is_control(c)) {
            result += std::format("\\x{:02x}", static_cast<unsigned>(c));
        } else {
            result += c;
        }
    }
    return result + '"';
}

}  // namespace

Result<std::string> unit_value(UnitValue place, std::string_view text) {
    auto wrong = objection(text);
    if (wrong.empty() && place == UnitValue::Text) wrong = objection_to_text(text);
    if (wrong.empty() && place == UnitValue::Quantity) wrong = objection_to_quantity(text);
    if (!wrong.empty()) {
        return fail(Code::InvalidInput,
                    std::format("'{}' cannot be in a unit file: it {}", cut(one_line(text), 80), wrong));
    }
    switch (place) {
        case UnitValue::Text:
            return doubled(text, "%");
        case UnitValue::Word:
            return quoted(doubled(text, "%"));
        case UnitValue::Argument:
            return quoted(doubled(text, "%$"));
        case UnitValue::Quantity:
            return std::string(text);
    }
    return fail(Code::Defect, "no such place in a unit");
}

}  // namespace davit
