#pragma once
/// Looking at a bundle's `rootfs/` from outside, as the container will see it from inside.

#include <optional>
#include <string_view>

#include "common/file.h"

namespace davit::rootfs {

/// Where @p inside (absolute) leads within @p rootfs, following symbolic links as after a chroot: "/bin/sh" ->
/// "<rootfs>/usr/bin/busybox". nullopt if nothing is there, or if links run in a circle. The result lies below @p
/// rootfs and its last part is no link.
std::optional<Path> resolve(const Path& rootfs, std::string_view inside);

bool is_directory(const Path& rootfs, std::string_view inside);  ///< a directory, links followed within the rootfs

}  // namespace davit::rootfs
