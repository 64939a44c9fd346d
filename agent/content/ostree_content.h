#pragma once
/// Content by OSTree: jobs for the `davit-ostree` worker, and the bundles that it checked out.

#include "agent/config.h"
#include "agent/engine/seams.h"
#include "agent/local.h"
#include "containers/policy.h"
#include "ostree/worker.h"

namespace davit {

/// Owned by the engine's worker thread.
class OstreeContent : public Content {
public:
    /// @param ostree_program davit-ostree; davit-http lies beside it
    /// @param root "/" on a device: where keys and policy are read
    OstreeContent(Config config, DevicePaths paths, Path ostree_program, Path root);

    /// Which app version a place at the device holds; its commit is verified. Errors: those of the fetch; Untrusted;
    /// InvalidInput when it is no app.
    Result<Part> look(const Origin& origin, std::stop_token stop);

    Result<Cost> inspect(const Part& part, std::stop_token stop) override;
    Result<void> pull(const Part& part, std::stop_token stop, const OnProgress& progress) override;
    Result<void> checkout(const Part& part, std::stop_token stop) override;
    Result<Bundle> bundle(const AppVersion& app) override;
    Result<void> keep_only(const std::vector<AppVersion>& keep, std::stop_token stop) override;
    Result<std::uint64_t> free_bytes() override;

private:
    [[nodiscard]] Result<ostree::Source> source(const Part& part) const;
    [[nodiscard]] Error explained(const Error& error, const Part& part, const ostree::Source& from) const;

    Config config_;
    DevicePaths paths_;
    Path root_, http_program_;
    ostree::Worker worker_;
};

}  // namespace davit
