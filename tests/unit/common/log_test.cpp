#include "common/log.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstdlib>
#include <format>
#include <thread>

namespace davit::log {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

struct Line {
    Level level;
    std::string message;
    Fields fields;
};

struct LogTest : testing::Test {
    LogTest() {
        set_sink([this](Level level, std::string_view message, const Fields& fields) {
            lines.emplace_back(level, std::string(message), fields);
        });
    }
    ~LogTest() override {
        set_sink({});
        set_level(Level::Info);
    }
    std::vector<Line> lines;
};

TEST_F(LogTest, FormatsTheMessage) {
    warning("app '{}' restarted {} times", "web", 3);
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0].level, Level::Warning);
    EXPECT_EQ(lines[0].message, "app 'web' restarted 3 times");
}

TEST_F(LogTest, DropsWhatIsMoreVerboseThanTheLevel) {
    debug("unseen");
    EXPECT_THAT(lines, IsEmpty());
    set_level(Level::Debug);
    debug("seen");
    EXPECT_EQ(lines.size(), 1u);
    set_level(Level::Error);
    warning("unseen");
    EXPECT_EQ(lines.size(), 1u);
}

TEST_F(LogTest, AddsTheFieldsOfTheScope) {
    const Field action("DAVIT_ACTION", "7");
    {
        const Field app("DAVIT_APP", "web");
        info("inside");
    }
    info("outside");
    EXPECT_THAT(lines[0].fields, ElementsAre(Pair("DAVIT_ACTION", "7"), Pair("DAVIT_APP", "web")));
    EXPECT_THAT(lines[1].fields, ElementsAre(Pair("DAVIT_ACTION", "7")));
}

TEST_F(LogTest, KeepsTheFieldsOfThreadsApart) {
    const Field action("DAVIT_ACTION", "7");
    std::jthread([] { info("from another thread"); }).join();
    EXPECT_THAT(lines.at(0).fields, IsEmpty());
}

struct LogToStandardErrorTest : testing::Test {
    LogToStandardErrorTest() { testing::internal::CaptureStderr(); }
    ~LogToStandardErrorTest() override { ::unsetenv("JOURNAL_STREAM"); }
    static std::string written() { return testing::internal::GetCapturedStderr(); }
};

TEST_F(LogToStandardErrorTest, WritesPlainLinesForPeople) {
    info("a note");
    warning("a warning");
    error("an error");
    EXPECT_EQ(written(), "a note\nwarning: a warning\nerror: an error\n");
}

TEST_F(LogToStandardErrorTest, WritesPrioritiesForTheJournal) {
    struct stat status{};
    ASSERT_EQ(::fstat(STDERR_FILENO, &status), 0);
    ::setenv("JOURNAL_STREAM", std::format("{}:{}", status.st_dev, status.st_ino).c_str(), 1);
    error("an error");
    info("a note");
    EXPECT_EQ(written(), "<3>an error\n<6>a note\n");
}

TEST_F(LogToStandardErrorTest, WritesPlainLinesWhenTheJournalStreamIsNotItsOwn) {
    ::setenv("JOURNAL_STREAM", "1:2", 1);
    info("a note");
    EXPECT_EQ(written(), "a note\n");
}

TEST_F(LogToStandardErrorTest, KeepsAMessageOnOneLineWhateverAServerPutIntoIt) {
    info("the server says {}", "bad\n<0>forged \x1b[2J");
    EXPECT_EQ(written(), "the server says bad <0>forged  [2J\n");
}

}  // namespace
}  // namespace davit::log
