#pragma once
/// Reading of the Management API's answers. Private to this room. Errors: InvalidInput with the path in the answer.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/json.h"
#include "hawkbit/mgmt/client.h"

namespace davit::mgmt {

Result<Module> read_module(const json::Reader& entry);
Result<MetadataEntry> read_metadata(const json::Reader& entry);
Result<DistributionSet> read_set(const json::Reader& entry);
Result<Target> read_target(const json::Reader& entry);
/// The status is empty where an old server's answer does not tell it.
Result<Action> read_action(const json::Reader& entry);
Result<ActionStatus> read_action_status(const json::Reader& entry);

/// What an assignment did.
struct Assigned {
    std::optional<std::int64_t> action;  ///< the new action, where the server says it (0.3.0 and later)
    std::int64_t assigned = 0;
    std::int64_t already_assigned = 0;
};
Result<Assigned> read_assigned(const json::Reader& answer);

Result<std::map<std::string, std::string>> read_attributes(const json::Reader& answer);

}  // namespace davit::mgmt
