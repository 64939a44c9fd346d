#include "containers/detail/rootfs.h"

#include <vector>

namespace davit::rootfs {
namespace {

/// Puts the parts of @p path on top of @p todo, the first one last.
void push_parts(std::vector<Path>& todo, const Path& path) {
    const auto relative = path.relative_path();
    std::vector<Path> parts(relative.begin(), relative.end());
    todo.insert(todo.end(), parts.rbegin(), parts.rend());
}

}  // namespace

std::optional<Path> resolve(const Path& rootfs, std::string_view inside) {
    constexpr int kMostLinks = 40;  // as the kernel
    int links = 0;
    Path at = "/";
    std::vector<Path> todo;
    push_parts(todo, inside);
    while (!todo.empty()) {
        const Path part = std::move(todo.back());
        todo.pop_back();
        if (part.empty() || part == ".") continue;
        if (part == "..") {
            at = at.parent_path();
            continue;
        }
        const Path next = rootfs / (at / part).relative_path();
        std::error_code error;
        const auto status = std::filesystem::symlink_status(next, error);
        if (!std::filesystem::exists(status)) return std::nullopt;
        if (!std::filesystem::is_symlink(status)) {
            at /= part;
            continue;
        }
        const auto target = std::filesystem::read_symlink(next, error);
        if (error || ++links > kMostLinks) return std::nullopt;
        if (target.is_absolute()) at = "/";
        push_parts(todo, target);
    }
    return rootfs / at.relative_path();
}

bool is_directory(const Path& rootfs, std::string_view inside) {
    const auto path = resolve(rootfs, inside);
    std::error_code error;
    return path && std::filesystem::is_directory(*path, error);
}

}  // namespace davit::rootfs
