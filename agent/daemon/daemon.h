#pragma once
/// davitd put together: configuration, journal, threads. See architecture, "Threads".

#include "agent/config.h"
#include "common/file.h"
#include "common/result.h"
#include "containers/bundle.h"

namespace davit {

struct DaemonPaths {
    Path root = "/";  ///< where configuration, keys and policy are read
    Path libexec;     ///< where davit-launch and davit-ostree are
    DevicePaths device;
};

/// Runs until SIGTERM or SIGINT. Apps are units of their own and are not touched by its end.
/// Errors: what kept it from starting.
Result<void> run_daemon(const Config& config, const DaemonPaths& paths);

}  // namespace davit
