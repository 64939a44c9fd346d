#pragma once
/// The OCI runtime program, runc or crun, as far as the launcher needs it.

#include <string>
#include <vector>

#include "common/file.h"
#include "common/result.h"

namespace davit {

class Runtime {
public:
    /// @param program "runc", "crun", or a path
    /// @param state_root where it keeps a directory per container
    Runtime(std::string program, Path state_root) : program_(std::move(program)), state_root_(std::move(state_root)) {}
    /// With the state below /run, where root's runc and crun keep it.
    explicit Runtime(const std::string& program) : Runtime(program, Path("/run") / Path(program).filename()) {}

    /// Removes what is left of container @p id, so that the id can be used again. Does nothing, fast, when nothing is
    /// left.
    Result<void> forget(const std::string& id) const;

    /// Replaces this process by the runtime that starts container @p id. Returns only when that fails.
    [[nodiscard]] Error exec_run(const std::string& id, const Path& bundle,
                                 const std::vector<std::string>& options) const;

private:
    std::string program_;
    Path state_root_;
};

}  // namespace davit
