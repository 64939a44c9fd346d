#include "common/text.h"

#include <gtest/gtest.h>
#include <array>

namespace davit {
namespace {

TEST(Text, CutLeavesShortTextAlone) {
    EXPECT_EQ(cut("abc", 3), "abc");
}

TEST(Text, CutStaysWithinTheLimitAndSaysThatItCut) {
    EXPECT_EQ(cut("abcdefgh", 7), "abcd…");
    EXPECT_EQ(cut("abcdefgh", 7).size(), 7u);
}

TEST(Text, CutNeverSplitsACharacter) {
    EXPECT_EQ(cut("aäöüß", 6), "aä…");
    EXPECT_EQ(cut("aäöüß", 5), "a…");
}

TEST(Text, OneLineTurnsControlCharactersIntoSpaces) {
    EXPECT_EQ(one_line("a\nb\r\tc\x1b[31m\x7f ä"), "a b  c [31m  ä");
}

TEST(Text, NearestFindsWhatWasMeantDespiteTwoTypos) {
    constexpr std::array<std::string_view, 3> kKnown{"every", "timeout", "stays_up"};
    EXPECT_EQ(nearest("evry", kKnown), "every");
    EXPECT_EQ(nearest("stayup", kKnown), "stays_up");
    EXPECT_EQ(nearest("tmieout", kKnown), "timeout");
}

TEST(Text, NearestGivesNothingWhenNothingIsNear) {
    constexpr std::array<std::string_view, 2> kKnown{"every", "os"};
    EXPECT_EQ(nearest("interval", kKnown), "");
    EXPECT_EQ(nearest("ab", kKnown), "") << "all of a short name replaced is another name";
    EXPECT_EQ(nearest(std::string(1'000'000, 'x'), kKnown), "");
}

}  // namespace
}  // namespace davit
