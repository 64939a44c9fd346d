#include "containers/launch/cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <cerrno>
#include <format>

#include "common/fd.h"

namespace davit {

Result<std::string> unit_cgroup(std::string_view proc_self_cgroup) {
    for (std::size_t begin = 0; begin < proc_self_cgroup.size();) {
        const auto end = std::min(proc_self_cgroup.find('\n', begin), proc_self_cgroup.size());
        auto line = proc_self_cgroup.substr(begin, end - begin);
        begin = end + 1;
        if (!line.starts_with("0::/")) continue;
        line.remove_prefix(3);
        if (line.ends_with("/.control")) line.remove_suffix(9);
        return std::string(line);
    }
    return fail(Code::Unsupported, "this system has no cgroup v2 hierarchy");
}

Result<Path> unified_mount() {
    for (const auto* place : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
        struct statfs status{};
        if (statfs(place, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC) return Path(place);
    }
    return fail(Code::Unsupported, "no cgroup v2 hierarchy is mounted at /sys/fs/cgroup");
}

Result<void> move_to_subgroup(std::string_view unit) {
    const Path subgroup = TRY(unified_mount()) / Path(unit).relative_path() / "rt";
    if (mkdir(subgroup.c_str(), 0755) != 0 && errno != EEXIST) {
        return fail(system_error(std::format("cannot make the cgroup '{}'", subgroup.string()), errno));
    }
    const auto procs = subgroup / "cgroup.procs";
    const Fd file(open(procs.c_str(), O_WRONLY | O_CLOEXEC));
    // "0" is the writing process.
    if (!file || write(file.get(), "0", 1) != 1)
        return fail(system_error(std::format("cannot join the cgroup '{}'", subgroup.string()), errno));
    return {};
}

}  // namespace davit
