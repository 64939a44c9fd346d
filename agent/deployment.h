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
    bool downgrade = false;               ///< it may be older than what was kept here before (see Manifest::sequence)
    std::optional<LegacyOptions> legacy;  ///< options that the server's metadata gives for FullMetalUpdate's form

    bool operator==(const Part&) const = default;
};

/// When the source wants a step to happen. It may change its mind while the deployment is under way.
enum class When {
    Now,          ///< at once, whatever people at the device would like (hawkBit: forced)
    WhenAllowed,  ///< as soon as nobody at the device minds (hawkBit: soft)
    NotYet,       ///< not before the source says so (hawkBit: skip, a closed maintenance window)
};

struct Terms {
    When download = When::Now;
    When update = When::Now;  ///< the switch

    bool operator==(const Terms&) const = default;
};

struct Deployment {
    std::string id;  ///< hawkBit's action id, opaque
    std::vector<Part> parts;
    bool download_only = false;  ///< get everything ready; another deployment will switch to it
    bool local = false;          ///< somebody at the device asked for it: no server waits for its result
    bool confirm = false;        ///< not without the yes of somebody at the device
    Terms terms = {};            ///< as they were when it was offered; see Permission for what became of them

    bool operator==(const Deployment&) const = default;
};

/// The same work, whatever was said about when to do it and whom to ask.
bool is_same_work(const Deployment& one, const Deployment& other);

/// For the journal.
std::string to_json(const Deployment& deployment);
Result<Deployment> deployment_from_json(std::string_view text);

/// How a deployment ended.
struct Outcome {
    bool success = false;
    std::string message;  ///< one sentence for a person
    std::string cause;    ///< machine-readable, kebab case: "app-failed", "untrusted", "no-space"; "downloaded" when a
                          ///< download-only deployment succeeded, "denied", "confirmed"; else empty on success

    /// It was stopped because somebody wanted that, before it changed anything: neither success nor failure.
    [[nodiscard]] bool canceled() const { return cause == "canceled"; }
    /// Everything is here, nothing was switched, as it was asked.
    [[nodiscard]] bool downloaded() const { return cause == "downloaded"; }
    /// Somebody at the device said no, before it changed anything.
    [[nodiscard]] bool denied() const { return cause == "denied"; }
    /// No end yet: somebody at the device said yes, which the server is waiting for.
    [[nodiscard]] bool confirmed() const { return cause == "confirmed"; }
};

/// The `cause` that an error code stands for: "app-failed".
std::string cause(Code code);

}  // namespace davit
