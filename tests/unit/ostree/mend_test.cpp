#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/ostree/fixture.h"

namespace davit::ostree {
namespace {

using namespace davit::test;
using testing::HasSubstr;

/// A way to damage an object: by what its file is called at the end, and what is done to it.
struct Damage {
    std::string name;
    std::string ending;
    std::function<void(const Path&)> act;
};

void fill_with_zeroes(const Path& path) {
    write(path, std::string(std::max<std::size_t>(read(path).size(), 1), '\0'));
}
void flip_a_bit(const Path& path) {
    auto bytes = read(path);
    bytes.at(bytes.size() / 2) ^= 1;
    write(path, bytes);
}
void truncate(const Path& path) {
    std::filesystem::resize_file(path, read(path).size() / 2);
}
void point_elsewhere(const Path& path) {
    std::filesystem::remove(path);
    std::filesystem::create_symlink("/etc/passwd", path);
}

std::vector<Damage> every_kind() {
    std::vector<Damage> all;
    for (const std::string ending : {".commit", ".dirtree", ".dirmeta", ".file"}) {
        all.push_back({"zeroed" + ending, ending, fill_with_zeroes});
        all.push_back({"flipped" + ending, ending, flip_a_bit});
        all.push_back({"truncated" + ending, ending, truncate});
        all.push_back({"missing" + ending, ending, [](const Path& path) { std::filesystem::remove(path); }});
    }
    all.push_back({"another_link", "link", point_elsewhere});
    all.push_back({"mode", ".file", [](const Path& path) { ::chmod(path.c_str(), 04777); }});
    return all;
}

class MendTest : public OstreeTest, public testing::WithParamInterface<Damage> {
protected:
    MendTest() {
        id = publish(tree, "hello");
        must(device().pull(request("hello", id), {}));
        must(device().set_ref("deploy/hello/" + id, id));
        checkout = dir / "device/checkouts/hello" / id;
        must(device().checkout(id, checkout));
    }
    /// An object with this ending ("link": a symbolic link).
    [[nodiscard]] Path object(const std::string& ending) const {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(dir / "device/repo/objects")) {
            const bool is_link = entry.is_symlink();
            if (ending == "link" ? is_link : !is_link && entry.path().extension() == ending) {
                if (ending != ".file" || entry.file_size() > 1) return entry.path();
            }
        }
        throw std::runtime_error("no object " + ending);
    }
    /// What davit-ostree does for a deployment.
    void deploy_again() {
        auto repository = device();
        if (const auto known = repository.verify(id, "hello", "hello", trusted()); !known) {
            if (known.error().code == Code::Corrupt) must(repository.forget_commit(id));
            must(repository.pull_commit_only(request("hello", id)));
        }
        must(repository.mend(id, Look::AtEverything, {}));
        if (must(repository.info(id)).partial) must(repository.pull(request("hello", id), {}));
        EXPECT_EQ(must(repository.mend(id, Look::AtEverything, {})), 0u);
        must(repository.checkout(id, checkout));
    }
    void expect_good() {
        EXPECT_EQ(read(checkout / "etc/hello.conf"), "greeting = hello\n");
        EXPECT_EQ(read(checkout / "bin/hello"), "#!/bin/sh\necho hello\n");
        EXPECT_EQ(status_of(checkout / "bin/hello").st_mode & 07777, 0755u);
        EXPECT_EQ(std::filesystem::read_symlink(checkout / "link"), "bin/hello");
        EXPECT_EQ(read(checkout / "empty"), "");
        EXPECT_EQ(must(file::list(checkout)), (std::vector<std::string>{"bin", "empty", "etc", "link"}));
    }

    std::string id;
    Path checkout;
};

TEST_P(MendTest, IsNoticedAndFetchedAgain) {
    const auto victim = object(GetParam().ending);
    // A pull from the same disk shares metadata with the server, whose copy stays good. Files are the checkout's, too.
    if (GetParam().ending.size() > 5) std::filesystem::copy(victim, dir / "copy");
    if (GetParam().ending.size() > 5) std::filesystem::rename(dir / "copy", victim);
    GetParam().act(victim);
    deploy_again();
    expect_good();
}

INSTANTIATE_TEST_SUITE_P(Each, MendTest, testing::ValuesIn(every_kind()), [](const auto& damage) {
    auto name = damage.param.name;
    std::ranges::replace(name, '.', '_');
    return name;
});

TEST_F(MendTest, WhatIsGoodIsLeftAlone) {
    EXPECT_EQ(must(device().mend(id, Look::AtEverything, {})), 0u);
    EXPECT_FALSE(must(device().info(id)).partial);
}

TEST_F(MendTest, LooksAtFilesOnlyWhenAskedTo) {
    flip_a_bit(object(".file"));
    EXPECT_EQ(must(device().mend(id, Look::AtMetadata, {})), 0u);
    EXPECT_EQ(must(device().mend(id, Look::AtEverything, {})), 1u);
    EXPECT_TRUE(must(device().info(id)).partial);
}

TEST_F(MendTest, DamagedDirectoriesThatANewCommitSharesAreFoundBeforeItIsHere) {
    std::filesystem::create_directories(tree / "deep/er");
    write(tree / "deep/er/file", "1");
    const auto old = publish(tree, "hello", "2");
    must(device().pull(request("hello", old), {}));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir / "device/repo/objects")) {
        if (entry.path().extension() != ".dirtree") continue;
        std::filesystem::copy(entry.path(), dir / "copy");  // not the server's, too
        std::filesystem::rename(dir / "copy", entry.path());
        fill_with_zeroes(entry.path());
    }
    write(tree / "new", "only this and the root are new");
    const auto next = publish(tree, "hello", "3");
    EXPECT_FALSE(device().pull(request("hello", next), {})) << "libostree copes by itself: is this needed?";
    EXPECT_GE(must(device().mend_directories({})), 3u);
    EXPECT_THAT(device().pull(request("hello", next), {}), Works());
    EXPECT_EQ(must(device().mend(next, Look::AtEverything, {})), 0u);
}

TEST_F(MendTest, SaysThatItIsAlive) {
    int calls = 0;
    must(device().mend(id, Look::AtEverything, [&] { ++calls; }));
    EXPECT_GE(calls, 6) << "once for each object";
}

TEST_F(MendTest, ACheckoutIsMadeWhatItsCommitSays) {
    const auto before = status_of(checkout / "bin").st_ino;
    std::filesystem::remove(checkout / "etc/hello.conf");
    write(checkout / "bin/added", "not of the commit");
    std::filesystem::remove(checkout / "link");
    std::filesystem::create_symlink("/bin/sh", checkout / "link");
    std::filesystem::remove(checkout / "bin/hello");
    write(checkout / "bin/hello", "#!/bin/sh\necho other\n");
    std::filesystem::remove(checkout / "empty");
    std::filesystem::create_directory(checkout / "empty");
    must(device().checkout(id, checkout));
    expect_good();
    EXPECT_EQ(must(file::list(checkout / "bin")), std::vector<std::string>{"hello"});
    EXPECT_EQ(status_of(checkout / "bin").st_ino, before) << "an app may be running from it";
}

TEST_F(MendTest, ACheckoutsDirectoriesGetTheirModesBack) {
    ASSERT_EQ(::chmod((checkout / "etc").c_str(), 0777), 0);
    std::filesystem::remove_all(checkout / "bin");
    must(device().checkout(id, checkout));
    expect_good();
    EXPECT_EQ(status_of(checkout / "etc").st_mode & 07777, status_of(tree / "etc").st_mode & 07777);
}

TEST_F(MendTest, ACheckoutWhoseObjectIsGoneIsSaidToBeSo) {
    std::filesystem::remove(checkout / "bin/hello");
    std::filesystem::remove(object(".file"));
    std::filesystem::remove(object(".file"));
    EXPECT_THAT(device().checkout(id, checkout), FailsWith(Code::Corrupt, HasSubstr("cannot be mended")));
}

}  // namespace
}  // namespace davit::ostree
