#include "common/json.h"

#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>

#include "common/text.h"

namespace davit::json {

using nlohmann::json;

namespace {

constexpr int kDeepest = 64;  // no document of ours comes near; what recurses over a value stays within its stack

struct TooDeep {};

std::string position(std::string_view text, std::size_t byte) {
    const auto before = text.substr(0, byte > 0 ? byte - 1 : 0);
    const auto line = std::ranges::count(before, '\n') + 1;
    const auto start = before.rfind('\n');
    const auto column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
    return std::format("line {}, column {}", line, column);
}

/// The library's sentence without its "[json.exception.…] parse error at line 1, column 2: " in front.
std::string reason(std::string_view what) {
    if (what.starts_with('[')) what.remove_prefix(std::min(what.size(), what.find("] ") + 2));
    if (what.starts_with("parse error at")) what.remove_prefix(std::min(what.size(), what.find(": ") + 2));
    return cut(one_line(what), 200);
}

/// A captive portal or a proxy answers with a page, whatever was asked.
bool looks_like_html(std::string_view text) {
    return text[text.find_first_not_of(" \t\r\n")] == '<';
}

std::string_view type_of(const json& value) {
    switch (value.type()) {
        case json::value_t::null:
            return "null";
        case json::value_t::object:
            return "an object";
        case json::value_t::array:
            return "an array";
        case json::value_t::string:
            return "a string";
        case json::value_t::boolean:
            return "a boolean";
        case json::value_t::number_integer:
        case json::value_t::number_unsigned:
        case json::value_t::number_float:
            return "a number";
        case json::value_t::binary:
        case json::value_t::discarded:
            break;
    }
    return "nothing";
}

const json* find(const json& object, std::string_view member) {
    const auto found = object.find(member);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

constexpr std::string_view kString = "a string", kInteger = "an integer", kBoolean = "a boolean", kObject = "an object",
                           kArray = "an array";

}  // namespace

Result<json> parse(std::string_view text, std::string_view source, Comments comments) {
    const auto refuse = [&](std::string_view what) {
        return fail(Code::InvalidInput, std::format("{}: {}", source, what));
    };
    if (text.find_first_not_of(" \t\r\n") == text.npos) return refuse("is empty");
    const auto limit_depth = [](int depth, json::parse_event_t event, json&) {
        const bool opens = event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
        if (opens && depth >= kDeepest) throw TooDeep();
        return true;
    };
    try {
        return json::parse(text, limit_depth, true, comments == Comments::Allow);
    } catch (const TooDeep&) {
        return refuse(std::format("nested deeper than {} levels", kDeepest));
    } catch (const json::parse_error& error) {
        const auto* const guess =
            looks_like_html(text) ? "; it looks like a web page (of a captive portal or a proxy?)" : "";
        return refuse(std::format("{}: not JSON: {}{}", position(text, error.byte), reason(error.what()), guess));
    } catch (const json::exception& error) {  // a number that no type can hold
        return refuse(reason(error.what()));
    }
}

Reader::Reader(const json& value, std::string source) : Reader(&value, std::move(source), "") {}

Reader::Reader(const json* value, std::string source, std::string path)
    : value_(value), source_(std::move(source)), path_(std::move(path)) {}

Error Reader::error(std::string_view what) const {
    if (path_.empty()) return {Code::InvalidInput, std::format("{}: {}", source_, what)};
    return {Code::InvalidInput, std::format("{}: {}: {}", source_, path_, what)};
}

Error Reader::error_at(std::string_view member, std::string_view what) const {
    return at(*value_, member).error(what);
}

Reader Reader::at(const json& value, std::string_view member) const {
    return {&value, source_, path_.empty() ? std::string(member) : std::format("{}.{}", path_, member)};
}

Result<Reader> Reader::need(std::string_view member, std::string_view expected) const {
    auto found = TRY(get(member));
    if (!found) return fail(error_at(member, std::format("missing, expected {}", expected)));
    return *std::move(found);
}

Result<std::optional<Reader>> Reader::get(std::string_view member) const {
    TRY(expect_object());
    const auto* value = find(*value_, member);
    return value ? std::optional(at(*value, member)) : std::nullopt;
}

Error Reader::wrong_type(std::string_view expected) const {
    return error(std::format("expected {}, got {}", expected, type_of(*value_)));
}

Result<std::string> Reader::as_string() const {
    if (!value_->is_string()) return fail(wrong_type(kString));
    return value_->get_ref<const std::string&>();
}

Result<std::int64_t> Reader::as_integer(Range range) const {
    if (!value_->is_number()) return fail(wrong_type(kInteger));
    if (!value_->is_number_integer()) return fail(error(std::format("expected {}, got {}", kInteger, value_->dump())));
    const auto out_of_range = [&](std::string_view bound, std::int64_t limit) {
        return fail(error(std::format("expected {} {}, got {}", bound, limit, value_->dump())));
    };
    if (value_->is_number_unsigned() &&
        value_->get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
        return out_of_range("at most", range.most);
    }
    const auto number = value_->get<std::int64_t>();
    if (number < range.least) return out_of_range("at least", range.least);
    if (number > range.most) return out_of_range("at most", range.most);
    return number;
}

Result<void> Reader::expect_object() const {
    if (!value_->is_object()) return fail(wrong_type(kObject));
    return {};
}

Result<std::string> Reader::need_string(std::string_view member) const {
    return TRY(need(member, kString)).as_string();
}

Result<std::optional<std::string>> Reader::get_string(std::string_view member) const {
    const auto found = TRY(get(member));
    if (!found) return std::nullopt;
    return found->as_string();
}

Result<std::int64_t> Reader::need_integer(std::string_view member, Range range) const {
    return TRY(need(member, kInteger)).as_integer(range);
}

Result<std::optional<std::int64_t>> Reader::get_integer(std::string_view member, Range range) const {
    const auto found = TRY(get(member));
    if (!found) return std::nullopt;
    return found->as_integer(range);
}

Result<std::optional<bool>> Reader::get_boolean(std::string_view member) const {
    const auto found = TRY(get(member));
    if (!found) return std::nullopt;
    if (!found->value_->is_boolean()) return fail(found->wrong_type(kBoolean));
    return found->value_->get<bool>();
}

Result<Reader> Reader::need_object(std::string_view member) const {
    auto found = TRY(need(member, kObject));
    TRY(found.expect_object());
    return found;
}

Result<std::optional<Reader>> Reader::get_object(std::string_view member) const {
    auto found = TRY(get(member));
    if (found) TRY(found->expect_object());
    return found;
}

Result<std::vector<Reader>> Reader::get_array(std::string_view member) const {
    const auto found = TRY(get(member));
    std::vector<Reader> elements;
    if (!found) return elements;
    if (!found->value_->is_array()) return fail(found->wrong_type(kArray));
    for (const auto& element : *found->value_) {
        elements.push_back(Reader(&element, source_, std::format("{}[{}]", found->path_, elements.size())));
    }
    return elements;
}

Result<std::vector<std::string>> Reader::get_strings(std::string_view member) const {
    const auto elements = TRY(get_array(member));
    std::vector<std::string> strings;
    strings.reserve(elements.size());
    for (const auto& element : elements)
        strings.push_back(TRY(element.as_string()));
    return strings;
}

bool Reader::has(std::string_view member) const {
    return value_->is_object() && find(*value_, member);
}

std::vector<std::string> Reader::members() const {
    std::vector<std::string> names;
    if (!value_->is_object()) return names;
    for (const auto& item : value_->items())
        names.push_back(item.key());
    return names;
}

Result<void> Reader::refuse_unknown(std::initializer_list<std::string_view> known) const {
    for (const auto& member : members()) {
        if (std::ranges::find(known, member) != known.end()) continue;
        const auto meant = nearest(member, {known.begin(), known.size()});
        const auto hint = meant.empty() ? std::string() : std::format(" (did you mean '{}'?)", meant);
        return fail(error_at(cut(one_line(member), 64), "unknown field" + hint));
    }
    return {};
}

}  // namespace davit::json
