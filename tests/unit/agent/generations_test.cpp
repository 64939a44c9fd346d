#include "agent/generations.h"

#include <gmock/gmock.h>

#include "tests/unit/agent/matchers.h"
#include "tests/unit/agent/scratch.h"

namespace davit {
namespace {

using test::FailsWith;
using test::Works;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

AppVersion app(const std::string& name, const std::string& version) {
    return {.name = name, .version = version, .commit = name + "-" + version, .ref = name, .legacy = {}};
}

class GenerationsTest : public testing::Test {
protected:
    Generations open() {
        auto generations = Generations::open(state_);
        EXPECT_THAT(generations, Works());
        return std::move(*generations);
    }
    void check_out(const AppVersion& app) {
        ASSERT_THAT(file::make_directories(state_ / "checkouts" / app.name / app.commit / "rootfs"), Works());
    }
    Generations::Number prepared(Generations& generations, const std::vector<AppVersion>& apps) {
        for (const auto& app : apps)
            check_out(app);
        const auto number = generations.prepare(apps);
        EXPECT_THAT(number, Works());
        return number.value_or(0);
    }
    std::vector<std::string> names(const char* directory) { return file::list(state_ / directory).value(); }

    test::Scratch scratch_;
    Path state_ = scratch_.path() / "davit";
};

TEST_F(GenerationsTest, AreNoneOnAFreshDevice) {
    const auto current = open().current();

    ASSERT_THAT(current, Works());
    EXPECT_FALSE(current->has_value());
}

TEST_F(GenerationsTest, KeepTheirDirectoryFromOtherUsers) {
    open();

    EXPECT_EQ(std::filesystem::status(state_).permissions(), std::filesystem::perms::owner_all);
}

TEST_F(GenerationsTest, AreNotCurrentUntilSwitchedTo) {
    auto generations = open();
    prepared(generations, {app("hello", "1")});

    EXPECT_FALSE((*generations.current()).has_value());
}

TEST_F(GenerationsTest, HoldTheAppsSortedByNameAfterTheSwitch) {
    auto generations = open();
    auto fmu = app("fmu", "3");
    fmu.legacy = LegacyOptions{.notify = true, .autostart = false, .timeout = Milliseconds{90'000}};
    const auto number = prepared(generations, {app("hello", "1"), fmu});

    ASSERT_THAT(generations.switch_to(number), Works());

    const auto current = *open().current();
    ASSERT_TRUE(current.has_value());
    EXPECT_EQ(current->number, number);
    EXPECT_EQ(current->os, "any");
    EXPECT_THAT(current->apps, ElementsAre(fmu, app("hello", "1")));
    EXPECT_THAT(current->find("hello"), testing::Pointee(app("hello", "1")));
    EXPECT_EQ(current->find("absent"), nullptr);
}

TEST_F(GenerationsTest, LeadFromTheCurrentLinkToEachCheckout) {
    auto generations = open();
    ASSERT_THAT(generations.switch_to(prepared(generations, {app("hello", "1")})), Works());

    EXPECT_TRUE(std::filesystem::is_directory(state_ / "current" / "apps" / "hello" / "rootfs"));
    EXPECT_TRUE(std::filesystem::read_symlink(state_ / "current").is_relative());
}

TEST_F(GenerationsTest, CannotBePreparedWithoutTheCheckout) {
    auto generations = open();

    EXPECT_THAT(generations.prepare({app("hello", "1")}),
                FailsWith(Code::NotFound, HasSubstr("app 'hello' 1 is not checked out")));
    EXPECT_THAT(names("generations"), IsEmpty());
}

TEST_F(GenerationsTest, NeverUseANumberTwice) {
    auto generations = open();
    const auto first = prepared(generations, {app("hello", "1")});
    ASSERT_THAT(generations.switch_to(first), Works());
    const auto abandoned = prepared(generations, {});
    ASSERT_THAT(generations.collect_garbage(), Works());

    auto reopened = open();
    EXPECT_GT(prepared(reopened, {}), abandoned);
}

TEST_F(GenerationsTest, CannotBeSwitchedToWhenTheyDoNotExist) {
    auto generations = open();
    ASSERT_THAT(generations.switch_to(prepared(generations, {})), Works());

    EXPECT_THAT(generations.switch_to(99), FailsWith(Code::Corrupt, HasSubstr("generation 99 is damaged")));
    EXPECT_EQ((*generations.current())->number, 1u);
}

TEST_F(GenerationsTest, AreSwitchedInSpiteOfALinkThatACrashLeft) {
    auto generations = open();
    const auto number = prepared(generations, {});
    ASSERT_THAT(file::symlink("generations/77", state_ / "current.new"), Works());

    ASSERT_THAT(generations.switch_to(number), Works());

    EXPECT_EQ((*generations.current())->number, number);
    EXPECT_FALSE(file::exists(state_ / "current.new"));
}

TEST_F(GenerationsTest, ArePreparedInSpiteOfADirectoryThatACrashLeft) {
    auto generations = open();
    ASSERT_THAT(file::make_directories(state_ / "generations" / ".tmp-1" / "apps"), Works());
    ASSERT_THAT(file::symlink("/nowhere", state_ / "generations" / ".tmp-1" / "apps" / "hello"), Works());

    const auto number = prepared(generations, {app("hello", "1")});

    EXPECT_THAT(generations.load(number)->apps, ElementsAre(app("hello", "1")));
    EXPECT_TRUE(std::filesystem::is_directory(state_ / "generations" / "1" / "apps" / "hello"));
}

TEST_F(GenerationsTest, RememberThePreviousOneWhenTold) {
    auto generations = open();
    const auto first = prepared(generations, {app("hello", "1")});
    const auto second = prepared(generations, {app("hello", "2")});
    ASSERT_THAT(generations.switch_to(first), Works());
    ASSERT_THAT(generations.switch_to(second), Works());
    EXPECT_FALSE((*generations.previous()).has_value());

    ASSERT_THAT(generations.remember_previous(first), Works());

    EXPECT_EQ((*generations.previous())->number, first);
}

TEST_F(GenerationsTest, AreNeverTheirOwnPrevious) {
    auto generations = open();
    const auto first = prepared(generations, {});
    ASSERT_THAT(generations.switch_to(first), Works());

    ASSERT_THAT(generations.remember_previous(first), Works());

    EXPECT_FALSE((*generations.previous()).has_value());
}

TEST_F(GenerationsTest, StayWhileARoleNamesThem) {
    auto generations = open();
    const auto factory = prepared(generations, {app("hello", "0")});
    const auto first = prepared(generations, {app("hello", "1")});
    const auto second = prepared(generations, {app("hello", "2")});
    prepared(generations, {app("hello", "3")});
    ASSERT_THAT(file::symlink(Path("generations") / std::to_string(factory), state_ / "factory"), Works());
    ASSERT_THAT(generations.switch_to(second), Works());
    ASSERT_THAT(generations.remember_previous(first), Works());

    ASSERT_THAT(generations.collect_garbage(), Works());

    EXPECT_THAT(names("generations"), ElementsAre("1", "2", "3", "last"));
    EXPECT_THAT(names("checkouts/hello"), ElementsAre("hello-0", "hello-1", "hello-2"));
    EXPECT_THAT(*generations.apps_in_use(), ElementsAre(app("hello", "2"), app("hello", "1"), app("hello", "0")));
}

TEST_F(GenerationsTest, LoseTheCheckoutsOfAppsThatAreGone) {
    auto generations = open();
    prepared(generations, {app("old", "1")});
    ASSERT_THAT(generations.switch_to(prepared(generations, {app("hello", "1")})), Works());

    ASSERT_THAT(generations.collect_garbage(), Works());

    EXPECT_THAT(names("checkouts"), ElementsAre("hello"));
}

TEST_F(GenerationsTest, LoseTheTemporaryNamesThatACrashLeft) {
    auto generations = open();
    ASSERT_THAT(generations.switch_to(prepared(generations, {app("hello", "1")})), Works());
    ASSERT_THAT(file::make_directories(state_ / "generations" / ".tmp-9" / "apps"), Works());
    ASSERT_THAT(file::make_directories(state_ / "checkouts" / "hello" / ".tmp-abc" / "rootfs"), Works());
    ASSERT_THAT(file::symlink("generations/9", state_ / "current.new"), Works());

    ASSERT_THAT(generations.collect_garbage(), Works());

    EXPECT_THAT(names("generations"), ElementsAre("1", "last"));
    EXPECT_THAT(names("checkouts/hello"), ElementsAre("hello-1"));
    EXPECT_FALSE(file::exists(state_ / "current.new"));
}

TEST_F(GenerationsTest, LoseNothingWhileTheCurrentLinkIsDamaged) {
    auto generations = open();
    prepared(generations, {app("hello", "1")});
    ASSERT_THAT(file::symlink("somewhere/else", state_ / "current"), Works());

    EXPECT_THAT(generations.collect_garbage(), FailsWith(Code::Corrupt, HasSubstr("points to 'somewhere/else'")));
    EXPECT_THAT(names("checkouts"), ElementsAre("hello"));
    EXPECT_THAT(generations.current(), FailsWith(Code::Corrupt, HasSubstr("which is no generation")));
}

TEST_F(GenerationsTest, SayWhatIsDamaged) {
    auto generations = open();
    ASSERT_THAT(generations.switch_to(prepared(generations, {})), Works());
    for (const auto* name : {"generation.json", "generation.copy.json"})
        ASSERT_THAT(file::write_durably(state_ / "generations" / "1" / name, R"({"os":7})"), Works());

    EXPECT_THAT(generations.current(), FailsWith(Code::Corrupt, HasSubstr("generation 1 is damaged")));
}

TEST_F(GenerationsTest, AreReadFromTheirCopyWhenDamagedAndWrittenAnew) {
    for (const auto* damaged : {"generation.json", "generation.copy.json"}) {
        auto generations = open();
        const auto number = prepared(generations, {app("hello", damaged)});
        ASSERT_THAT(generations.switch_to(number), Works());
        const Path file = state_ / "generations" / std::to_string(number) / damaged;
        const auto before = file::read(file).value();
        for (const auto& content : {std::string(), std::string(4, char{}), before.substr(0, 20)}) {
            ASSERT_THAT(file::write_durably(file, content), Works());
            EXPECT_THAT((*generations.current())->apps, ElementsAre(app("hello", damaged)));
            ASSERT_THAT(generations.collect_garbage(), Works());
            EXPECT_EQ(file::read(file).value(), before);
        }
    }
}

TEST_F(GenerationsTest, OfAnOlderVersionGetACopyAndThoseOfANewerOneAreReadAsFarAsTheyAreKnown) {
    auto generations = open();
    const auto number = prepared(generations, {app("hello", "1")});
    ASSERT_THAT(generations.switch_to(number), Works());
    const Path directory = state_ / "generations" / std::to_string(number);
    std::filesystem::remove(directory / "generation.copy.json");
    ASSERT_THAT(file::write_durably(directory / "generation.json",
                                    R"({"os": "any", "schema": 9, "made_by": {"davit": "7.0"}, "apps": [
                                        {"name": "hello", "version": "1", "commit": "hello-1", "ref": "hello",
                                         "legacy": null, "slot": "b", "labels": ["x"]}]})"),
                Works());

    EXPECT_THAT((*generations.current())->apps, ElementsAre(app("hello", "1")));
    ASSERT_THAT(generations.collect_garbage(), Works());
    EXPECT_TRUE(file::exists(directory / "generation.copy.json"));
    EXPECT_THAT(file::read(directory / "generation.json").value(), HasSubstr("made_by")) << "not ours to change";
}

}  // namespace
}  // namespace davit
