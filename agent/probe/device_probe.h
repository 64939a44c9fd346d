#pragma once
/// Asks an app how it is, from the device it runs on.

#include <string>

#include "agent/engine/seams.h"
#include "common/file.h"

namespace davit {

/// Not thread-safe: owned by the worker, which it blocks for at most the check's time-out.
class DeviceProbe : public Probe {
public:
    /// @param http the program davit-http, for `http` checks
    /// @param runtime the OCI runtime that started the containers, for `exec` checks
    /// @param run where the runtime may write its PID file (DevicePaths::run)
    DeviceProbe(Path http, std::string runtime, Path run = DevicePaths{}.run);

    /// A check without http, tcp and exec is passed.
    Result<void> probe(const std::string& app, const HealthCheck& check) override;

private:
    Result<void> probe_http(const std::string& url, Milliseconds timeout);
    Result<void> probe_exec(const std::string& app, const HealthCheck& check);

    Path http_;
    std::string runtime_;
    Path run_;
};

}  // namespace davit
