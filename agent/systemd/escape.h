#pragma once
/// The one place where a string from outside becomes part of a unit file.
///
/// systemd must parse back exactly what was put in: whatever the string holds, it never ends its line, its word or its
/// quotes, and no specifier (%h) or variable ($HOME) in it is expanded. What systemd cannot carry is refused, never
/// changed.

#include <string>
#include <string_view>

#include "common/result.h"

namespace davit {

/// Where in a unit the string goes; systemd reads each place by rules of its own.
enum class UnitValue {
    Text,      ///< the whole value of Description=, SyslogIdentifier=, PIDFile=: no quotes, no escapes, only specifiers
    Word,      ///< NAME=value of Environment=, or the program of ExecStart=: quotes, C escapes, specifiers
    Argument,  ///< a word of ExecStart= after the program: the same, and variables
    Quantity,  ///< MemoryMax=, CPUQuota=: a number with its unit or "%"; systemd expands nothing
};

/// @p text as it must stand in a unit file, quotes included where the place has them. Thread-safe, no state.
/// Errors: InvalidInput saying what systemd cannot carry: NUL, text that is not UTF-8 (or holds Unicode's
/// non-characters), more than 128 KiB; in Text also control characters, an empty text, blanks at either end and a
/// backslash at the end; in Quantity whatever is not part of a number.
Result<std::string> unit_value(UnitValue place, std::string_view text);

}  // namespace davit
