#pragma once
/// systemd's own parser, asked without PID 1: `systemd-analyze verify` loads units as PID 1 does and, when debugging,
/// prints what it understood.

#include <map>
#include <string>
#include <vector>

#include "common/file.h"

namespace davit::test {

/// One unit as systemd understood it, and what it complained about.
class ParsedUnit {
public:
    explicit ParsedUnit(std::string dump) : dump_(std::move(dump)) {}

    /// The value of the line "<name>: value"; "" if there is none. Names are those of the dump, mostly the directive's.
    [[nodiscard]] std::string value(const std::string& name) const;
    /// What stands between @p begin and @p end, for values of several lines; fails the test if there is no such place.
    [[nodiscard]] std::string between(const std::string& begin, const std::string& end) const;
    [[nodiscard]] const std::string& dump() const { return dump_; }

private:
    std::string dump_;
};

struct Parsed {
    std::map<std::string, ParsedUnit> units;  ///< by name
    std::string complaints;                   ///< systemd's warnings about lines of these units
};

/// Has systemd read @p units (name → text). They are placed alone in a directory of their own.
Parsed parse_with_systemd(const std::map<std::string, std::string>& units);

/// A word of the dump's "Command Line:", unquoted.
std::string unquoted(std::string_view word);

}  // namespace davit::test
