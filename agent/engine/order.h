#pragma once
/// In which order apps start.

#include <string>
#include <vector>

#include "containers/bundle.h"

namespace davit {

/// The names of @p apps so that each comes after those it names in `after`, `wants` and `requires`; else by name. Apps
/// that are not in the set do not matter, except in `requires`. Errors: InvalidInput naming the circle, or the app that
/// is required and missing.
Result<std::vector<std::string>> start_order(const std::vector<Bundle>& apps);

}  // namespace davit
