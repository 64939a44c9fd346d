#pragma once
/// What is going to be published: commits of the build repository, read and checked before anything is changed
/// anywhere.

#include <map>
#include <string>
#include <vector>

#include "common/file.h"
#include "common/result.h"
#include "containers/manifest.h"
#include "hawkbit/mgmt/client.h"
#include "ostree/repository.h"

namespace davit::cli {

/// One app of a release.
struct AppRelease {
    std::string name;  ///< of the manifest, and of the software module
    std::string version;
    std::string ref;
    std::string commit;
    Manifest manifest;                            ///< with a name only for the form without davit.json
    std::map<std::string, std::string> metadata;  ///< of the software module, `commit` and `ref` included
};

/// `APP` (what the ref of that name is at), or `APP=COMMIT`.
/// Errors: NotFound when the repository has no such ref or commit; InvalidInput when the commit is another app's,
/// unsigned by ref, or has no version.
Result<AppRelease> read_release(const ostree::Repository& repository, const std::string& operand);

/// Whether the apps of a set go together, as a device will ask. @return warnings
/// Errors: InvalidInput naming a circle, or an app that is required and neither in the set nor in @p on_device.
Result<std::vector<std::string>> check_relations(const std::vector<AppRelease>& apps,
                                                 const std::vector<std::string>& on_device);

/// Adds `--meta` values: "KEY=VALUE" to every app, "APP:KEY=VALUE" to one. Errors: InvalidInput when malformed, when no
/// app is called so, or when the key is Davit's own (`commit`, `ref`, …).
Result<void> add_metadata(std::vector<AppRelease>& apps, const std::vector<std::string>& options);

}  // namespace davit::cli
