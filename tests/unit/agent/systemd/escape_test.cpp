#include "agent/systemd/escape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <format>
#include <random>

#include "parsed_unit.h"
#include "tests/unit/common/support.h"

namespace davit {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

using test::FailsWith;
using test::Gives;

/// What people and attackers put into strings, and what systemd gives a meaning.
const std::vector<std::string> kPieces = {
    "a",
    "B7",
    " ",
    "  ",
    "\t",
    "\n",
    "\r",
    "\\",
    "\\\\",
    "\\n",
    "\\x41",
    "%",
    "%%",
    "%h",
    "%i",
    "$",
    "$$",
    "$A",
    "${HOME}",
    "\"",
    "'",
    ";",
    " ; ",
    "#",
    "=",
    "-",
    "@",
    "+",
    "!",
    ":",
    "{",
    "}",
    "`",
    "&&",
    "\x01",
    "\x1b[0m",
    "\x7f",
    "é",
    "漢",
    "😀",
    "|",
    "/../",
    "\n[Service]\nExecStart=/bin/false\n",
    "\\\n",
};

std::string nasty(std::mt19937& random) {
    std::string text;
    for (auto n = 1 + random() % 8; n > 0; --n)
        text += kPieces[random() % kPieces.size()];
    return text;
}

std::string with_doubled_dollars(const std::string& text) {
    std::string result;
    for (const char c : text)
        result += c == '$' ? "$$" : std::string(1, c);
    return result;
}

/// Every piece alone and many at random, each as it is.
std::vector<std::string> samples() {
    auto texts = kPieces;
    std::mt19937 random(20251121);  // NOLINT(cert-msc51-cpp): the same run every time
    while (texts.size() < 600)
        texts.push_back(nasty(random));
    return texts;
}

TEST(UnitValue, SystemdReadsBackEveryWordExactly) {
    const auto texts = samples();
    std::string unit = "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\n";
    for (std::size_t i = 0; i < texts.size(); ++i) {
        unit += std::format("Environment={} STOP{}=\n",
                            *unit_value(UnitValue::Word, std::format("VALUE{}={}", i, texts[i])), i);
        unit +=
            std::format("ExecStart=/bin/true begin-{} {} end-{}\n", i, *unit_value(UnitValue::Argument, texts[i]), i);
    }

    const auto parsed = test::parse_with_systemd({{"words.service", unit}});

    EXPECT_THAT(parsed.complaints, IsEmpty());
    ASSERT_EQ(parsed.units.size(), 1u);
    const auto& read = parsed.units.begin()->second;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        EXPECT_EQ(read.between(std::format("\tEnvironment: VALUE{}=", i), std::format("\n\t\tEnvironment: STOP{}=", i)),
                  texts[i]);
        const auto word = read.between(std::format("/bin/true begin-{} ", i), std::format(" end-{}\n", i));
        // systemd halves the dollars when it starts the program.
        EXPECT_EQ(test::unquoted(word), with_doubled_dollars(texts[i]));
    }
}

TEST(UnitValue, SystemdReadsBackEveryTextExactly) {
    std::map<std::string, std::string> units;
    std::map<std::string, std::string> expected;
    for (const auto& text : samples()) {
        const auto value = unit_value(UnitValue::Text, text);
        if (!value) continue;  // what is refused is the next test's
        if (units.size() == 100) break;
        const auto name = std::format("text-{}.service", units.size());
        expected[name] = text;
        units[name] =
            std::format("[Unit]\nDefaultDependencies=no\nDescription={}\n[Service]\nExecStart=/bin/true\n", *value);
    }
    ASSERT_EQ(units.size(), 100u);

    const auto parsed = test::parse_with_systemd(units);

    EXPECT_THAT(parsed.complaints, IsEmpty());
    EXPECT_EQ(parsed.units.size(), units.size());
    for (const auto& [name, unit] : parsed.units)
        EXPECT_EQ(unit.value("Description"), expected[name]);
}

TEST(UnitValue, RefusesWhatSystemdCannotCarry) {
    for (const auto place : {UnitValue::Text, UnitValue::Word, UnitValue::Argument, UnitValue::Quantity}) {
        EXPECT_THAT(unit_value(place, std::string("a\0b", 3)),
                    FailsWith(Code::InvalidInput, HasSubstr("has a NUL byte")));
        EXPECT_THAT(unit_value(place, "a\xff"), FailsWith(Code::InvalidInput, HasSubstr("is not UTF-8")));
        EXPECT_THAT(unit_value(place, "\xc0\xaf"), FailsWith(Code::InvalidInput, HasSubstr("is not UTF-8")))
            << "overlong '/'";
        EXPECT_THAT(unit_value(place, "\xed\xa0\x80"), FailsWith(Code::InvalidInput, HasSubstr("is not UTF-8")))
            << "surrogate";
        EXPECT_THAT(unit_value(place, "\xef\xbf\xbe"), FailsWith(Code::InvalidInput, HasSubstr("is not UTF-8")))
            << "U+FFFE, which systemd refuses";
        EXPECT_THAT(unit_value(place, "\xe2\x82"), FailsWith(Code::InvalidInput, HasSubstr("is not UTF-8")))
            << "cut off";
        EXPECT_THAT(unit_value(place, std::string((128u << 10) + 1, 'a')),
                    FailsWith(Code::InvalidInput, HasSubstr("is longer than 128 KiB")));
    }
}

TEST(UnitValue, RefusesTextThatHasNoQuotedForm) {
    EXPECT_THAT(unit_value(UnitValue::Text, "a\nExecStart=/bin/false"),
                FailsWith(Code::InvalidInput, HasSubstr("has a control character")));
    EXPECT_THAT(unit_value(UnitValue::Text, "\x1b[0m"),
                FailsWith(Code::InvalidInput, HasSubstr("has a control character")));
    EXPECT_THAT(unit_value(UnitValue::Text, " a"),
                FailsWith(Code::InvalidInput, HasSubstr("begins or ends with a blank")));
    EXPECT_THAT(unit_value(UnitValue::Text, "a "),
                FailsWith(Code::InvalidInput, HasSubstr("begins or ends with a blank")));
    EXPECT_THAT(unit_value(UnitValue::Text, "a\\"), FailsWith(Code::InvalidInput, HasSubstr("ends with a backslash")));
    EXPECT_THAT(unit_value(UnitValue::Text, ""), FailsWith(Code::InvalidInput, HasSubstr("is empty")));
}

TEST(UnitValue, TakesOnlyNumbersAsQuantities) {
    EXPECT_THAT(unit_value(UnitValue::Quantity, "64M"), Gives("64M"));
    EXPECT_THAT(unit_value(UnitValue::Quantity, "50%"), Gives("50%"));
    EXPECT_THAT(unit_value(UnitValue::Quantity, "64M\nUser=root"),
                FailsWith(Code::InvalidInput, HasSubstr("is not a number with a unit")));
    EXPECT_THAT(unit_value(UnitValue::Quantity, ""), FailsWith(Code::InvalidInput, HasSubstr("is empty")));
}

TEST(UnitValue, ShowsARefusedTextOnOneShortLine) {
    const auto refused = unit_value(UnitValue::Text, "first\nsecond" + std::string(1000, 'x'));

    ASSERT_THAT(refused, FailsWith(Code::InvalidInput, HasSubstr("'first second")));
    EXPECT_LT(refused.error().message.size(), 200u);
}

}  // namespace
}  // namespace davit
