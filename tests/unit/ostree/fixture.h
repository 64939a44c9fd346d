#pragma once
/// What the tests of the OSTree room share: a directory of their own, an app to commit, keys, a publisher and a device
/// repository.

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "common/file.h"
#include "ostree/repository.h"
#include "ostree/signature.h"
#include "tests/unit/common/support.h"

namespace davit::test {

/// The value, or the end of the test with the error's text.
template <typename T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error(std::string(name(result.error().code)) + ": " + result.error().message);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

inline void write(const Path& path, std::string_view content) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
}

inline std::string read(const Path& path) {
    return must(file::read(path));
}

/// Bytes that do not compress, the same for the same seed.
std::string noise(std::size_t size, unsigned seed);

struct stat status_of(const Path& path);

class OstreeTest : public testing::Test {
protected:
    OstreeTest();

    /// Commits @p tree as @p ref into the publisher's repository, signs it with `publisher.key`, and pushes it to
    /// `served/`.
    std::string publish(const Path& tree, const std::string& ref, const std::string& version = "1");
    /// Commits without signing or pushing.
    std::string commit(const Path& tree, const std::string& ref, const std::string& version = "1");
    ostree::Repository publisher();
    ostree::Repository device();
    std::vector<TrustedKey> trusted();
    [[nodiscard]] ostree::PullRequest request(const std::string& ref, const std::string& id) const;

    const TemporaryDirectory temporary;
    const Path dir = temporary.path();
    Path tree;    ///< a small app: bin/hello, etc/hello.conf, empty, link
    Path served;  ///< the archive repository that devices pull from
    Path keys;    ///< publisher.pub, which is trusted for every app
};

}  // namespace davit::test
