#pragma once
/// The unit's place in the cgroup tree, and this process's place in the unit.

#include <string>
#include <string_view>

#include "common/file.h"
#include "common/result.h"

namespace davit {

/// The unit's cgroup from the text of /proc/self/cgroup: "/davit.slice/davit-app-hello.service". The subgroup in which
/// systemd runs control processes (ExecStopPost) is left out. Error: Unsupported without cgroup v2.
Result<std::string> unit_cgroup(std::string_view proc_self_cgroup);

/// Where the cgroup v2 tree is mounted: /sys/fs/cgroup, or /sys/fs/cgroup/unified on a hybrid host. Error: Unsupported.
Result<Path> unified_mount();

/// Moves this process from the unit's cgroup to `rt` below it.
/// Needed because a cgroup that has processes cannot give controllers to its children: the runtime would make the
/// container's cgroup a threaded one without memory limit, and leak the container's id when it stops.
Result<void> move_to_subgroup(std::string_view unit);

}  // namespace davit
