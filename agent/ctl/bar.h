#pragma once
/// A deployment under way as lines of text: pure, so that every width can be tested.

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace davit {

/// At most @p columns characters of @p text on one line, never half of one; control characters become spaces.
std::string fit(std::string_view text, std::size_t columns);

/// "1.2 of 2.7 MB", "900 B"; @p expected 0: not known.
std::string amount(std::uint64_t bytes, std::uint64_t expected);

/// What GetStatus said, for a terminal of @p columns: the phase and its message, then a bar a part (or one for all when
/// davitd does not tell them apart). Nothing is longer than the terminal is wide.
std::vector<std::string> live_lines(const nlohmann::json& status, std::size_t columns);

/// The same as one plain line for a file or a pipe; a line is news when it differs from the last. Bytes are told in
/// steps of ten per cent.
std::string plain_line(const nlohmann::json& status);

}  // namespace davit
