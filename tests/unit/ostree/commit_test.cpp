#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/process.h"
#include "ostree/handle.h"
#include "tests/unit/ostree/fixture.h"

namespace davit::ostree {
namespace {

using namespace davit::test;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;

class CommitTest : public OstreeTest {
protected:
    CommitRequest about(const std::string& ref) {
        return {.directory = tree,
                .ref = ref,
                .version = "1.2.0",
                .subject = "Hello",
                .timestamp = 1'700'000'000,
                .metadata = {{"davit.name", "hello"}}};
    }
    std::vector<Bytes> signatures(Repository, const Path& path, const std::string& id) {
        GlibError error;
        const Object<OstreeRepo> repo(ostree_repo_open_at(-100, path.c_str(), nullptr, error));
        return must(read_signatures(repo.get(), id));
    }
};

TEST_F(CommitTest, TheSameInputGivesTheSameIdInAnyRepository) {
    const auto first = must(publisher().commit(about("hello")));
    write(dir / "elsewhere/unrelated", "1");
    auto elsewhere = must(Repository::open_or_create(dir / "elsewhere-repo", Mode::Archive));
    must(elsewhere.commit({.directory = dir / "elsewhere",
                           .ref = "hello",
                           .version = {},
                           .subject = {},
                           .timestamp = 1,
                           .metadata = {}}));
    EXPECT_EQ(must(elsewhere.commit(about("hello"))), first);
    EXPECT_EQ(must(publisher().commit(about("hello"))), first) << "again into the same repository";
}

TEST_F(CommitTest, AnyChangeGivesAnotherId) {
    const auto first = must(publisher().commit(about("hello")));
    auto later = about("hello");
    later.timestamp += 1;
    EXPECT_NE(must(publisher().commit(later)), first);
    ASSERT_EQ(::chown((tree / "empty").c_str(), 5, 5), 0);
    EXPECT_NE(must(publisher().commit(about("hello"))), first);
}

TEST_F(CommitTest, LabelsOfTheBuildMachineDoNotCount) {
    const auto first = must(publisher().commit(about("hello")));
    if (::setxattr((tree / "empty").c_str(), "security.selinux", "label", 5, 0) != 0)
        GTEST_SKIP() << "no SELinux labels on this file system";
    EXPECT_EQ(must(publisher().commit(about("hello"))), first);
}

TEST_F(CommitTest, TellsWhatWasCommitted) {
    const auto id = must(publisher().commit(about("hello")));
    const auto info = must(publisher().info(id));
    EXPECT_EQ(info.id, id);
    EXPECT_THAT(info.refs, ElementsAre("hello"));
    EXPECT_THAT(info.version, Optional(std::string("1.2.0")));
    EXPECT_EQ(info.parent, std::nullopt);
    EXPECT_EQ(info.timestamp, 1'700'000'000u);
    EXPECT_FALSE(info.partial);
    EXPECT_THAT(must(publisher().resolve("hello")), Optional(id));
    EXPECT_EQ(must(publisher().resolve("other")), std::nullopt);
    EXPECT_EQ(must(publisher().resolve(id.substr(0, 4))), std::nullopt)
        << "a ref's name is never the beginning of an id";
}

TEST_F(CommitTest, KnowsTheSizesOfItsFiles) {
    write(tree / "big", noise(300'000, 1));
    write(tree / "big-again", noise(300'000, 1));
    const auto id = must(publisher().commit(about("hello")));
    EXPECT_EQ(must(publisher().cost(id)).missing_objects, 0u);
    must(publisher().sign(id, must(SigningKey::read(dir / "publisher.key"))));
    must(publisher().push_to(served, "hello", id));
    must(device().pull_commit_only(request("hello", id)));
    const auto cost = must(device().cost(id));
    EXPECT_TRUE(cost.known);
    EXPECT_EQ(cost.missing_objects, 4u) << "hello, hello.conf, the empty file, and the big ones once";
    EXPECT_EQ(cost.missing_wire, 300'000u + 21u + 17u);
}

TEST_F(CommitTest, ACommitOfTheOstreeToolIsFineWithoutSizes) {
    publisher();
    const auto tool = must(process::run(
        {.argv = {"ostree", "commit", "--repo=" + (dir / "publisher-repo").string(), "-b", "plain", tree.string()},
         .extra_env = {},
         .input = {}},
        std::chrono::seconds(30)));
    ASSERT_TRUE(tool.ok()) << tool.err;
    const auto id = must(publisher().resolve("plain")).value();
    EXPECT_FALSE(must(publisher().cost(id)).known);
    EXPECT_THAT(must(publisher().info(id)).refs, ElementsAre("plain"));
}

TEST_F(CommitTest, ReadsAFileBack) {
    const auto id = must(publisher().commit(about("hello")));
    EXPECT_EQ(must(publisher().read_file(id, "etc/hello.conf")), "greeting = hello\n");
    EXPECT_EQ(must(publisher().read_file(id, "/empty")), "");
    EXPECT_THAT(publisher().read_file(id, "etc/absent"), FailsWith(Code::NotFound, HasSubstr("etc/absent")));
}

TEST_F(CommitTest, RefusesAFifoNamingItAndCommitsNothing) {
    ASSERT_EQ(::mkfifo((tree / "etc/pipe").c_str(), 0600), 0);
    EXPECT_THAT(publisher().commit(about("hello")),
                FailsWith(Code::InvalidInput, AllOf(HasSubstr("etc/pipe"), HasSubstr("FIFO"))));
    EXPECT_EQ(must(publisher().resolve("hello")), std::nullopt);
}

TEST_F(CommitTest, RefusesADeviceNodeAndASocket) {
    if (::mknod((tree / "null").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0) {
        EXPECT_THAT(publisher().commit(about("hello")),
                    FailsWith(Code::InvalidInput, AllOf(HasSubstr("null"), HasSubstr("character device"))));
        std::filesystem::remove(tree / "null");
    }
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    const auto path = (tree / "s").string();
    ASSERT_LT(path.size(), sizeof address.sun_path);
    path.copy(address.sun_path, path.size());
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::close(fd);
    EXPECT_THAT(publisher().commit(about("hello")),
                FailsWith(Code::InvalidInput, AllOf(HasSubstr("/s"), HasSubstr("socket"))));
}

TEST_F(CommitTest, RefusesWhatIsNoDirectoryAndNoRefName) {
    auto request = about("hello");
    request.directory = dir / "absent";
    EXPECT_THAT(publisher().commit(request), FailsWith(Code::NotFound, HasSubstr("absent")));
    EXPECT_THAT(publisher().commit(about("../x")), FailsWith(Code::InvalidInput, HasSubstr("../x")));
}

TEST_F(CommitTest, SigningTwiceKeepsOneSignatureAndASecondKeyAddsOne) {
    const auto id = must(publisher().commit(about("hello")));
    const auto key = must(SigningKey::read(dir / "publisher.key"));
    must(publisher().sign(id, key));
    must(publisher().sign(id, key));
    EXPECT_EQ(signatures(publisher(), dir / "publisher-repo", id).size(), 1u);
    must(make_key_pair(dir / "second"));
    must(publisher().sign(id, must(SigningKey::read(dir / "second.key"))));
    EXPECT_EQ(signatures(publisher(), dir / "publisher-repo", id).size(), 2u);
    EXPECT_EQ(must(publisher().verify(id, "hello", "hello", trusted())), "publisher");
}

// What `ostree sign` of builds that have the engine reads and writes.
TEST_F(CommitTest, TheSignatureHasUpstreamsLayout) {
    const auto id = must(publisher().commit(about("hello")));
    must(publisher().sign(id, must(SigningKey::read(dir / "publisher.key"))));
    GlibError error;
    const Object<OstreeRepo> repo(ostree_repo_open_at(-100, (dir / "publisher-repo").c_str(), nullptr, error));
    Variant detached;
    ASSERT_TRUE(ostree_repo_read_commit_detached_metadata(repo.get(), id.c_str(), Out(detached), nullptr, error));
    const Variant list(g_variant_lookup_value(detached.get(), "ostree.sign.ed25519", G_VARIANT_TYPE("aay")));
    ASSERT_TRUE(list);
    ASSERT_EQ(g_variant_n_children(list.get()), 1u);
    const Variant signature(g_variant_get_child_value(list.get(), 0));
    EXPECT_EQ(g_variant_get_size(signature.get()), 64u);
}

TEST_F(CommitTest, PushingCarriesSignaturesThatWereMadeAfterAnEarlierPush) {
    const auto id = must(publisher().commit(about("hello")));
    must(publisher().push_to(served, "hello", id));
    EXPECT_THAT(signatures(publisher(), served, id), IsEmpty());
    must(publisher().sign(id, must(SigningKey::read(dir / "publisher.key"))));
    must(publisher().push_to(served, "hello", id));
    EXPECT_EQ(signatures(publisher(), served, id).size(), 1u);
}

TEST_F(CommitTest, PushingRewritesTheSummary) {
    const auto id = publish(tree, "hello");
    const auto first = read(served / "summary");
    EXPECT_THAT(first, HasSubstr("hello"));
    write(tree / "etc/hello.conf", "greeting = hi\n");
    EXPECT_NE(publish(tree, "hello", "2"), id);
    EXPECT_NE(read(served / "summary"), first);
}

TEST_F(CommitTest, PushingIntoItselfIsFine) {
    const auto id = commit(tree, "hello");
    EXPECT_THAT(publisher().push_to(dir / "publisher-repo", "hello", id), Works());
    EXPECT_TRUE(file::exists(dir / "publisher-repo/summary"));
}

TEST_F(CommitTest, PushingAnUnknownCommitIsAnError) {
    EXPECT_THAT(publisher().push_to(served, "hello", std::string(64, 'a')),
                FailsWith(Code::NotFound, HasSubstr("aaaa")));
    EXPECT_THAT(publisher().push_to(served, "hello", "abc"), FailsWith(Code::InvalidInput, HasSubstr("64 hex digits")));
}

}  // namespace
}  // namespace davit::ostree
