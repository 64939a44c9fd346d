#pragma once
/// Durable files: the few operations on which "a power cut leaves the old or the new state" rests.
///
/// Every function names the path in its error. Thread-safe (no state). Nothing here follows a policy; the order of
/// calls that durability needs is said where it happens (agent/generations).

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace davit {
using Path = std::filesystem::path;
}

namespace davit::file {

/// The whole content. Errors: NotFound; System; InvalidInput when larger than @p limit bytes.
Result<std::string> read(const Path& path, std::size_t limit = 16u << 20);

/// Replaces @p path by @p content through a temporary name in the same directory, fsync of file and directory: old or
/// new, never half.
Result<void> write_durably(const Path& path, std::string_view content, unsigned mode = 0644);

/// The same without fsync, for /run.
Result<void> write_atomically(const Path& path, std::string_view content, unsigned mode = 0644);

Result<void> make_directories(const Path& path, unsigned mode = 0755);
Result<void> symlink(const Path& target, const Path& link);
Result<std::optional<Path>> read_link(const Path& link);  ///< nullopt if there is no such link
Result<void> rename(const Path& from, const Path& to);    ///< replaces @p to atomically
Result<void> remove_if_there(const Path& path);           ///< one file or link; fine if absent
Result<void> remove_tree(const Path& path);               ///< everything below; does not follow links; fine if absent
bool exists(const Path& path);                            ///< without following a final link
Result<std::vector<std::string>> list(const Path& directory);  ///< names, sorted; empty if the directory is absent

Result<void> sync_directory(const Path& directory);       ///< fsync of the directory: its names are durable
Result<void> sync_filesystem(const Path& directory);      ///< syncfs: everything written to that file system is durable
Result<std::uint64_t> free_bytes(const Path& directory);  ///< available to root, in bytes

}  // namespace davit::file
