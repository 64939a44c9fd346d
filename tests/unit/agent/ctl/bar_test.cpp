#include "agent/ctl/bar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace davit {
namespace {

using Json = nlohmann::json;
using testing::ElementsAre;
using testing::SizeIs;

Json downloading(std::uint64_t bytes, std::uint64_t expected) {
    return {{"deployment_id", "7"},
            {"phase", "downloading"},
            {"message", "fetching what is missing"},
            {"bytes", bytes},
            {"expected_bytes", expected}};
}

std::size_t characters(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

TEST(Bar, ShowsTheWholeWhenPartsAreNotToldApart) {
    EXPECT_THAT(live_lines(downloading(1'200'000, 2'400'000), 100),
                ElementsAre("7, downloading: fetching what is missing",
                            "  [###############---------------]   50 %  1.2 of 2.4 MB"));
}

TEST(Bar, HasOnePerPartThatTravels) {
    auto status = downloading(3'000, 6'000);
    status["parts"] = {{{"app", "hello"}, {"todo", "update hello 1 → 2"}, {"bytes", 2'000}, {"expected_bytes", 4'000}},
                       {{"app", "ticker"}, {"todo", "install ticker 1"}, {"bytes", 2'000}, {"expected_bytes", 2'000}},
                       {{"app", "old"}, {"todo", "remove old 3"}, {"bytes", 0}, {"expected_bytes", 0}}};
    EXPECT_THAT(live_lines(status, 100),
                ElementsAre("7, downloading: fetching what is missing",
                            "  update hello 1 → 2  [###############---------------]   50 %  2 of 4 kB",
                            "  install ticker 1    [##############################]  100 %  2 of 2 kB"));
}

TEST(Bar, NeedsNoNumbersOutsideOfADownload) {
    EXPECT_THAT(live_lines({{"deployment_id", "7"}, {"phase", "probation"}, {"message", "watching"}}, 80),
                ElementsAre("7, probation: watching"));
}

TEST(Bar, FitsEveryWidthAndNeverCutsACharacterInTwo) {
    auto status = downloading(1'234'567, 9'999'999);
    status["message"] = "gerät → überträgt größere Stücke";
    status["parts"] = {{{"app", "hello"}, {"todo", "update höllo 1 → 2"}, {"bytes", 2}, {"expected_bytes", 4}}};
    for (std::size_t width = 1; width <= 120; ++width) {
        for (const auto& line : live_lines(status, width)) {
            EXPECT_LE(characters(line), width) << line;
            EXPECT_TRUE(Json(line).dump().size() > 0) << "throws when it is not UTF-8";
        }
    }
}

TEST(Bar, NeverSaysMoreThanAHundredPercent) {
    EXPECT_THAT(live_lines(downloading(7'000, 6'000), 100)[1], testing::HasSubstr("100 %"));
}

TEST(Bar, ATextFromOutsideCannotMoveTheCursor) {
    auto status = downloading(0, 0);
    status["message"] = "one\ntwo\x1b[2J";
    EXPECT_THAT(live_lines(status, 100), ElementsAre("7, downloading: one two [2J"));
    EXPECT_EQ(plain_line(status), "7, downloading: one two [2J");
}

TEST(Bar, PlainLinesChangeAtEveryTenth) {
    EXPECT_EQ(plain_line(downloading(0, 1'000'000)), "7, downloading: fetching what is missing (0 % of 1.0 MB)");
    EXPECT_EQ(plain_line(downloading(99'999, 1'000'000)), plain_line(downloading(0, 1'000'000)));
    EXPECT_EQ(plain_line(downloading(100'000, 1'000'000)), "7, downloading: fetching what is missing (10 % of 1.0 MB)");
}

TEST(Amount, TakesTheUnitOfTheLargerNumber) {
    EXPECT_EQ(amount(900, 0), "900 B");
    EXPECT_EQ(amount(900, 12'000), "1 of 12 kB");
    EXPECT_EQ(amount(5'300'000'000, 6'000'000'000), "5.30 of 6.00 GB");
}

}  // namespace
}  // namespace davit
