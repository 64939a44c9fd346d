#pragma once
/// What hawkBit is told about this device: hardware model, architecture, OS, kernel, agent version, each app's version.

#include <map>
#include <string>
#include <vector>

#include "agent/generations.h"
#include "common/file.h"

namespace davit {

/// Keys: davit.version, hw.model, hw.arch, os.name, os.kernel, app.<name>; then @p extra, which wins. Facts that this
/// machine does not tell are left out.
/// @param root "/" on a device
std::map<std::string, std::string> device_attributes(const Path& root, const std::vector<AppVersion>& apps,
                                                     const std::map<std::string, std::string>& extra);

}  // namespace davit
