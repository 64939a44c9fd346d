#include "common/sqlite.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/unit/common/support.h"

namespace davit::sqlite {
namespace {

using test::FailsWith;
using test::Gives;
using test::Works;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kFirst =
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT UNIQUE); CREATE TABLE tags (note INTEGER REFERENCES "
    "notes(id))";
constexpr std::string_view kSecond = "ALTER TABLE notes ADD COLUMN color TEXT";

class SqliteTest : public testing::Test {
protected:
    Result<Database> open(const std::vector<std::string_view>& migrations = {kFirst}) {
        return Database::open(path, migrations);
    }
    static std::int64_t count(Database& db) {
        return integer(db.run("SELECT count(*) FROM notes").value().at(0).at(0));
    }

    const test::TemporaryDirectory dir;
    const Path path = dir / "state.db";
};

TEST_F(SqliteTest, KeepsWhatWasWrittenAcrossAReopen) {
    {
        auto db = open().value();
        ASSERT_THAT(db.run("INSERT INTO notes (text) VALUES (?)", {std::string("it's\0here", 9)}), Works());
        EXPECT_EQ(db.last_insert_id(), 1);
    }
    auto db = open().value();
    EXPECT_THAT(db.run("SELECT id, text, NULL FROM notes"),
                Gives(ElementsAre(Row{std::int64_t{1}, std::string("it's\0here", 9), std::monostate()})));
}

TEST_F(SqliteTest, CommitsDurablyInAWriteAheadLogWithForeignKeys) {
    auto db = open().value();
    EXPECT_EQ(text(db.run("PRAGMA journal_mode").value().at(0).at(0)), "wal");
    EXPECT_EQ(integer(db.run("PRAGMA synchronous").value().at(0).at(0)), 2) << "2 is FULL";
    EXPECT_THAT(db.run("INSERT INTO tags VALUES (99)"), FailsWith(Code::Defect, HasSubstr("FOREIGN KEY")));
}

TEST_F(SqliteTest, ItsFilesAreForTheOwnerOnly) {
    auto db = open().value();
    const auto names = file::list(dir.path()).value();
    for (const auto& name : names) {
        struct stat status{};
        ASSERT_EQ(::stat((dir / name).c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777u, 0600u) << name;
    }
}

TEST_F(SqliteTest, RunsOnlyTheMigrationsThatAreMissing) {
    ASSERT_THAT(open({kFirst}), Works());
    auto db = open({kFirst, kSecond}).value();
    EXPECT_THAT(db.run("SELECT color FROM notes"), Works());
    EXPECT_THAT(open({kFirst, kSecond}), Works());
}

TEST_F(SqliteTest, AFailedMigrationLeavesTheSchemaAsItWas) {
    ASSERT_THAT(open({kFirst}), Works());
    EXPECT_THAT(open({kFirst, "CREATE TABLE extra (id); CREATE TABLE notes (id)"}),
                FailsWith(Code::Defect, AllOf(HasSubstr("migration 2"), HasSubstr("notes"))));
    auto db = open({kFirst}).value();
    EXPECT_THAT(db.run("SELECT * FROM extra"), FailsWith(Code::Defect, HasSubstr("no such table")));
}

TEST_F(SqliteTest, RefusesTheFileOfANewerVersion) {
    ASSERT_THAT(open({kFirst, kSecond}), Works());
    EXPECT_THAT(open({kFirst}),
                FailsWith(Code::Unsupported, AllOf(HasSubstr(path.string()), HasSubstr("newer Davit"))));
}

TEST_F(SqliteTest, SaysWhichFileIsNoDatabase) {
    ASSERT_THAT(file::write_atomically(path, std::string(4096, 'x')), Works());
    EXPECT_THAT(open(), FailsWith(Code::Corrupt, AllOf(HasSubstr(path.string()), HasSubstr("not a database"))));
}

TEST_F(SqliteTest, SaysThatTheDirectoryIsMissing) {
    EXPECT_THAT(Database::open(dir / "absent/state.db", {}), FailsWith(Code::NotFound, HasSubstr("absent/state.db")));
}

TEST_F(SqliteTest, SaysThatADirectoryIsNoDatabase) {
    EXPECT_THAT(Database::open(dir.path(), {}),
                FailsWith(Code::System, HasSubstr("cannot open database '" + dir.path().string())));
}

TEST_F(SqliteTest, AFullDatabaseIsNoSpaceAndLosesNothing) {
    auto db = open().value();
    ASSERT_THAT(db.run("INSERT INTO notes (text) VALUES ('kept')"), Works());
    ASSERT_THAT(db.run("PRAGMA max_page_count=8"), Works());
    const auto written = db.transaction([&]() -> Result<void> {
        TRY(db.run("INSERT INTO notes (text) VALUES ('lost')"));
        TRY(db.run("INSERT INTO notes (text) VALUES (?)", {std::string(100'000, 'x')}));
        return {};
    });
    EXPECT_THAT(written, FailsWith(Code::NoSpace, HasSubstr("full")));
    EXPECT_EQ(count(db), 1);
    EXPECT_THAT(db.transaction([&]() -> Result<void> { return {}; }), Works());
}

TEST_F(SqliteTest, ATransactionIsAllOrNothing) {
    auto db = open().value();
    const auto failed = db.transaction([&]() -> Result<void> {
        TRY(db.run("INSERT INTO notes (text) VALUES ('a')"));
        return fail(Code::Canceled, "changed my mind");
    });
    EXPECT_THAT(failed, FailsWith(Code::Canceled, "changed my mind"));
    EXPECT_EQ(count(db), 0);
    EXPECT_THAT(db.transaction([&]() -> Result<void> {
        TRY(db.run("INSERT INTO notes (text) VALUES ('a')"));
        return {};
    }),
                Works());
    EXPECT_EQ(count(db), 1);
}

TEST_F(SqliteTest, ADuplicateAlreadyExists) {
    auto db = open().value();
    ASSERT_THAT(db.run("INSERT INTO notes VALUES (1, 'a')"), Works());
    EXPECT_THAT(db.run("INSERT INTO notes VALUES (1, 'b')"), FailsWith(Code::AlreadyExists, HasSubstr("notes.id")));
    EXPECT_THAT(db.run("INSERT INTO notes VALUES (2, 'a')"), FailsWith(Code::AlreadyExists, HasSubstr("notes.text")));
}

TEST_F(SqliteTest, WrongSqlIsADefect) {
    auto db = open().value();
    EXPECT_THAT(db.run("SELEKT 1"), FailsWith(Code::Defect, HasSubstr("SELEKT")));
    EXPECT_THAT(db.run("SELECT 1; SELECT 2"), FailsWith(Code::Defect, HasSubstr("not exactly one")));
    EXPECT_THAT(db.run(""), FailsWith(Code::Defect, HasSubstr("not exactly one")));
    EXPECT_THAT(db.run("SELECT ?", {}), FailsWith(Code::Defect, HasSubstr("parameters")));
}

TEST(SqliteValue, ReadsNullAsZeroAndEmpty) {
    EXPECT_EQ(integer(std::monostate()), 0);
    EXPECT_EQ(text(std::monostate()), "");
}

}  // namespace
}  // namespace davit::sqlite
