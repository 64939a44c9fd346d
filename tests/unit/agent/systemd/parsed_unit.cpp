#include "parsed_unit.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/clock.h"
#include "common/process.h"
#include "tests/unit/common/support.h"

namespace davit::test {
namespace {

/// Lines such as "/tmp/…/a.service:4: Unbalanced quoting, ignoring: …".
std::string complaints_in(const std::string& log, const Path& directory) {
    std::string found;
    for (std::size_t start = 0; start < log.size();) {
        const auto end = std::min(log.find('\n', start), log.size());
        const auto line = log.substr(start, end - start);
        if (line.starts_with(directory.string() + "/")) found += line + "\n";
        start = end + 1;
    }
    return found;
}

}  // namespace

std::string ParsedUnit::value(const std::string& name) const {
    const auto start = dump_.find("\t" + name + ": ");
    if (start == dump_.npos) return {};
    const auto value = start + name.size() + 3;
    return dump_.substr(value, dump_.find('\n', value) - value);
}

std::string ParsedUnit::between(const std::string& begin, const std::string& end) const {
    const auto start = dump_.find(begin);
    const auto stop = start == dump_.npos ? start : dump_.find(end, start + begin.size());
    if (stop == dump_.npos) {
        ADD_FAILURE() << "no '" << begin << "…" << end << "' in\n" << dump_;
        return {};
    }
    return dump_.substr(start + begin.size(), stop - start - begin.size());
}

Parsed parse_with_systemd(const std::map<std::string, std::string>& units) {
    const TemporaryDirectory directory;
    std::vector<std::string> argv = {"systemd-analyze", "verify", "--man=no", "--recursive-errors=no"};
    for (const auto& [name, text] : units) {
        EXPECT_THAT(file::write_atomically(directory / name, text), Works());
        argv.push_back(directory / name);
    }
    // What systemd finds nowhere else it does not complain about, so the units need none of the system's.
    const auto run = process::run(
        {.argv = argv,
         .extra_env = {"SYSTEMD_UNIT_PATH=" + directory.path().string(), "SYSTEMD_LOG_LEVEL=debug", "LC_ALL=C"},
         .input = {}},
        Milliseconds{60'000});
    if (!run) {
        ADD_FAILURE() << run.error().message << " (the package 'systemd' is needed)";
        return {};
    }
    Parsed parsed{.units = {}, .complaints = complaints_in(run->err, directory.path())};
    for (const auto& [name, text] : units) {
        const auto start = run->out.find("-> Unit " + name + ":\n");  // in UTF-8 locales it is a nicer arrow
        if (start == run->out.npos) continue;
        const auto end = run->out.find("\t-> Unit ", start);
        parsed.units.emplace(name, ParsedUnit(run->out.substr(start, end - start)));
    }
    return parsed;
}

std::string unquoted(std::string_view word) {
    if (!word.starts_with('"')) return std::string(word);
    word = word.substr(1, word.size() - 2);
    static const std::map<char, char> kEscapes = {{'a', '\a'}, {'b', '\b'}, {'f', '\f'}, {'n', '\n'},
                                                  {'r', '\r'}, {'t', '\t'}, {'v', '\v'}};
    std::string text;
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (word[i] != '\\') {
            text += word[i];
            continue;
        }
        const char c = word[++i];
        if (const auto known = kEscapes.find(c); known != kEscapes.end()) {
            text += known->second;
        } else if (c >= '0' && c <= '7') {
            text += static_cast<char>((c - '0') * 64 + (word[i + 1] - '0') * 8 + (word[i + 2] - '0'));
            i += 2;
        } else {
            text += c;
        }
    }
    return text;
}

}  // namespace davit::test
