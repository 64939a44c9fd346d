#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/unit/ostree/fixture.h"

namespace davit::ostree {
namespace {

using namespace davit::test;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class CheckoutTest : public OstreeTest {
protected:
    /// Publishes @p tree, pulls it and checks it out. @return the checkout
    Path deploy(const std::string& ref = "hello") {
        const auto id = publish(tree, ref);
        must(device().pull(request(ref, id), {}));
        must(device().checkout(id, dir / "device/checkouts" / ref / id));
        return dir / "device/checkouts" / ref / id;
    }
};

TEST_F(CheckoutTest, GivesTheCommittedTree) {
    const auto out = deploy();
    EXPECT_EQ(read(out / "etc/hello.conf"), "greeting = hello\n");
    EXPECT_EQ(read(out / "empty"), "");
    EXPECT_EQ(std::filesystem::read_symlink(out / "link"), "bin/hello");
    EXPECT_EQ(status_of(out / "bin/hello").st_mode & 07777, 0755u);
    EXPECT_GT(status_of(out / "bin/hello").st_nlink, 1u) << "a hard link, not a copy";
}

TEST_F(CheckoutTest, KeepsOwnersModesAndAttributesFromPublisherToDevice) {
    ASSERT_EQ(::geteuid(), 0u) << "this room is for root";
    const auto set = [&](const char* name, uid_t uid, gid_t gid, mode_t mode) {
        ASSERT_EQ(::lchown((tree / name).c_str(), uid, gid), 0);
        ASSERT_EQ(::chmod((tree / name).c_str(), mode), 0);
    };
    std::filesystem::create_directories(tree / "tmp");
    std::filesystem::create_directories(tree / "private");
    set("bin/hello", 33, 42, 04755);
    set("etc/hello.conf", 1000, 1000, 0600);
    set("tmp", 0, 0, 01777);
    set("private", 7, 8, 0700);
    ASSERT_EQ(::setxattr((tree / "empty").c_str(), "user.note", "kept", 4, 0), 0);
    // VFS_CAP_REVISION_2 with cap_net_raw permitted and effective, as setcap writes it
    const unsigned char raw[20] = {1, 0, 0, 2, 0, 0x20};
    ASSERT_EQ(::setxattr((tree / "empty").c_str(), "security.capability", raw, sizeof raw, 0), 0);

    const auto out = deploy();

    const auto expect = [&](const char* name, uid_t uid, gid_t gid, mode_t mode) {
        const auto status = status_of(out / name);
        EXPECT_EQ(status.st_uid, uid) << name;
        EXPECT_EQ(status.st_gid, gid) << name;
        EXPECT_EQ(status.st_mode & 07777, mode) << name;
    };
    expect("bin/hello", 33, 42, 04755);
    expect("etc/hello.conf", 1000, 1000, 0600);
    expect("tmp", 0, 0, 01777);
    expect("private", 7, 8, 0700);
    unsigned char value[32] = {};
    EXPECT_EQ(::getxattr((out / "empty").c_str(), "user.note", value, sizeof value), 4);
    ASSERT_EQ(::getxattr((out / "empty").c_str(), "security.capability", value, sizeof value), 20);
    EXPECT_TRUE(std::equal(raw, raw + 20, value));
}

TEST_F(CheckoutTest, DoesNothingWhenTheDestinationIsThere) {
    const auto out = deploy();
    const auto before = status_of(out);
    EXPECT_THAT(device().checkout(out.filename().string(), out), Works());
    EXPECT_EQ(status_of(out).st_ino, before.st_ino);
}

TEST_F(CheckoutTest, LeavesNothingBesideTheDestination) {
    const auto out = deploy();
    EXPECT_THAT(must(file::list(out.parent_path())), ElementsAre(out.filename().string()));
    EXPECT_EQ(status_of(out.parent_path()).st_mode & 07777, 0700u)
        << "old setuid programs must be out of reach of the host's users";
}

TEST_F(CheckoutTest, ACommitWithoutItsContentIsNotCheckedOut) {
    const auto id = publish(tree, "hello");
    must(device().pull_commit_only(request("hello", id)));
    EXPECT_THAT(device().checkout(id, dir / "device/out"), FailsWith(Code::NotFound, HasSubstr("not complete")));
    EXPECT_FALSE(file::exists(dir / "device/out"));
}

TEST_F(CheckoutTest, AMissingObjectIsDamageAndLeavesNoHalfDirectory) {
    const auto id = publish(tree, "hello");
    must(device().pull(request("hello", id), {}));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir / "device/repo/objects"))
        if (entry.path().extension() == ".file") std::filesystem::remove(entry.path());
    EXPECT_THAT(device().checkout(id, dir / "device/checkouts/hello/x"), FailsWith(Code::Corrupt, HasSubstr(id)));
    EXPECT_THAT(must(file::list(dir / "device/checkouts/hello")), testing::IsEmpty());
}

class TrustTest : public OstreeTest {
protected:
    TrustTest() { id = publish(tree, "hello"); }
    Result<std::string> verify(const std::string& ref, const std::string& app) {
        return publisher().verify(id, ref, app, trusted());
    }
    std::string id;
};

TEST_F(TrustTest, NamesTheKeyThatSigned) {
    EXPECT_EQ(must(verify("hello", "hello")), "publisher");
}

TEST_F(TrustTest, RefusesAnUnsignedCommit) {
    const auto unsigned_id = commit(tree, "unsigned");
    EXPECT_THAT(publisher().verify(unsigned_id, "unsigned", "unsigned", trusted()),
                FailsWith(Code::Untrusted, AllOf(HasSubstr(unsigned_id.substr(0, 12)), HasSubstr("no signature"))));
}

TEST_F(TrustTest, RefusesAStrangersCommit) {
    std::filesystem::remove(keys / "publisher.pub");
    must(make_key_pair(keys / "another"));
    EXPECT_THAT(verify("hello", "hello"), FailsWith(Code::Untrusted, HasSubstr("trusted here: another")));
}

TEST_F(TrustTest, RefusesAKeyThatMayNotSignThisApp) {
    const auto line = read(dir / "publisher.pub");
    write(keys / "publisher.pub", line.substr(0, line.size() - 1) + " apps=camera\n");
    EXPECT_THAT(verify("hello", "hello"),
                FailsWith(Code::Untrusted, AllOf(HasSubstr("may not sign app 'hello'"), HasSubstr("camera"))));
    EXPECT_THAT(verify("hello", "camera"), Works()) << "the app's name counts, not the ref";
}

TEST_F(TrustTest, RefusesACommitThatWasPublishedUnderAnotherName) {
    EXPECT_THAT(verify("db", "db"),
                FailsWith(Code::Untrusted, AllOf(HasSubstr("published as 'hello'"), HasSubstr("not as 'db'"))));
}

}  // namespace
}  // namespace davit::ostree
