#include "tests/crash/driver/publish.h"

#include <sys/stat.h>
#include <unistd.h>

#include <format>
#include <fstream>
#include <random>

#include <nlohmann/json.hpp>

#include "agent/deployment.h"
#include "ostree/repository.h"
#include "ostree/signature.h"

namespace davit::crash {
namespace {

namespace fs = std::filesystem;

struct Release {
    std::string app, version;
    std::string says = version;  ///< the version in its davit.json
    bool is_signed = true;
};

void write(const Path& path, std::string_view content, unsigned mode = 0644) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    ::chmod(path.c_str(), mode);
}

/// Bytes that do not compress, the same for the same seed.
std::string noise(std::size_t size, const std::string& seed) {
    std::seed_seq numbers(seed.begin(), seed.end());
    std::mt19937_64 random(numbers);
    std::string bytes(size, '\0');
    for (auto& byte : bytes)
        byte = static_cast<char>(random());
    return bytes;
}

/// Small, and with everything that a file system can get wrong: names for one file, a setuid program, another owner, an
/// empty file, links, directories without content, more than one block.
void make_tree(const Path& tree, const Release& release) {
    const auto rootfs = tree / "rootfs";
    for (const auto* directory : {"proc", "dev", "sys", "run", "tmp", "bin", "share/empty"})
        fs::create_directories(rootfs / directory);
    const auto label = release.app + " " + release.version;
    write(rootfs / "bin" / release.app, "#!/bin/sh\necho " + label + "\n" + noise(40'000, label), 0755);
    write(rootfs / "bin/helper", "#!/bin/sh\necho helper of " + label + "\n", 04755);
    fs::create_hard_link(rootfs / "bin/helper", rootfs / "bin/helper-by-another-name");
    fs::create_symlink(release.app, rootfs / "bin/start");
    write(rootfs / "share/nothing", "");
    write(rootfs / "share/always-the-same", noise(9'000, release.app));
    write(rootfs / "share/theirs", "belongs to " + label);
    if (::lchown((rootfs / "share/theirs").c_str(), 1000, 1000) != 0) ::abort();
    for (int i = 0; i < 6; ++i)
        write(rootfs / std::format("share/part-{}", i), noise(1'000, std::format("{} {}", label, i)));
    write(tree / "davit.json",
          std::format(R"({{"schema":1,"name":"{}","version":"{}","process":{{"args":["/bin/{}"]}},)"
                      R"("health":{{"http":"http://127.0.0.1:8080/","every":"5s","stays_up":"10s"}}}})",
                      release.app, release.says, release.app));
}

Result<nlohmann::json> publish_one(const Path& world, ostree::Repository& repository, const Release& release) {
    const auto tree = world / "trees" / (release.app + "-" + release.version);
    make_tree(tree, release);
    const auto commit = TRY(repository.commit({.directory = tree,
                                               .ref = release.app,
                                               .version = release.version,
                                               .subject = release.app,
                                               .timestamp = 1'700'000'000,
                                               .metadata = {}}));
    if (release.is_signed) TRY(repository.sign(commit, TRY(SigningKey::read(world / "publisher.key"))));
    TRY(repository.push_to(world / "served", release.app, commit));
    Part part;
    part.app = release.app;
    part.version = release.version;
    part.commit = commit;
    part.ref = release.app;
    part.repository = "file://" + (world / "served").string();
    return nlohmann::json::parse(to_json(Deployment{.id = "1", .parts = {part}})).at("parts").at(0);
}

}  // namespace

Result<nlohmann::json> publish(const Path& world) {
    TRY(file::make_directories(world / "root/etc/davit/keys.d"));
    TRY(make_key_pair(world / "publisher"));
    fs::copy(world / "publisher.pub", world / "root/etc/davit/keys.d/publisher.pub");
    auto repository = TRY(ostree::Repository::open_or_create(world / "publisher-repo", ostree::Mode::Archive));
    auto parts = nlohmann::json::object();
    for (const auto& release : std::vector<Release>{{.app = "hello", .version = "1"},
                                                    {.app = "hello", .version = "2"},
                                                    {.app = "hello", .version = "3"},
                                                    {.app = "hello", .version = "4", .says = "5"},
                                                    {.app = "hello", .version = "6", .is_signed = false},
                                                    {.app = "ticker", .version = "1"},
                                                    {.app = "ticker", .version = "2"}}) {
        parts[release.app + " " + release.version] = TRY(publish_one(world, repository, release));
    }
    return parts;
}

}  // namespace davit::crash
