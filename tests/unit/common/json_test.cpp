#include "common/json.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/unit/common/support.h"

namespace davit::json {
namespace {

using test::FailsWith;
using test::Gives;
using test::Works;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

std::string nested(int depth) {
    const auto count = static_cast<std::size_t>(depth);
    return std::string(count, '[') + std::string(count, ']');
}

TEST(JsonParse, NamesSourceLineAndColumnOfAMistake) {
    EXPECT_THAT(parse("{\n  \"a\": 1,\n  b\n}", "davit.json"),
                FailsWith(Code::InvalidInput, StartsWith("davit.json: line 3, column 3: ")));
    EXPECT_THAT(parse("{\"a\":", "x"), FailsWith(Code::InvalidInput, AllOf(StartsWith("x: line 1, column 6: "),
                                                                           HasSubstr("unexpected end of input"))));
    EXPECT_THAT(parse("{}\n{}", "x"), FailsWith(Code::InvalidInput, StartsWith("x: line 2, column 1: ")));
}

TEST(JsonParse, SaysThatAWebPageIsOne) {
    EXPECT_THAT(parse("\n<html>Sign in</html>", "answer of GET http://x"),
                FailsWith(Code::InvalidInput, AllOf(HasSubstr("not JSON"), HasSubstr("looks like a web page"))));
    EXPECT_THAT(parse("{<", "x"), FailsWith(Code::InvalidInput, Not(HasSubstr("web page"))));
}

TEST(JsonParse, SaysThatADocumentIsEmpty) {
    EXPECT_THAT(parse("", "davit.json"), FailsWith(Code::InvalidInput, "davit.json: is empty"));
    EXPECT_THAT(parse(" \n", "davit.json"), FailsWith(Code::InvalidInput, "davit.json: is empty"));
}

TEST(JsonParse, SaysWhatIsWrongInOneShortLineWithoutTheLibrarysName) {
    EXPECT_THAT(parse("{\"a\" 1}", "x"),
                FailsWith(Code::InvalidInput, AllOf(HasSubstr("expected ':'"), Not(HasSubstr("json.exception")))));
    EXPECT_THAT(parse("\"" + std::string(100'000, 'x') + "\n\"", "x"),
                FailsWith(Code::InvalidInput, AllOf(SizeIs(testing::Lt(300u)), Not(HasSubstr("\n")))));
}

TEST(JsonParse, RefusesWhatIsNotUtf8AndNumbersThatNothingCanHold) {
    EXPECT_THAT(parse("\"\xff\"", "x"), FailsWith(Code::InvalidInput, HasSubstr("UTF-8")));
    EXPECT_THAT(parse("1e999", "x"), FailsWith(Code::InvalidInput, HasSubstr("1e999")));
}

TEST(JsonParse, RefusesDeepNesting) {
    EXPECT_THAT(parse(nested(64), "x"), Works());
    EXPECT_THAT(parse(nested(65), "x"), FailsWith(Code::InvalidInput, "x: nested deeper than 64 levels"));
    EXPECT_THAT(parse(std::string(1'000'000, '['), "x"), FailsWith(Code::InvalidInput, HasSubstr("nested deeper")));
}

TEST(JsonParse, AllowsCommentsOnlyWhereTheyAreAskedFor) {
    constexpr auto kText = "{ /* why */ \"a\": 1 // because\n}";
    EXPECT_THAT(parse(kText, "x", Comments::Allow), Works());
    EXPECT_THAT(parse(kText, "x"), FailsWith(Code::InvalidInput, HasSubstr("line 1, column 3")));
}

class JsonReaderTest : public testing::Test {
protected:
    const nlohmann::json value = nlohmann::json::parse(R"({
        "name": "hello", "count": 3, "on": true, "nothing": null, "half": 1.5, "negative": -4, "huge": 18446744073709551615,
        "health": { "every": "5s", "deep": { "port": "80" } },
        "after": ["db", "cache"], "mixed": ["db", 7],
        "volumes": [ { "name": "data" }, { "name": 1 } ] })");
    const Reader reader{value, "davit.json"};
};

TEST_F(JsonReaderTest, GivesWhatIsThere) {
    EXPECT_THAT(reader.need_string("name"), Gives("hello"));
    EXPECT_THAT(reader.get_string("name"), Gives(std::optional<std::string>("hello")));
    EXPECT_THAT(reader.need_integer("count"), Gives(3));
    EXPECT_THAT(reader.need_integer("negative"), Gives(-4));
    EXPECT_THAT(reader.get_integer("count"), Gives(std::optional<std::int64_t>(3)));
    EXPECT_THAT(reader.get_boolean("on"), Gives(std::optional<bool>(true)));
    EXPECT_THAT(reader.get_strings("after"), Gives(ElementsAre("db", "cache")));
    EXPECT_THAT(reader.need_object("health")->need_string("every"), Gives("5s"));
}

TEST_F(JsonReaderTest, TakesAbsentAndNullAsNothing) {
    for (const char* member : {"absent", "nothing"}) {
        EXPECT_THAT(reader.get_string(member), Gives(std::nullopt));
        EXPECT_THAT(reader.get_integer(member), Gives(std::nullopt));
        EXPECT_THAT(reader.get_boolean(member), Gives(std::nullopt));
        EXPECT_FALSE(reader.get_object(member).value().has_value());
        EXPECT_THAT(reader.get_array(member).value(), IsEmpty());
        EXPECT_FALSE(reader.has(member));
    }
}

TEST_F(JsonReaderTest, SaysWhatIsMissing) {
    EXPECT_THAT(reader.need_string("absent"),
                FailsWith(Code::InvalidInput, "davit.json: absent: missing, expected a string"));
    EXPECT_THAT(reader.need_integer("nothing"),
                FailsWith(Code::InvalidInput, "davit.json: nothing: missing, expected an integer"));
    EXPECT_THAT(reader.need_object("absent"),
                FailsWith(Code::InvalidInput, "davit.json: absent: missing, expected an object"));
}

TEST_F(JsonReaderTest, NamesPathExpectedAndActualType) {
    const auto deep = reader.need_object("health")->need_object("deep").value();
    EXPECT_THAT(deep.need_integer("port"),
                FailsWith(Code::InvalidInput, "davit.json: health.deep.port: expected an integer, got a string"));
    EXPECT_THAT(reader.get_string("health"),
                FailsWith(Code::InvalidInput, "davit.json: health: expected a string, got an object"));
    EXPECT_THAT(reader.get_boolean("count"),
                FailsWith(Code::InvalidInput, "davit.json: count: expected a boolean, got a number"));
    EXPECT_THAT(reader.get_object("after"),
                FailsWith(Code::InvalidInput, "davit.json: after: expected an object, got an array"));
    EXPECT_THAT(reader.get_array("on"),
                FailsWith(Code::InvalidInput, "davit.json: on: expected an array, got a boolean"));
    EXPECT_THAT(reader.get_strings("mixed"),
                FailsWith(Code::InvalidInput, "davit.json: mixed[1]: expected a string, got a number"));
    EXPECT_THAT(reader.get_array("volumes")->at(1).need_string("name"),
                FailsWith(Code::InvalidInput, "davit.json: volumes[1].name: expected a string, got a number"));
}

TEST_F(JsonReaderTest, ExplainsNumbersThatAreNoUsableIntegers) {
    EXPECT_THAT(reader.need_integer("half"),
                FailsWith(Code::InvalidInput, "davit.json: half: expected an integer, got 1.5"));
    EXPECT_THAT(reader.need_integer("huge"),
                FailsWith(Code::InvalidInput,
                          "davit.json: huge: expected at most 9223372036854775807, got 18446744073709551615"));
    EXPECT_THAT(reader.need_integer("negative", {.least = 0}),
                FailsWith(Code::InvalidInput, "davit.json: negative: expected at least 0, got -4"));
    EXPECT_THAT(reader.get_integer("count", {.least = 1, .most = 2}),
                FailsWith(Code::InvalidInput, "davit.json: count: expected at most 2, got 3"));
}

TEST_F(JsonReaderTest, IsAnErrorAndNoCrashWhenTheValueIsNoObject) {
    const nlohmann::json array = nlohmann::json::parse("[1]");
    const Reader on_array(array, "answer");
    EXPECT_THAT(on_array.expect_object(), FailsWith(Code::InvalidInput, "answer: expected an object, got an array"));
    EXPECT_THAT(on_array.need_string("x"), FailsWith(Code::InvalidInput, "answer: expected an object, got an array"));
    EXPECT_THAT(on_array.get_array("x"), FailsWith(Code::InvalidInput, "answer: expected an object, got an array"));
    EXPECT_THAT(on_array.as_string(), FailsWith(Code::InvalidInput, "answer: expected a string, got an array"));
    EXPECT_FALSE(on_array.has("x"));
    EXPECT_THAT(on_array.members(), IsEmpty());
    EXPECT_THAT(on_array.refuse_unknown({}), Works());
}

TEST_F(JsonReaderTest, RefusesUnknownFieldsAndGuessesWhatWasMeant) {
    const auto health = reader.need_object("health").value();
    EXPECT_THAT(health.refuse_unknown({"every", "deep", "http"}), Works());
    EXPECT_THAT(health.refuse_unknown({"evry", "deep"}),
                FailsWith(Code::InvalidInput, "davit.json: health.every: unknown field (did you mean 'evry'?)"));
    EXPECT_THAT(health.refuse_unknown({"deep", "http"}),
                FailsWith(Code::InvalidInput, EndsWith("health.every: unknown field")));
}

TEST_F(JsonReaderTest, KeepsAnUnknownFieldsNameShortAndOnOneLine) {
    const nlohmann::json hostile = {{"a\nb" + std::string(100'000, 'x'), 1}};
    EXPECT_THAT(Reader(hostile, "x").refuse_unknown({"a"}),
                FailsWith(Code::InvalidInput, AllOf(StartsWith("x: a b"), SizeIs(testing::Lt(120u)))));
}

TEST_F(JsonReaderTest, MakesErrorsAtItsPlace) {
    const auto health = reader.need_object("health").value();
    EXPECT_EQ(health.error("too bad").message, "davit.json: health: too bad");
    EXPECT_EQ(health.error_at("every", "too short").message, "davit.json: health.every: too short");
    EXPECT_EQ(reader.error("too bad").message, "davit.json: too bad");
}

}  // namespace
}  // namespace davit::json
