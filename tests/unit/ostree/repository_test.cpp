#include "ostree/repository.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "tests/unit/ostree/fixture.h"

namespace davit::ostree {
namespace {

using namespace davit::test;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class RepositoryTest : public OstreeTest {};

TEST(CommitIdTest, Is64LowerCaseHexDigits) {
    EXPECT_TRUE(is_commit_id(std::string(64, 'a')));
    EXPECT_FALSE(is_commit_id(std::string(64, 'A')));
    EXPECT_FALSE(is_commit_id(std::string(63, 'a')));
    EXPECT_FALSE(is_commit_id(std::string(63, 'a') + "\n"));
}

TEST_F(RepositoryTest, ADirectoryThatIsNoneIsNamed) {
    EXPECT_THAT(Repository::open(tree),
                FailsWith(Code::InvalidInput, AllOf(HasSubstr(tree.string()), HasSubstr("not an OSTree repository"))));
    EXPECT_THAT(Repository::open(dir / "absent"), FailsWith(Code::NotFound, HasSubstr("absent")));
    EXPECT_THAT(Repository::open_or_create(tree, Mode::Archive),
                FailsWith(Code::InvalidInput, HasSubstr("not an OSTree repository")));
}

TEST_F(RepositoryTest, ARepositoryInAnotherModeIsRefused) {
    publisher();
    EXPECT_THAT(Repository::open_or_create(dir / "publisher-repo", Mode::Bare),
                FailsWith(Code::InvalidInput, HasSubstr("not in mode 'bare'")));
}

TEST_F(RepositoryTest, ADevicesRepositoryIsForRootOnly) {
    device();
    EXPECT_EQ(status_of(dir / "device/repo").st_mode & 07777, 0700u);
    EXPECT_EQ(status_of(dir / "device").st_mode & 07777, 0700u);
}

TEST_F(RepositoryTest, ThePromisedFreeSpaceIsConfiguredAndCanChange) {
    EXPECT_EQ(must(device().disk()).reserved_bytes, 1u << 20);
    auto again = must(Repository::open_or_create(dir / "device/repo", Mode::Bare, (3u << 20) + 1));
    EXPECT_EQ(must(again.disk()).reserved_bytes, 4u << 20);
}

TEST_F(RepositoryTest, RefsComeAndGo) {
    const auto id = commit(tree, "hello");
    auto repository = publisher();
    must(repository.set_ref("deploy/hello/1", id));
    EXPECT_THAT(must(repository.refs()), testing::ElementsAre("deploy/hello/1", "hello"));
    must(repository.set_ref("deploy/hello/1", std::nullopt));
    must(repository.set_ref("deploy/hello/1", std::nullopt));
    EXPECT_THAT(must(repository.refs()), testing::ElementsAre("hello"));
    EXPECT_THAT(repository.set_ref("no spaces", id), FailsWith(Code::InvalidInput, HasSubstr("no spaces")));
}

TEST_F(RepositoryTest, AnUnknownCommitIsNotFound) {
    EXPECT_THAT(publisher().info(std::string(64, '0')), FailsWith(Code::NotFound, HasSubstr("not in the repository")));
    EXPECT_THAT(publisher().info("main"), FailsWith(Code::InvalidInput, HasSubstr("'main'")));
    EXPECT_THAT(publisher().read_file(std::string(64, '0'), "x"),
                FailsWith(Code::NotFound, HasSubstr("not in the repository")));
}

// A power cut can leave the file with its length and zeroes in it; libostree itself would crash.
TEST_F(RepositoryTest, AZeroedCommitObjectIsCorruptNotACrash) {
    const auto id = commit(tree, "hello");
    const auto object = dir / "publisher-repo/objects" / id.substr(0, 2) / (id.substr(2) + ".commit");
    const auto size = read(object).size();
    write(object, std::string(size, '\0'));
    EXPECT_THAT(publisher().info(id), FailsWith(Code::Corrupt, HasSubstr(id)));
    EXPECT_THAT(publisher().read_file(id, "empty"), FailsWith(Code::Corrupt, HasSubstr(id)));
    EXPECT_THAT(publisher().checkout(id, dir / "out"), FailsWith(Code::Corrupt, HasSubstr(id)));
    write(object, "");
    EXPECT_THAT(publisher().info(id), FailsWith(Code::Corrupt, HasSubstr(id)));
}

}  // namespace
}  // namespace davit::ostree
