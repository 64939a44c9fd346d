#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include "ostree/handle.h"
#include "tests/unit/ostree/file_server.h"
#include "tests/unit/ostree/fixture.h"

namespace davit::ostree {
namespace {

using namespace davit::test;
using testing::AllOf;
using testing::Contains;
using testing::ContainsRegex;
using testing::Each;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

std::string type_of(const Variant& options, const char* key) {
    const Variant value(g_variant_lookup_value(options.get(), key, nullptr));
    return value ? g_variant_get_type_string(value.get()) : "absent";
}

// libostree ignores an option whose name or type is wrong. The list is that of ostree_repo_pull_with_options().
TEST(PullOptionsTest, HaveTheNamesAndTypesThatLibostreeReads) {
    PullRequest request{
        .url = "http://x", .ref = "hello", .commit = std::string(64, 'a'), .ca_file = {}, .http_headers = {"A: b"}};
    const std::map<std::string, std::string> known{{"refs", "as"},
                                                   {"override-commit-ids", "as"},
                                                   {"flags", "i"},
                                                   {"depth", "i"},
                                                   {"override-url", "s"},
                                                   {"disable-static-deltas", "b"},
                                                   {"gpg-verify", "b"},
                                                   {"gpg-verify-summary", "b"},
                                                   {"disable-sign-verify", "b"},
                                                   {"disable-sign-verify-summary", "b"},
                                                   {"n-network-retries", "u"},
                                                   {"low-speed-limit-bytes", "u"},
                                                   {"low-speed-time-seconds", "u"},
                                                   {"update-frequency", "u"},
                                                   {"append-user-agent", "s"},
                                                   {"http-headers", "a(ss)"}};
    const auto full = pull_options(request);
    for (const auto& [key, type] : known)
        EXPECT_EQ(type_of(full, key.c_str()), type) << key;
    EXPECT_EQ(g_variant_n_children(full.get()), known.size()) << "an option that this list does not know";

    const auto commit_only = pull_commit_only_options(request);
    EXPECT_EQ(type_of(commit_only, "override-commit-ids"), "absent");
    EXPECT_EQ(g_variant_n_children(commit_only.get()), known.size() - 1);
}

class PullTest : public OstreeTest {
protected:
    PullRequest over_http(const std::string& ref, const std::string& id) {
        auto r = request(ref, id);
        r.url = server.url();
        return r;
    }
    Result<void> pull(const std::string& ref, const std::string& id) { return device().pull(over_http(ref, id), {}); }
    /// The path of the one content object with this beginning in the served repository, as a URL ends.
    std::string any_file_object() {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(served / "objects"))
            if (entry.path().extension() == ".filez") return entry.path().filename();
        return {};
    }

    FileServer server{served};
};

TEST_F(PullTest, BringsACommitWithItsContentAndLeavesNoRef) {
    const auto id = publish(tree, "hello");
    ASSERT_THAT(pull("hello", id), Works());
    EXPECT_FALSE(must(device().info(id)).partial);
    EXPECT_EQ(must(device().read_file(id, "etc/hello.conf")), "greeting = hello\n");
    EXPECT_THAT(must(device().refs()), IsEmpty());
}

TEST_F(PullTest, WorksFromAFileUrl) {
    const auto id = publish(tree, "hello");
    ASSERT_THAT(device().pull(request("hello", id), {}), Works());
    EXPECT_EQ(must(device().read_file(id, "etc/hello.conf")), "greeting = hello\n");
}

// Without it, a long copy from a stick would look like a stall.
TEST_F(PullTest, ReportsProgressFromAFileUrlToo) {
    const auto id = publish(tree, "hello");
    Progress last;
    ASSERT_THAT(device().pull(request("hello", id), [&](const Progress& now) { last = now; }), Works());
    EXPECT_GE(last.fetched, 6u) << "three files, a link, and directories";
}

TEST_F(PullTest, FetchingTheCommitOnlyTakesTwoRequestsAndMovesNoRef) {
    const auto id = publish(tree, "hello");
    ASSERT_THAT(device().pull_commit_only(over_http("hello", id)), Works());
    EXPECT_TRUE(must(device().info(id)).partial);
    EXPECT_THAT(must(device().refs()), IsEmpty());
    EXPECT_THAT(server.log(), testing::UnorderedElementsAre(EndsWith(".commit"), EndsWith(".commitmeta")));
    EXPECT_LT(server.bytes_sent(), 1200u);
}

TEST_F(PullTest, AsksForNothingThatIsNotThereAndNothingTwice) {
    const auto id = publish(tree, "hello");
    must(device().pull_commit_only(over_http("hello", id)));
    server.forget();
    ASSERT_THAT(pull("hello", id), Works());
    EXPECT_THAT(server.log(), Each(StartsWith("200 ")));
    EXPECT_THAT(server.log(), Not(Contains(EndsWith(".commit")))) << "it came with the inspection";
    const auto log = server.log();
    EXPECT_THAT(std::set(log.begin(), log.end()), SizeIs(log.size()));
}

TEST_F(PullTest, FetchesOnlyWhatChanged) {
    write(tree / "lib/big", noise(1u << 20, 1));
    must(pull("hello", publish(tree, "hello")));
    write(tree / "etc/hello.conf", noise(10'000, 2));
    const auto second = publish(tree, "hello", "2");
    server.forget();
    must(device().pull_commit_only(over_http("hello", second)));
    const auto cost = must(device().cost(second));
    EXPECT_TRUE(cost.known);
    EXPECT_EQ(cost.missing_objects, 1u);
    EXPECT_EQ(cost.missing_wire, 10'000u);
    EXPECT_EQ(cost.missing_bytes, 12'288u) << "three blocks of the disk";
    must(pull("hello", second));
    EXPECT_LT(server.bytes_sent(), 14'000u);
    EXPECT_LE(server.log().size(), 7u);
    EXPECT_EQ(must(device().cost(second)).missing_objects, 0u);
}

TEST_F(PullTest, ReportsGrowingProgress) {
    write(tree / "big", noise(1u << 20, 1));
    const auto id = publish(tree, "hello");
    std::vector<Progress> seen;
    ASSERT_THAT(device().pull(over_http("hello", id), [&](const Progress& now) { seen.push_back(now); }), Works());
    ASSERT_FALSE(seen.empty());
    EXPECT_GT(seen.back().bytes, 1u << 20);
    EXPECT_EQ(seen.back().fetched, seen.back().requested);
    for (std::size_t i = 1; i < seen.size(); ++i)
        EXPECT_TRUE(seen[i].bytes != seen[i - 1].bytes || seen[i].fetched != seen[i - 1].fetched ||
                    seen[i].requested != seen[i - 1].requested);
}

TEST_F(PullTest, SendsTheGivenHeadersAndItsName) {
    const auto id = publish(tree, "hello");
    auto with_token = over_http("hello", id);
    with_token.http_headers = {"Authorization: Bearer abc:def"};
    must(device().pull(with_token, {}));
    EXPECT_THAT(server.requests(), Each(HasSubstr("Authorization: Bearer abc:def\r\n")));
    EXPECT_THAT(server.requests(), Each(HasSubstr("davit/")));
}

TEST_F(PullTest, RefusesACommitOfAnotherApp) {
    const auto of_db = publish(tree, "db");
    EXPECT_THAT(pull("hello", of_db), FailsWith(Code::Untrusted, AllOf(HasSubstr("hello"), HasSubstr("db"))));
    EXPECT_THAT(must(device().refs()), IsEmpty());
}

TEST_F(PullTest, ACommitThatTheServerDoesNotHaveIsNotFound) {
    publish(tree, "hello");
    const std::string absent(64, 'a');
    EXPECT_THAT(pull("hello", absent),
                FailsWith(Code::NotFound, AllOf(HasSubstr("aaaa"), HasSubstr("404"), HasSubstr(server.url()))));
    EXPECT_THAT(device().pull_commit_only(over_http("hello", absent)), FailsWith(Code::NotFound, HasSubstr("404")));
    EXPECT_THAT(device().pull(request("hello", absent), {}), FailsWith(Code::NotFound, HasSubstr(served.string())));
}

TEST_F(PullTest, AStatusOfTheServerBecomesACode) {
    const auto id = publish(tree, "hello");
    for (const auto& [status, code] :
         {std::pair(401, Code::Unauthorized), {403, Code::NotFound}, {410, Code::NotFound}, {503, Code::Network}}) {
        server.answer(".commit", status);
        EXPECT_THAT(pull("hello", id), FailsWith(code, HasSubstr(std::to_string(status))));
    }
}

TEST_F(PullTest, NobodyListeningIsANetworkError) {
    const auto id = publish(tree, "hello");
    auto nobody = request("hello", id);
    nobody.url = "http://127.0.0.1:1";
    EXPECT_THAT(device().pull(nobody, {}), FailsWith(Code::Network, HasSubstr("127.0.0.1:1")));
}

TEST_F(PullTest, AUrlOrHeaderOrCommitThatIsNoneIsRefusedBeforeAnyRequest) {
    auto bad = request("hello", std::string(64, 'a'));
    bad.url = "ftp://x";
    EXPECT_THAT(device().pull(bad, {}), FailsWith(Code::InvalidInput, HasSubstr("ftp://x")));
    bad = request("hello", std::string(64, 'a'));
    bad.http_headers = {"Authorization"};
    EXPECT_THAT(device().pull(bad, {}), FailsWith(Code::InvalidInput, Not(HasSubstr("Authorization"))));
    EXPECT_THAT(pull("hello", "main"), FailsWith(Code::InvalidInput, HasSubstr("'main'")));
    EXPECT_THAT(pull("no spaces", std::string(64, 'a')), FailsWith(Code::InvalidInput, HasSubstr("no spaces")));
    EXPECT_THAT(server.log(), IsEmpty());
}

TEST_F(PullTest, ADamagedObjectIsFetchedAgainAnotherTime) {
    const auto id = publish(tree, "hello");
    server.damage(any_file_object());
    EXPECT_THAT(pull("hello", id), FailsWith(Code::Network, testing::_));
    server.behave();
    EXPECT_THAT(pull("hello", id), Works());
    EXPECT_EQ(must(device().read_file(id, "etc/hello.conf")), "greeting = hello\n");
}

TEST_F(PullTest, ATamperedCommitIsRefused) {
    const auto id = publish(tree, "hello");
    server.damage(".commit");
    EXPECT_THAT(pull("hello", id), FailsWith(Code::Network, HasSubstr("Corrupted commit object")));
    EXPECT_THAT(device().info(id), FailsWith(Code::NotFound, testing::_));
}

class SmallDiskTest : public PullTest {
protected:
    void SetUp() override {
        std::filesystem::create_directory(dir / "device");
        mounted = ::mount("tmpfs", (dir / "device").c_str(), "tmpfs", 0, "size=5m") == 0;
        if (!mounted) GTEST_SKIP() << "cannot mount a small disk";
        write(tree / "big", noise(6u << 20, 1));
        id = publish(tree, "hello");
    }
    ~SmallDiskTest() override {
        if (mounted) ::umount2((dir / "device").c_str(), MNT_DETACH);
    }
    bool mounted = false;
    std::string id;
};

TEST_F(SmallDiskTest, RefusesBeforeTheDownloadAndSaysHowManyBytesAreMissing) {
    must(device().pull_commit_only(over_http("hello", id)));
    server.forget();
    EXPECT_THAT(
        pull("hello", id),
        FailsWith(
            Code::NoSpace,
            ContainsRegex("device/repo.*: [0-9]+ bytes are free, the commit needs [0-9]+ and 1048576 must stay free; "
                          "[0-9]+ bytes are missing")));
    EXPECT_THAT(server.log(), IsEmpty());
}

TEST_F(SmallDiskTest, ADiskThatFillsUpDuringTheDownloadIsNamedAndFreedAgain) {
    EXPECT_THAT(
        pull("hello", id),
        FailsWith(Code::NoSpace, ContainsRegex("device/repo' has [0-9]+ bytes free, 1048576 of them must stay free")));
    EXPECT_GT(must(device().disk()).free_bytes, 4u << 20);
}

}  // namespace
}  // namespace davit::ostree
