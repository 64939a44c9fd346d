#include "hawkbit/mgmt/answers.h"

#include <nlohmann/json.hpp>

namespace davit::mgmt {

Result<Module> read_module(const json::Reader& entry) {
    return Module{.id = TRY(entry.need_integer("id")),
                  .name = TRY(entry.need_string("name")),
                  .version = TRY(entry.need_string("version")),
                  .type = TRY(entry.need_string("type"))};
}

Result<MetadataEntry> read_metadata(const json::Reader& entry) {
    return MetadataEntry{.key = TRY(entry.need_string("key")),
                         .value = TRY(entry.get_string("value")).value_or(""),
                         .target_visible = TRY(entry.get_boolean("targetVisible")).value_or(false)};
}

Result<DistributionSet> read_set(const json::Reader& entry) {
    return DistributionSet{.id = TRY(entry.need_integer("id")),
                           .name = TRY(entry.need_string("name")),
                           .version = TRY(entry.need_string("version")),
                           .type = TRY(entry.get_string("type")).value_or(""),
                           .modules = {}};
}

Result<Target> read_target(const json::Reader& entry) {
    Target target;
    target.controller_id = TRY(entry.need_string("controllerId"));
    target.name = TRY(entry.get_string("name")).value_or(target.controller_id);
    target.update_status = TRY(entry.get_string("updateStatus")).value_or("unknown");
    target.security_token = TRY(entry.get_string("securityToken")).value_or("");
    target.address = TRY(entry.get_string("ipAddress")).value_or("");
    target.last_request_ms = TRY(entry.get_integer("lastControllerRequestAt")).value_or(0);
    return target;
}

Result<Action> read_action(const json::Reader& entry) {
    Action action;
    action.id = TRY(entry.need_integer("id"));
    action.force_type = TRY(entry.get_string("forceType")).value_or("");
    action.created_ms = TRY(entry.get_integer("createdAt")).value_or(0);
    const auto status = TRY(entry.need_string("status"));
    const auto detail = TRY(entry.get_string("detailStatus"));
    const auto active = TRY(entry.get_boolean("active"));
    // 1.0 and later say `active` and the real status. Before, `status` is "pending" or "finished" (also after an
    // error), the real one is in `detailStatus`, and 0.3.0M7 has neither.
    action.active = active.value_or(status == "pending");
    action.status = active ? status : detail.value_or("");
    return action;
}

Result<ActionStatus> read_action_status(const json::Reader& entry) {
    ActionStatus status;
    status.type = TRY(entry.need_string("type"));
    status.reported_ms = TRY(entry.get_integer("reportedAt")).value_or(0);
    for (const auto& message : TRY(entry.get_array("messages"))) {
        if (!message.raw().is_null()) status.messages.push_back(TRY(message.as_string()));  // 0.3.0M7 has nulls here
    }
    return status;
}

Result<Assigned> read_assigned(const json::Reader& answer) {
    Assigned result;
    result.assigned = TRY(answer.get_integer("assigned")).value_or(0);
    result.already_assigned = TRY(answer.get_integer("alreadyAssigned")).value_or(0);
    const auto actions = TRY(answer.get_array("assignedActions"));
    if (!actions.empty()) result.action = TRY(actions.front().need_integer("id"));
    return result;
}

Result<std::map<std::string, std::string>> read_attributes(const json::Reader& answer) {
    std::map<std::string, std::string> attributes;
    for (const auto& key : answer.members())
        attributes[key] = TRY(answer.need_string(key));
    return attributes;
}

}  // namespace davit::mgmt
