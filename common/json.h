#pragma once
/// Typed reading of JSON, with the path and the expected type in every error.
///
/// "davit.json: health.every: expected a string, got a number". A Reader is a view into a Document and must not outlive
/// it. Not thread-safe. nlohmann::json stays behind this header for readers; who writes JSON includes
/// <nlohmann/json.hpp> itself.

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/result.h"

namespace davit::json {

/// Parsed text. Errors: InvalidInput "<source>: line 3, column 7: …". Comments (// and /* */) are allowed when @p
/// comments is.
enum class Comments { Refuse, Allow };
Result<nlohmann::json> parse(std::string_view text, std::string_view source, Comments comments = Comments::Refuse);

/// What an integer may be, both ends included.
struct Range {
    std::int64_t least = std::numeric_limits<std::int64_t>::min();
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
};

/// A place in a document: the source's name, the path so far, and the value there.
class Reader {
public:
    /// @param source what the user calls the document ("davit.json", "answer of GET …")
    Reader(const nlohmann::json& value, std::string source);
    Reader(nlohmann::json&&, std::string) = delete;  ///< a Reader of a temporary would dangle

    // Each `need_*` is an error when the member is absent or has another type; each `get_*` gives nullopt when it is
    // absent (or null). All of them are an error when this value is not an object.
    [[nodiscard]] Result<std::string> need_string(std::string_view member) const;
    [[nodiscard]] Result<std::optional<std::string>> get_string(std::string_view member) const;
    [[nodiscard]] Result<std::int64_t> need_integer(std::string_view member, Range range = {}) const;
    [[nodiscard]] Result<std::optional<std::int64_t>> get_integer(std::string_view member, Range range = {}) const;
    [[nodiscard]] Result<std::optional<bool>> get_boolean(std::string_view member) const;
    [[nodiscard]] Result<Reader> need_object(std::string_view member) const;
    [[nodiscard]] Result<std::optional<Reader>> get_object(std::string_view member) const;
    /// The elements, each with its index in the path; empty when absent.
    [[nodiscard]] Result<std::vector<Reader>> get_array(std::string_view member) const;
    [[nodiscard]] Result<std::vector<std::string>> get_strings(std::string_view member) const;

    [[nodiscard]] Result<std::string> as_string() const;  ///< this value itself
    [[nodiscard]] Result<void> expect_object() const;

    [[nodiscard]] bool has(std::string_view member) const;
    [[nodiscard]] std::vector<std::string> members() const;  ///< names, if this is an object
    /// Error naming the first member that is not in @p known, with the nearest known name: "health.evry: unknown field
    /// (did you mean 'every'?)".
    [[nodiscard]] Result<void> refuse_unknown(std::initializer_list<std::string_view> known) const;

    /// An InvalidInput error at this place: "<source>: <path>: <what>".
    [[nodiscard]] Error error(std::string_view what) const;
    [[nodiscard]] Error error_at(std::string_view member, std::string_view what) const;
    [[nodiscard]] const nlohmann::json& raw() const { return *value_; }

private:
    Reader(const nlohmann::json* value, std::string source, std::string path);
    [[nodiscard]] Reader at(const nlohmann::json& value, std::string_view member) const;
    [[nodiscard]] Result<Reader> need(std::string_view member, std::string_view expected) const;
    [[nodiscard]] Result<std::optional<Reader>> get(std::string_view member) const;
    [[nodiscard]] Result<std::int64_t> as_integer(Range range) const;
    [[nodiscard]] Error wrong_type(std::string_view expected) const;

    const nlohmann::json* value_;
    std::string source_;
    std::string path_;
};

}  // namespace davit::json
