#pragma once
/// Apps that are not well, for hawkBit's attributes.

#include <map>
#include <string>

#include "agent/engine/seams.h"
#include "containers/bundle.h"

namespace davit {

/// "restarting (5 times)", "failed: it ended with exit code 3"; empty when @p state is nothing to tell.
std::string trouble(const Apps::State& state, MonotonicTime now);

/// `app.<name>.state` of each app that is in trouble. An app that never crashed since boot costs nothing: davit-launch
/// has left a note of those that did (DevicePaths::last_end), and only for them systemd is asked. Reads only; any
/// thread.
std::map<std::string, std::string> states_of_troubled_apps(const DevicePaths& paths, MonotonicTime now);

}  // namespace davit
