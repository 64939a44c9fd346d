#pragma once
/// What the worker is given to do, one after the other: deployments of the server, and what people at the device ask
/// for.

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "agent/link/link.h"
#include "agent/local.h"

namespace davit {

/// Apps from places at the device. What they hold is found out by the worker, since that may need the network.
struct Install {
    std::string id;  ///< of the deployment
    std::vector<Origin> origins;
    Downgrade downgrade = Downgrade::Refuse;
};

struct AppOrder {
    std::string id;  ///< for Turns
    AppVerb verb = AppVerb::Start;
    std::string app;
    std::function<void(Result<std::string>)> done;  ///< called on the worker
};

using Task = std::variant<Offer, Install, AppOrder>;

}  // namespace davit
