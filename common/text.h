#pragma once
/// Small text helpers for messages that people read.

#include <span>
#include <string>
#include <string_view>

namespace davit {

/// At most @p most bytes of @p text, cut between UTF-8 characters and ended by "…" when something was left out.
std::string cut(std::string_view text, std::size_t most);

/// @p text on one line: control characters (newlines, escape sequences) become spaces.
std::string one_line(std::string_view text);

/// The one of @p known that a person probably meant by @p written (at most two typing errors); empty if none is near.
std::string_view nearest(std::string_view written, std::span<const std::string_view> known);

}  // namespace davit
