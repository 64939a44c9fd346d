#pragma once
/// Standard output, for the verbs.

#include <cstdio>
#include <string_view>

namespace davit::ctl {

inline void print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);  // whoever reads a pipe sees each answer when it is there
}

}  // namespace davit::ctl
