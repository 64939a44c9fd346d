#pragma once
/// `davit app commit`: a directory becomes a signed commit that a device will take; `davit app export`: that becomes a
/// file.

#include <cstdint>
#include <optional>
#include <string>

#include "cli/login.h"
#include "common/file.h"
#include "common/result.h"

namespace davit::cli {

struct CommitOptions {
    Path directory;                      ///< the bundle: rootfs/ with davit.json or config.json
    std::optional<std::string> name;     ///< needed without davit.json; must equal davit.json's otherwise
    std::optional<std::string> version;  ///< the same
    Path key;
    Path repository;                         ///< the build repository, made when absent
    std::optional<std::string> ref;          ///< default: the app's name
    std::optional<std::uint64_t> timestamp;  ///< else SOURCE_DATE_EPOCH, else the newest file's
};

struct Committed {
    std::string name, version, ref, commit;
    std::string warning;  ///< what a device with the default policy would refuse; empty if nothing
};

/// Checks the bundle, commits and signs it. The same directory and options give the same commit id, on any machine.
/// Errors: InvalidInput saying what a device would stumble over; those of the repository and the key. After an error
/// nothing was committed.
Result<Committed> commit_app(const CommitOptions& options, const Environment& environment);

struct ExportOptions {
    Path repository;  ///< the build repository
    std::string app;  ///< APP or APP=COMMIT
    Path file;        ///< default (empty): <app>-<version>.davit in the current directory
};
struct Exported {
    std::string name, version, commit;
    Path file;
    std::uint64_t bytes = 0;
};

/// `davit app export`: one version of an app as one file, for `davitctl install` on a device without a network. It is
/// signed as the commit is. Errors: those of read_release(); Untrusted when the commit is not signed.
Result<Exported> export_app(const ExportOptions& options);

std::string to_text(const Exported& exported);
std::string to_json(const Exported& exported);

std::string to_text(const Committed& committed);
std::string to_json(const Committed& committed);

}  // namespace davit::cli
