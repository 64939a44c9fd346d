#include "bundles.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <format>
#include <fstream>
#include <stdexcept>

#include "ostree/signature.h"

namespace davit::test {
namespace {

namespace fs = std::filesystem;

/// A root file system in which a container can start.
void make_rootfs(const Path& rootfs, std::string_view content) {
    fs::remove_all(rootfs.parent_path());
    for (const auto* directory : {"proc", "dev", "sys", "run", "tmp", "bin"})
        fs::create_directories(rootfs / directory);
    write(rootfs / "bin/hello", content);
    fs::permissions(rootfs / "bin/hello", fs::perms{0755});
}

}  // namespace

void write(const Path& path, std::string_view content) {
    std::ofstream file(path, std::ios::binary);
    file << content;
    if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

Workshop::Workshop() {
    auto name = (Path(testing::TempDir()) / "davit-cli-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a directory for the test");
    root_ = name;
    if (const auto made = make_key_pair(path("release")); !made) throw std::runtime_error(made.error().message);
}

Workshop::~Workshop() {
    fs::remove_all(root_);
}

Path Workshop::bundle(const std::string& name, const std::string& version, const std::string& extra) const {
    const auto directory = path("bundle-" + name);
    make_rootfs(directory / "rootfs", "#!/bin/sh\necho " + version + "\n");
    write(directory / "davit.json",
          std::format(R"({{"schema":1,"name":"{}","version":"{}","process":{{"args":["/bin/hello"]}}{}}})", name,
                      version, extra));
    return directory;
}

Path Workshop::legacy_bundle(const std::string& name) const {
    const auto directory = path("legacy-" + name);
    make_rootfs(directory / "rootfs", "#!/bin/sh\n");
    write(
        directory / "config.json",
        R"({"ociVersion":"1.0.2","process":{"args":["/bin/hello"],"cwd":"/","env":[],"user":{"uid":0,"gid":0}},"root":{"path":"rootfs"}})");
    return directory;
}

cli::CommitOptions Workshop::commit_options(const Path& bundle) const {
    return {.directory = bundle,
            .name = {},
            .version = {},
            .key = key(),
            .repository = repository(),
            .ref = {},
            .timestamp = 1'700'000'000};
}

std::string Workshop::commit(const std::string& name, const std::string& version, const std::string& extra) const {
    const auto committed =
        cli::commit_app(commit_options(bundle(name, version, extra)), [](const char*) { return std::nullopt; });
    if (!committed) throw std::runtime_error(committed.error().message);
    return committed->commit;
}

}  // namespace davit::test
