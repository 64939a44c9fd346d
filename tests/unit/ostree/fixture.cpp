#include "tests/unit/ostree/fixture.h"

#include <random>

namespace davit::test {

namespace fs = std::filesystem;

std::string noise(std::size_t size, unsigned seed) {
    std::mt19937_64 random(seed);
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<char>(random());
    return bytes;
}

struct stat status_of(const Path& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) throw std::runtime_error("no such file: " + path.string());
    return status;
}

OstreeTest::OstreeTest() {
    tree = dir / "tree";
    served = dir / "served";
    keys = dir / "keys";
    write(tree / "bin/hello", "#!/bin/sh\necho hello\n");
    fs::permissions(tree / "bin/hello", fs::perms(0755));
    write(tree / "etc/hello.conf", "greeting = hello\n");
    write(tree / "empty", "");
    fs::create_symlink("bin/hello", tree / "link");
    fs::create_directories(keys);
    must(make_key_pair(dir / "publisher"));
    fs::copy(dir / "publisher.pub", keys / "publisher.pub");
}

ostree::Repository OstreeTest::publisher() {
    return must(ostree::Repository::open_or_create(dir / "publisher-repo", ostree::Mode::Archive));
}

ostree::Repository OstreeTest::device() {
    return must(ostree::Repository::open_or_create(dir / "device/repo", ostree::Mode::Bare, 1u << 20));
}

std::vector<TrustedKey> OstreeTest::trusted() {
    return must(read_trusted_keys(std::vector{keys}));
}

std::string OstreeTest::commit(const Path& directory, const std::string& ref, const std::string& version) {
    return must(publisher().commit({.directory = directory,
                                    .ref = ref,
                                    .version = version,
                                    .subject = ref,
                                    .timestamp = 1'700'000'000,
                                    .metadata = {}}));
}

std::string OstreeTest::publish(const Path& directory, const std::string& ref, const std::string& version) {
    const auto id = commit(directory, ref, version);
    must(publisher().sign(id, must(SigningKey::read(dir / "publisher.key"))));
    must(publisher().push_to(served, ref, id));
    return id;
}

ostree::PullRequest OstreeTest::request(const std::string& ref, const std::string& id) const {
    return {.url = "file://" + served.string(), .ref = ref, .commit = id, .ca_file = {}, .http_headers = {}};
}

}  // namespace davit::test
