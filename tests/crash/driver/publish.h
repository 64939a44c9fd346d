#pragma once
/// The server's side: a signed repository with a few releases of two small apps.

#include <nlohmann/json_fwd.hpp>

#include "common/file.h"
#include "common/result.h"

namespace davit::crash {

/// Publishes everything into @p world (repository `served/`, trusted keys below `root/`), and leaves the trees as they
/// were committed in `trees/<app>-<version>/`.
/// @return label ("hello 2") to the part of a deployment that installs it
Result<nlohmann::json> publish(const Path& world);

}  // namespace davit::crash
