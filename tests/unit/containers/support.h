#pragma once
/// Bundles on disk for tests.

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "containers/bundle.h"

namespace davit::test {

/// An empty directory of this test's own.
inline Path fresh_directory() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string(test->test_suite_name()) + "." + test->name();
    for (auto& c : name) {
        if (c == '/') c = '_';
    }
    const auto directory = Path(testing::TempDir()) / "davit-containers" / name;
    std::filesystem::remove_all(directory);
    std::filesystem::create_directories(directory);
    return directory;
}

inline void write(const Path& file, std::string_view content) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << content;
}

inline nlohmann::json hello_manifest() {
    return {{"schema", 1}, {"name", "hello"}, {"version", "1.2.0"}, {"process", {{"args", {"/bin/hello"}}}}};
}

/// A bundle that passes every check; tests break one thing of it.
class BundleDirectory {
public:
    explicit BundleDirectory(Path root) : root_(std::move(root)) {
        for (const auto* name : {"proc", "dev", "sys", "run", "tmp", "bin", "etc"})
            std::filesystem::create_directories(rootfs() / name);
        write(rootfs() / "bin/hello", "#!");
        std::filesystem::permissions(rootfs() / "bin/hello", std::filesystem::perms(0755));
    }

    [[nodiscard]] const Path& path() const { return root_; }
    [[nodiscard]] Path rootfs() const { return root_ / "rootfs"; }
    void manifest(const nlohmann::json& manifest) const { write(root_ / "davit.json", manifest.dump()); }
    void config(const nlohmann::json& config) const { write(root_ / "config.json", config.dump()); }
    [[nodiscard]] Result<Bundle> read(const LegacyOptions& legacy = {}) const {
        return read_bundle(root_, "hello", "7", legacy);
    }

private:
    Path root_;
};

}  // namespace davit::test
