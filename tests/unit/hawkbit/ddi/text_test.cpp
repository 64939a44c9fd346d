#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hawkbit/ddi/client.h"

namespace davit::ddi {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::SizeIs;

TEST(CleanDetails, LeavesOrdinaryTextAlone) {
    EXPECT_THAT(clean_details({"hello 2 is running", "a > b & c, 5 °C\n\tsecond line"}),
                ElementsAre("hello 2 is running", "a > b & c, 5 °C\n\tsecond line"));
}

TEST(CleanDetails, TakesTheTagOutOfTextThatLooksLikeHtml) {
    EXPECT_THAT(clean_details({"probe answered <html><b>500</b>"}), ElementsAre("probe answered (html>(b>500(/b>"));
}

TEST(CleanDetails, TurnsControlCharactersIntoSpaces) {
    EXPECT_THAT(clean_details({std::string("a\x1b[31mred\x00 \x7f", 12)}), ElementsAre("a [31mred   "));
}

TEST(CleanDetails, CutsLongTextBetweenCharacters) {
    const auto cleaned = clean_details({std::string(511, 'x') + "ü"});
    EXPECT_THAT(cleaned, ElementsAre(std::string(511, 'x')));
    EXPECT_THAT(clean_details({std::string(510, 'x') + "üy"}), ElementsAre(std::string(510, 'x') + "ü"));
}

TEST(CleanDetails, SurvivesTextThatIsNoUtf8) {
    EXPECT_THAT(clean_details({std::string(600, '\xbf')}), ElementsAre(SizeIs(testing::Le(512))));
}

TEST(CleanDetails, KeepsTheLastOfTooManyAndSaysHowManyAreMissing) {
    std::vector<std::string> details;
    for (int i = 1; i <= 25; ++i)
        details.push_back(std::to_string(i));
    const auto cleaned = clean_details(details);
    ASSERT_THAT(cleaned, SizeIs(20));
    EXPECT_EQ(cleaned.front(), "(6 earlier messages left out)");
    EXPECT_EQ(cleaned[1], "7");
    EXPECT_EQ(cleaned.back(), "25");
}

TEST(CleanAttribute, KeepsWhatHawkbitTakes) {
    EXPECT_EQ(clean_attribute("Raspberry Pi 4 (rev 1.2) [a+b]={c};'d'"), "Raspberry Pi 4 (rev 1.2) [a+b]={c};'d'");
}

TEST(CleanAttribute, WritesOneQuestionMarkForEachOtherCharacter) {
    EXPECT_EQ(clean_attribute("Gerät~`1€"), "Ger?t??1?");
}

TEST(CleanAttribute, IsAtMost128CharactersLong) {
    EXPECT_EQ(clean_attribute(std::string(300, 'a')), std::string(128, 'a'));
}

}  // namespace
}  // namespace davit::ddi
