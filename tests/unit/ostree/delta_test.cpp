// One app version in one file, for devices without a network.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ostree/worker.h"
#include "tests/unit/ostree/fixture.h"

namespace davit::ostree {
namespace {

using namespace davit::test;
using testing::AnyOf;
using testing::HasSubstr;

class DeltaTest : public OstreeTest {
protected:
    DeltaTest() {
        write(tree / "lib/data", noise(200'000, 1));
        id = publish(tree, "hello", "3");
        must(publisher().export_to(file, id));
    }
    Worker worker(std::string name = "device") {
        return Worker({.program = DAVIT_OSTREE_PROGRAM,
                       .repository = dir / name / "repo",
                       .key_directories = {keys},
                       .stall = Milliseconds(60'000),
                       .min_free_bytes = 1u << 20});
    }
    [[nodiscard]] Source source(const std::string& ref = "", const std::string& commit = "") const {
        return {.url = "file://" + file.string(), .ref = ref, .commit = commit, .ca_file = {}, .http_headers = {}};
    }
    Path checkout_of(const std::string& commit) const { return dir / "device/checkouts/hello" / commit; }
    void damage(std::size_t at) const {
        auto bytes = read(file);
        bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
        write(file, bytes);
    }

    const Path file = dir / "hello-3.davit";
    std::string id;
};

TEST_F(DeltaTest, IsLookedAtInspectedFetchedAndCheckedOut) {
    const auto found = must(worker().look(source(), {}));
    EXPECT_EQ(found.app, "hello");
    EXPECT_EQ(found.ref, "hello");
    EXPECT_EQ(found.version, "3");
    EXPECT_EQ(found.commit, id);

    const auto cost = must(worker().inspect(source("hello", id), "hello", {}));
    EXPECT_FALSE(cost.complete);
    EXPECT_GT(cost.missing_bytes, 200'000u);

    ASSERT_THAT(worker().pull(source("hello", id), "hello", {}, {}), Works());
    EXPECT_TRUE(must(worker().inspect(source("hello", id), "hello", {})).complete);
    ASSERT_THAT(worker().checkout("hello", "hello", id, checkout_of(id), {}), Works());
    EXPECT_EQ(read(checkout_of(id) / "lib/data"), noise(200'000, 1));
}

TEST_F(DeltaTest, IsRefusedUnsignedBeforeAnyContentIsUnpacked) {
    const auto unsigned_id = commit(tree, "other");
    must(publisher().export_to(file, unsigned_id));

    EXPECT_THAT(worker().look(source(), {}), FailsWith(Code::Untrusted, HasSubstr("no signature")));
    EXPECT_THAT(worker().pull(source("other", unsigned_id), "other", {}, {}),
                FailsWith(Code::Untrusted, HasSubstr("no signature")));
    EXPECT_TRUE(must(device().info(unsigned_id)).partial);
}

TEST_F(DeltaTest, AnUnsignedFileDoesNotSpoilTheSignatureThatIsHere) {
    ASSERT_THAT(worker().pull(source("hello", id), "hello", {}, {}), Works());
    const auto unsigned_id = commit(tree, "hello", "3");
    ASSERT_EQ(unsigned_id, id) << "the same content, time and version is the same commit";
    must(publisher().export_to(file, unsigned_id));
    EXPECT_THAT(worker().look(source(), {}), Works());
}

TEST_F(DeltaTest, IsRefusedAsAnotherApp) {
    EXPECT_THAT(worker().pull(source("other", id), "other", {}, {}), FailsWith(Code::Untrusted, HasSubstr("hello")));
}

TEST_F(DeltaTest, IsRefusedWhenItHoldsAnotherCommit) {
    const std::string other(64, 'a');
    EXPECT_THAT(worker().pull(source("hello", other), "hello", {}, {}),
                FailsWith(Code::NotFound, HasSubstr("holds commit " + id)));
}

TEST_F(DeltaTest, IsRefusedDamagedAndTheNextGoodOneWorks) {
    const auto good = read(file);
    for (const auto at : {good.size() / 10, good.size() / 2, good.size() - 100}) {
        write(file, good);
        damage(at);
        EXPECT_FALSE(worker().pull(source("hello", id), "hello", {}, {})) << "damaged at " << at;
    }
    write(file, good.substr(0, good.size() / 2));
    EXPECT_FALSE(worker().pull(source("hello", id), "hello", {}, {}));
    write(file, "this is a text");
    EXPECT_THAT(worker().look(source(), {}), FailsWith(Code::InvalidInput, HasSubstr("davit app export")));
    std::filesystem::remove(file);
    EXPECT_THAT(worker().look(source(), {}), FailsWith(Code::NotFound, HasSubstr("hello-3.davit")));

    write(file, good);
    EXPECT_THAT(worker().pull(source("hello", id), "hello", {}, {}), Works());
    EXPECT_THAT(worker().checkout("hello", "hello", id, checkout_of(id), {}), Works());
}

class LookTest : public OstreeTest {
protected:
    Worker worker{{.program = DAVIT_OSTREE_PROGRAM,
                   .repository = dir / "device/repo",
                   .key_directories = {keys},
                   .stall = Milliseconds(60'000),
                   .min_free_bytes = 1u << 20}};
    [[nodiscard]] Source source(const std::string& ref = "", const std::string& commit = "") const {
        return {.url = "file://" + served.string(), .ref = ref, .commit = commit, .ca_file = {}, .http_headers = {}};
    }
};

TEST_F(LookTest, FindsTheNewestVersionInARepository) {
    publish(tree, "hello", "1");
    write(tree / "new", "2");
    const auto newest = publish(tree, "hello", "2");

    EXPECT_EQ(must(worker.look(source("hello"), {})).commit, newest);
    EXPECT_EQ(must(worker.look(source(), {})).version, "2") << "it is the only app there";
    EXPECT_THAT(must(device().refs()), testing::IsEmpty()) << "no ref may name a commit without content";
}

TEST_F(LookTest, FindsTheVersionThatIsNamed) {
    const auto first = publish(tree, "hello", "1");
    write(tree / "new", "2");
    publish(tree, "hello", "2");

    EXPECT_EQ(must(worker.look(source("hello", first), {})).version, "1");
}

TEST_F(LookTest, AsksWhichAppWhenThereAreSeveral) {
    publish(tree, "hello");
    publish(tree, "ticker");

    EXPECT_THAT(worker.look(source(), {}), FailsWith(Code::InvalidInput, HasSubstr("it has: hello, ticker")));
    EXPECT_THAT(worker.look(source("none"), {}), FailsWith(Code::NotFound, HasSubstr("none")));
}

}  // namespace
}  // namespace davit::ostree
