#include "common/file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "common/fd.h"
#include "tests/unit/common/support.h"

namespace davit {
namespace {

using test::FailsWith;
using test::Gives;
using test::Works;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FileTest : public testing::Test {
protected:
    static unsigned mode(const Path& path) {
        struct stat status{};
        return ::lstat(path.c_str(), &status) == 0 ? status.st_mode & 07777u : 0;
    }
    const test::TemporaryDirectory dir;
};

TEST_F(FileTest, GivesBackWhatWasWrittenWithTheModeAsked) {
    const std::string content("line\n\0binary", 12);
    ASSERT_THAT(file::write_durably(dir / "a", content, 0600), Works());
    EXPECT_THAT(file::read(dir / "a"), Gives(content));
    EXPECT_EQ(mode(dir / "a"), 0600u);
}

TEST_F(FileTest, ReplacesAFileAndLeavesNothingElseBehind) {
    ASSERT_THAT(file::write_durably(dir / "a", "old"), Works());
    ASSERT_THAT(file::write_durably(dir / "a", "new"), Works());
    ASSERT_THAT(file::write_atomically(dir / "b", "x"), Works());
    EXPECT_THAT(file::read(dir / "a"), Gives("new"));
    EXPECT_THAT(file::list(dir.path()), Gives(ElementsAre("a", "b")));
}

TEST_F(FileTest, ReplacesALinkAndNotItsTarget) {
    ASSERT_THAT(file::write_durably(dir / "target", "old"), Works());
    ASSERT_THAT(file::symlink("target", dir / "link"), Works());
    ASSERT_THAT(file::write_durably(dir / "link", "new"), Works());
    EXPECT_THAT(file::read(dir / "target"), Gives("old"));
}

TEST_F(FileTest, RemovesItsTemporaryWhenTheWriteFails) {
    ASSERT_THAT(file::make_directories(dir / "in the way"), Works());
    EXPECT_THAT(file::write_durably(dir / "in the way", "x"),
                FailsWith(Code::System, AllOf(HasSubstr("in the way'"), HasSubstr("Is a directory"))));
    EXPECT_THAT(file::list(dir.path()), Gives(ElementsAre("in the way")));
}

TEST_F(FileTest, NamesThePathInTheErrorOfEveryOperation) {
    const auto absent = dir / "absent" / "x";
    const auto names_it =
        FailsWith(Code::NotFound, AllOf(HasSubstr(absent.string()), HasSubstr("No such file or directory")));
    EXPECT_THAT(file::read(absent), names_it);
    EXPECT_THAT(file::write_durably(absent, ""), names_it);
    EXPECT_THAT(file::symlink("x", absent), names_it);
    EXPECT_THAT(file::rename(absent, dir / "y"), names_it);
    EXPECT_THAT(file::sync_directory(absent), names_it);
    EXPECT_THAT(file::sync_filesystem(absent), names_it);
    EXPECT_THAT(file::free_bytes(absent), names_it);
}

TEST_F(FileTest, RefusesToReadMoreThanTheLimit) {
    ASSERT_THAT(file::write_atomically(dir / "a", "12345"), Works());
    EXPECT_THAT(file::read(dir / "a", 5), Gives("12345"));
    EXPECT_THAT(file::read(dir / "a", 4), FailsWith(Code::InvalidInput, HasSubstr("larger than 4 bytes")));
    EXPECT_THAT(file::read("/dev/zero"), FailsWith(Code::InvalidInput, HasSubstr("larger than")));
}

TEST_F(FileTest, ReadsFilesThatDoNotSayHowLargeTheyAre) {
    EXPECT_THAT(file::read("/proc/self/status"), Gives(HasSubstr("Pid:")));
}

TEST_F(FileTest, CannotReadADirectory) {
    EXPECT_THAT(file::read(dir.path()), FailsWith(Code::System, HasSubstr("Is a directory")));
}

TEST_F(FileTest, MakesAllDirectoriesOfAPathWithTheModeAskedWhateverTheUmask) {
    const auto before = ::umask(077);
    const auto made = file::make_directories(dir / "a/b/c", 0755);
    ::umask(before);
    ASSERT_THAT(made, Works());
    EXPECT_EQ(mode(dir / "a"), 0755u);
    EXPECT_EQ(mode(dir / "a/b/c"), 0755u);
}

TEST_F(FileTest, LeavesDirectoriesThatAreThereAsTheyAre) {
    ASSERT_THAT(file::make_directories(dir / "a", 0700), Works());
    ASSERT_THAT(file::make_directories(dir / "a/b", 0755), Works());
    EXPECT_EQ(mode(dir / "a"), 0700u);
}

TEST_F(FileTest, DoesNotMakeADirectoryWhereAFileIs) {
    ASSERT_THAT(file::write_atomically(dir / "a", ""), Works());
    EXPECT_THAT(file::make_directories(dir / "a"), FailsWith(Code::System, HasSubstr("Not a directory")));
    EXPECT_THAT(file::make_directories(dir / "a/b"), FailsWith(Code::System, HasSubstr("Not a directory")));
}

TEST_F(FileTest, ReadsLinksAndTellsAnAbsentOneFromAFile) {
    ASSERT_THAT(file::symlink("generations/3", dir / "current"), Works());
    ASSERT_THAT(file::write_atomically(dir / "file", ""), Works());
    EXPECT_THAT(file::read_link(dir / "current"), Gives(Path("generations/3")));
    EXPECT_THAT(file::read_link(dir / "absent"), Gives(std::nullopt));
    EXPECT_THAT(file::read_link(dir / "file"), FailsWith(Code::System, HasSubstr("file'")));
}

TEST_F(FileTest, DoesNotMakeALinkOverAnother) {
    ASSERT_THAT(file::symlink("a", dir / "link"), Works());
    EXPECT_THAT(file::symlink("b", dir / "link"), FailsWith(Code::AlreadyExists, HasSubstr("link'")));
}

TEST_F(FileTest, RenameReplacesALink) {
    ASSERT_THAT(file::symlink("a", dir / "current"), Works());
    ASSERT_THAT(file::symlink("b", dir / "next"), Works());
    ASSERT_THAT(file::rename(dir / "next", dir / "current"), Works());
    EXPECT_THAT(file::read_link(dir / "current"), Gives(Path("b")));
}

TEST_F(FileTest, ADanglingLinkExists) {
    ASSERT_THAT(file::symlink("nowhere", dir / "link"), Works());
    EXPECT_TRUE(file::exists(dir / "link"));
    EXPECT_FALSE(file::exists(dir / "nowhere"));
}

TEST_F(FileTest, RemovesFilesAndIsContentWhenTheyAreAbsent) {
    ASSERT_THAT(file::write_atomically(dir / "a", ""), Works());
    EXPECT_THAT(file::remove_if_there(dir / "a"), Works());
    EXPECT_THAT(file::remove_if_there(dir / "a"), Works());
    EXPECT_FALSE(file::exists(dir / "a"));
    EXPECT_THAT(file::remove_if_there(dir.path()), FailsWith(Code::System, HasSubstr(dir.path().string())));
}

TEST_F(FileTest, RemovesATreeButNotWhatItsLinksPointTo) {
    ASSERT_THAT(file::make_directories(dir / "tree/below"), Works());
    ASSERT_THAT(file::make_directories(dir / "elsewhere"), Works());
    ASSERT_THAT(file::write_atomically(dir / "elsewhere/precious", "x"), Works());
    ASSERT_THAT(file::symlink(dir / "elsewhere", dir / "tree/link"), Works());
    EXPECT_THAT(file::remove_tree(dir / "tree"), Works());
    EXPECT_THAT(file::remove_tree(dir / "tree"), Works());
    EXPECT_FALSE(file::exists(dir / "tree"));
    EXPECT_THAT(file::read(dir / "elsewhere/precious"), Gives("x"));
}

TEST_F(FileTest, ListsNamesSortedAndNothingForAnAbsentDirectory) {
    for (const char* name : {"b", "a", ".hidden"})
        ASSERT_THAT(file::write_atomically(dir / name, ""), Works());
    EXPECT_THAT(file::list(dir.path()), Gives(ElementsAre(".hidden", "a", "b")));
    EXPECT_THAT(file::list(dir / "absent"), Gives(IsEmpty()));
    EXPECT_THAT(file::list(dir / "a"), FailsWith(Code::System, HasSubstr("Not a directory")));
}

TEST_F(FileTest, SyncsAndTellsTheFreeSpace) {
    EXPECT_THAT(file::sync_directory(dir.path()), Works());
    EXPECT_THAT(file::sync_filesystem(dir.path()), Works());
    EXPECT_THAT(file::free_bytes(dir.path()), Gives(testing::Gt(0u)));
    EXPECT_THAT(file::free_bytes("/proc"), Gives(0u));
}

}  // namespace
}  // namespace davit
