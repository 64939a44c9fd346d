#pragma once
/// A directory that goes away with the test. In memory where the machine has a place for it: these tests sync often,
/// and what a disk does with that is not what they are about.

#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "common/file.h"

namespace davit::test {

class Scratch {
public:
    Scratch() {
        const bool has_memory = ::access("/dev/shm", W_OK) == 0;
        std::string name = (has_memory ? std::string("/dev/shm/") : testing::TempDir()) + "davit-agent-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot create " + name);
        path_ = name;
    }
    ~Scratch() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    [[nodiscard]] const Path& path() const { return path_; }

private:
    Path path_;
};

}  // namespace davit::test
