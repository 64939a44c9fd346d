#pragma once
/// In which order apps start, and who depends on whom. For publishers, who learn of mistakes at their desk, and for
/// devices.

#include <set>
#include <string>
#include <vector>

#include "containers/bundle.h"

namespace davit {

/// The names of @p apps so that each comes after those it names in `after`, `wants` and `requires`; else by name. They
/// stop in the reverse order. Apps that are not in the set do not matter. Errors: InvalidInput naming the circle.
Result<std::vector<std::string>> start_order(const std::vector<Bundle>& apps);

/// "app requires other, which is not there".
struct Missing {
    std::string app, other;

    bool operator==(const Missing&) const = default;
};
/// What @p apps require and do not contain.
std::vector<Missing> missing_requirements(const std::vector<Bundle>& apps);
/// The same for `wants`: worth a warning to a publisher.
std::vector<Missing> missing_wants(const std::vector<Bundle>& apps);

/// Those of @p apps that require one of @p changed, directly or through others: systemd restarts them with it.
std::set<std::string> dependants(const std::vector<Bundle>& apps, const std::set<std::string>& changed);

}  // namespace davit
