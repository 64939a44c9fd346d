#pragma once
/// What a source (hawkBit today) asks of this device, in Davit's own words. Plain values that survive a restart in the
/// journal.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "containers/manifest.h"

namespace davit {

/// One app of a deployment.
struct Part {
    std::string app;  ///< name; also the ref unless `ref` says otherwise
    std::string version;
    std::string commit;                   ///< 64 hex digits; empty only when `remove`
    std::string ref;                      ///< expected ref binding; never empty after parsing
    std::string repository;               ///< URL; empty: the one of the configuration
    bool remove = false;                  ///< take this app off the device
    std::optional<LegacyOptions> legacy;  ///< options that the server's metadata gives for FullMetalUpdate's form

    bool operator==(const Part&) const = default;
};

struct Deployment {
    std::string id;  ///< hawkBit's action id, opaque
    std::vector<Part> parts;
    bool download_only = false;  ///< get everything ready; another deployment will switch to it
    bool local = false;          ///< somebody at the device asked for it: no server waits for its result

    bool operator==(const Deployment&) const = default;
};

/// For the journal.
std::string to_json(const Deployment& deployment);
Result<Deployment> deployment_from_json(std::string_view text);

/// How a deployment ended.
struct Outcome {
    bool success = false;
    std::string message;  ///< one sentence for a person
    std::string cause;    ///< machine-readable, kebab case: "app-failed", "untrusted", "no-space"; "downloaded" when a
                          ///< download-only deployment succeeded, else empty on success

    /// It was stopped because somebody wanted that, before it changed anything: neither success nor failure.
    [[nodiscard]] bool canceled() const { return cause == "canceled"; }
    /// Everything is here, nothing was switched, as it was asked.
    [[nodiscard]] bool downloaded() const { return cause == "downloaded"; }
};

/// The `cause` that an error code stands for: "app-failed".
std::string cause(Code code);

}  // namespace davit
