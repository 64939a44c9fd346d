#include "tests/unit/ostree/fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
namespace davit::ostree {
namespace {

using namespace davit::test;
using testing::IsEmpty;

class PruneTest : public OstreeTest {
protected:
    /// Publishes a version with @p seed's content, pulls it, and keeps it under @p ref.
    std::string keep(unsigned seed, const std::string& ref) {
        write(tree / "lib/data", noise(100'000, seed));
        const auto id = publish(tree, "hello", std::to_string(seed));
        must(device().pull(request("hello", id), {}));
        must(device().set_ref(ref, id));
        return id;
    }
    std::uint64_t object_bytes() {
        std::uint64_t sum = 0;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(dir / "device/repo/objects"))
            if (entry.is_regular_file()) sum += entry.file_size();
        return sum;
    }
};

TEST_F(PruneTest, KeepsExactlyWhatARefNames) {
    const auto first = keep(1, "deploy/hello/first");
    const auto second = keep(2, "deploy/hello/second");
    EXPECT_GT(object_bytes(), 200'000u);
    must(device().set_ref("deploy/hello/first", std::nullopt));
    must(device().prune());
    EXPECT_THAT(device().info(first), FailsWith(Code::NotFound, testing::_));
    EXPECT_EQ(must(device().read_file(second, "lib/data")), noise(100'000, 2));
    EXPECT_LT(object_bytes(), 150'000u);
}

TEST_F(PruneTest, ForgetsACommitThatWasOnlyInspected) {
    const auto id = publish(tree, "hello");
    must(device().pull_commit_only(request("hello", id)));
    must(device().prune());
    EXPECT_THAT(device().info(id), FailsWith(Code::NotFound, testing::_));
    EXPECT_THAT(must(file::list(dir / "device/repo/state")), IsEmpty());
}

TEST_F(PruneTest, DropsStagingOfOtherBootsAndKeepsThisOnes) {
    device();
    auto boot = must(file::read("/proc/sys/kernel/random/boot_id"));
    boot.pop_back();
    write(dir / "device/repo/tmp/staging-another-boot-XXXXXX/object", "1");
    write(dir / ("device/repo/tmp/staging-" + boot + "-XXXXXX") / "object", "1");
    must(device().prune());
    EXPECT_THAT(must(file::list(dir / "device/repo/tmp")),
                testing::AllOf(testing::Not(testing::Contains("staging-another-boot-XXXXXX")),
                               testing::Contains("staging-" + boot + "-XXXXXX")));
}

TEST_F(PruneTest, HealingDropsRefsOfDamagedCommitsAndEverythingHalfFetched) {
    const auto bad = keep(1, "deploy/hello/bad");
    const auto good = keep(2, "deploy/hello/good");
    const auto object = dir / "device/repo/objects" / bad.substr(0, 2) / (bad.substr(2) + ".commit");
    write(object, std::string(read(object).size(), '\0'));
    write(dir / "device/repo/tmp/staging-any-XXXXXX/object", "1");
    must(device().heal());
    EXPECT_THAT(must(device().refs()), testing::ElementsAre("deploy/hello/good"));
    EXPECT_THAT(device().info(bad), FailsWith(Code::NotFound, testing::_));
    EXPECT_EQ(must(device().read_file(good, "lib/data")), noise(100'000, 2));
    EXPECT_FALSE(file::exists(dir / "device/repo/tmp/staging-any-XXXXXX"));
}

}  // namespace
}  // namespace davit::ostree
