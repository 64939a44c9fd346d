#pragma once
/// The systemd unit of an app, as text.

#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"
#include "containers/bundle.h"

namespace davit {

/// "davit-app-hello.service"
std::string unit_name(std::string_view app);
/// "hello" of "davit-app-hello.service"; nullopt for every other unit.
std::optional<std::string> app_of_unit(std::string_view unit);

/// What all units of this device have in common.
struct UnitOptions {
    DevicePaths paths;
    Path libexec;                  ///< where davit-launch is
    std::string runtime = "runc";  ///< the OCI runtime that davit-launch starts
};

/// The unit of @p bundle's app. Pure: the same manifest and options give the same text. Neither commit nor version is
/// in it, so that a new version whose manifest asks for the same needs no daemon-reload.
/// Errors: InvalidInput when the manifest holds something that a unit cannot carry (a manifest that parse_manifest()
/// accepted never does).
Result<std::string> unit_text(const Bundle& bundle, const UnitOptions& options);

}  // namespace davit
