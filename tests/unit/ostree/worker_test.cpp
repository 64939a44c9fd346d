#include "ostree/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <chrono>

#include "common/process.h"
#include "tests/unit/ostree/file_server.h"
#include "tests/unit/ostree/fixture.h"

namespace davit::ostree {
namespace {

using namespace davit::test;
using testing::AllOf;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class WorkerTest : public OstreeTest {
protected:
    Worker::Options options() const {
        return {.program = DAVIT_OSTREE_PROGRAM,
                .repository = dir / "device/repo",
                .key_directories = {keys},
                .stall = Milliseconds(60'000),
                .min_free_bytes = 1u << 20};
    }
    Source source(const std::string& ref, const std::string& id) const {
        return {.url = server.url(), .ref = ref, .commit = id, .ca_file = {}, .http_headers = {}};
    }
    Path checkout_of(const std::string& id) const { return dir / "device/checkouts/hello" / id; }

    FileServer server{served};
    Worker worker{options()};
};

TEST_F(WorkerTest, InspectsPullsAndChecksOut) {
    write(tree / "lib/data", noise(100'000, 1));
    const auto id = publish(tree, "hello");
    const auto before = must(worker.inspect(source("hello", id), "hello", {}));
    EXPECT_EQ(before.signed_by, "publisher");
    EXPECT_FALSE(before.complete);
    EXPECT_TRUE(before.sizes_known);
    EXPECT_GT(before.missing_bytes, 100'000u);
    EXPECT_GT(before.missing_wire, 100'000u);

    std::vector<WorkerProgress> seen;
    ASSERT_THAT(worker.pull(source("hello", id), "hello", {}, [&](const WorkerProgress& now) { seen.push_back(now); }),
                Works());
    EXPECT_GT(seen.back().bytes, 100'000u);
    EXPECT_THAT(must(device().refs()), ElementsAre("deploy/hello/" + id));

    ASSERT_THAT(worker.checkout("hello", "hello", id, checkout_of(id), {}), Works());
    EXPECT_EQ(read(checkout_of(id) / "lib/data"), noise(100'000, 1));
    const auto after = must(worker.inspect(source("hello", id), "hello", {}));
    EXPECT_TRUE(after.complete);
    EXPECT_EQ(after.missing_bytes, 0u);
}

TEST_F(WorkerTest, AsksTheServerForNothingThatIsHereAndTrusted) {
    const auto id = publish(tree, "hello");
    must(worker.pull(source("hello", id), "hello", {}, {}));
    server.forget();
    must(worker.inspect(source("hello", id), "hello", {}));
    must(worker.pull(source("hello", id), "hello", {}, {}));
    EXPECT_THAT(server.log(), IsEmpty());
}

TEST_F(WorkerTest, FetchesSignaturesAgainWhenThoseHereAreNotTrusted) {
    const auto id = commit(tree, "hello");
    must(publisher().push_to(served, "hello", id));
    EXPECT_THAT(worker.inspect(source("hello", id), "hello", {}),
                FailsWith(Code::Untrusted, HasSubstr("no signature")));
    publish(tree, "hello");
    EXPECT_THAT(worker.inspect(source("hello", id), "hello", {}), Works());
}

TEST_F(WorkerTest, FetchesNoContentOfAnUntrustedCommit) {
    const auto id = commit(tree, "hello");
    must(publisher().push_to(served, "hello", id));
    EXPECT_THAT(worker.pull(source("hello", id), "hello", {}, {}),
                FailsWith(Code::Untrusted, HasSubstr("no signature")));
    EXPECT_TRUE(must(device().info(id)).partial);
    EXPECT_THAT(must(device().refs()), IsEmpty());
}

TEST_F(WorkerTest, RefusesACommitOfAnotherAppBeforeItsContent) {
    const auto id = publish(tree, "db");
    EXPECT_THAT(worker.pull(source("hello", id), "hello", {}, {}),
                FailsWith(Code::Untrusted, HasSubstr("published as 'db'")));
    EXPECT_TRUE(must(device().info(id)).partial);
}

TEST_F(WorkerTest, VerifiesAgainBeforeCheckout) {
    const auto id = publish(tree, "hello");
    must(worker.pull(source("hello", id), "hello", {}, {}));
    std::filesystem::remove(keys / "publisher.pub");
    EXPECT_THAT(worker.checkout("hello", "hello", id, checkout_of(id), {}),
                FailsWith(Code::Untrusted, HasSubstr("no key is trusted")));
    EXPECT_FALSE(file::exists(checkout_of(id)));
}

TEST_F(WorkerTest, ACheckoutKeepsItsCommitAlsoWhenAPowerCutTookTheNameThatPullGaveIt) {
    const auto id = publish(tree, "hello");
    must(worker.pull(source("hello", id), "hello", {}, {}));
    must(device().set_ref("deploy/hello/" + id, std::nullopt));

    ASSERT_THAT(worker.checkout("hello", "hello", id, checkout_of(id), {}), Works());
    EXPECT_THAT(must(device().refs()), ElementsAre("deploy/hello/" + id));
    must(worker.keep_only({"hello/" + id}, {}));
    EXPECT_THAT(device().info(id), Works());
}

TEST_F(WorkerTest, KeepsOnlyTheNamed) {
    const auto first = publish(tree, "hello", "1");
    write(tree / "etc/hello.conf", "greeting = hi\n");
    const auto second = publish(tree, "hello", "2");
    must(worker.pull(source("hello", first), "hello", {}, {}));
    must(worker.pull(source("hello", second), "hello", {}, {}));
    ASSERT_THAT(worker.keep_only({"hello/" + second}, {}), Works());
    EXPECT_THAT(must(device().refs()), ElementsAre("deploy/hello/" + second));
    EXPECT_THAT(device().info(first), FailsWith(Code::NotFound, testing::_));
    EXPECT_FALSE(must(device().info(second)).partial);
}

TEST_F(WorkerTest, ErrorsKeepTheirCodeAndWords) {
    publish(tree, "hello");
    EXPECT_THAT(worker.inspect(source("hello", std::string(64, 'a')), "hello", {}),
                FailsWith(Code::NotFound, HasSubstr("404")));
    EXPECT_THAT(worker.inspect(source("hello", "main"), "hello", {}),
                FailsWith(Code::InvalidInput, HasSubstr("'main'")));
    write(keys / "broken.pub", "nonsense\n");
    EXPECT_THAT(worker.keep_only({}, {}), FailsWith(Code::InvalidInput, HasSubstr("broken.pub")));
}

TEST_F(WorkerTest, ARepositoryThatIsNoneIsNamed) {
    write(dir / "device/repo/hello", "not a repository");
    EXPECT_THAT(worker.keep_only({}, {}),
                FailsWith(Code::InvalidInput, AllOf(HasSubstr("device/repo"), HasSubstr("not an OSTree repository"))));
}

TEST_F(WorkerTest, AServerThatNeverAnswersEndsInAStall) {
    const auto id = publish(tree, "hello");
    server.fall_silent();
    auto impatient = options();
    impatient.stall = Milliseconds(300);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_THAT(Worker(impatient).inspect(source("hello", id), "hello", {}),
                FailsWith(Code::Network, HasSubstr("no progress")));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST_F(WorkerTest, AStopEndsAPullThatHangs) {
    const auto id = publish(tree, "hello");
    server.fall_silent();
    std::stop_source stop;
    std::jthread later([&] {
        while (server.requests().empty())
            std::this_thread::yield();
        stop.request_stop();
    });
    EXPECT_THAT(worker.pull(source("hello", id), "hello", stop.get_token(), {}), FailsWith(Code::Canceled, testing::_));
}

TEST_F(WorkerTest, AKilledPullIsCarriedOnWhereItWas) {
    for (unsigned i = 0; i < 30; ++i)
        write(tree / "lib" / std::to_string(i), noise(200'000, i));
    const auto id = publish(tree, "hello");
    server.fall_silent_after(25);
    std::stop_source stop;
    const auto killed = worker.pull(source("hello", id), "hello", stop.get_token(), [&](const WorkerProgress& now) {
        if (now.fetched >= 18) stop.request_stop();
    });
    EXPECT_THAT(killed, FailsWith(Code::Canceled, testing::_));

    server.behave();
    server.forget();
    EXPECT_THAT(worker.pull(source("hello", id), "hello", {}, {}), Works());
    EXPECT_LT(server.bytes_sent(), 25u * 200'000u) << "at least five files were not fetched again";
    EXPECT_THAT(worker.checkout("hello", "hello", id, checkout_of(id), {}), Works());
    EXPECT_EQ(read(checkout_of(id) / "lib/7"), noise(200'000, 7));
}

// What a power cut can leave of a pull: the commit object with its length, zeroes in it.
TEST_F(WorkerTest, APullHealsADamagedCommit) {
    const auto id = publish(tree, "hello");
    must(worker.pull(source("hello", id), "hello", {}, {}));
    const auto object = dir / "device/repo/objects" / id.substr(0, 2) / (id.substr(2) + ".commit");
    write(object, std::string(read(object).size(), '\0'));
    EXPECT_THAT(worker.checkout("hello", "hello", id, checkout_of(id), {}),
                FailsWith(Code::Corrupt, HasSubstr("damaged")));
    EXPECT_THAT(worker.pull(source("hello", id), "hello", {}, {}), Works());
    EXPECT_THAT(worker.checkout("hello", "hello", id, checkout_of(id), {}), Works());
}

TEST_F(WorkerTest, AWorkerThatDiesWithoutAnAnswerIsDescribed) {
    auto broken = options();
    broken.program = "/bin/false";
    EXPECT_THAT(Worker(broken).keep_only({}, {}),
                FailsWith(Code::System, AllOf(HasSubstr("without an answer"), HasSubstr("exit code 1"))));
    broken.program = dir / "absent";
    EXPECT_THAT(Worker(broken).keep_only({}, {}), FailsWith(Code::NotFound, HasSubstr("absent")));
    write(dir / "babble", "#!/bin/sh\necho hello\n");
    std::filesystem::permissions(dir / "babble", std::filesystem::perms(0755));
    broken.program = dir / "babble";
    EXPECT_THAT(Worker(broken).keep_only({}, {}), FailsWith(Code::Defect, HasSubstr("hello")));
    write(dir / "babble", "#!/bin/sh\necho '{\"progress\":{\"bytes\":\"many\"}}'\necho '{\"error\":7}'\n");
    EXPECT_THAT(Worker(broken).keep_only({}, {}), FailsWith(Code::InvalidInput, HasSubstr("davit-ostree")));
    write(dir / "crash", "#!/bin/sh\nkill -SEGV $$\n");
    std::filesystem::permissions(dir / "crash", std::filesystem::perms(0755));
    broken.program = dir / "crash";
    EXPECT_THAT(Worker(broken).keep_only({}, {}), FailsWith(Code::Corrupt, HasSubstr("signal 11")));
}

TEST_F(WorkerTest, TheProgramRefusesWhatIsNoJob) {
    for (const auto* job : {"", "{", "[]", "{}", R"({"verb":"dance","repository":"/nowhere/x"})"}) {
        const auto exit = must(
            process::run({.argv = {DAVIT_OSTREE_PROGRAM}, .extra_env = {}, .input = job}, std::chrono::seconds(30)));
        EXPECT_EQ(exit.code, 1) << job;
        EXPECT_THAT(exit.out, HasSubstr(R"({"error":{"code":"InvalidInput")")) << job;
    }
}

}  // namespace
}  // namespace davit::ostree
