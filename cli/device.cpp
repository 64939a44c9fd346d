#include "cli/device.h"

#include <format>
#include <nlohmann/json.hpp>
#include <ranges>

#include "common/clock.h"

namespace davit::cli {
namespace {

constexpr std::size_t kShownActions = 5;

std::string name_of(const std::optional<mgmt::DistributionSet>& set) {
    return set ? std::format("{}:{}", set->name, set->version) : "-";
}

std::string time_of(std::int64_t ms) {
    return ms == 0 ? "never" : iso_time(ms);
}

nlohmann::ordered_json or_null(const std::optional<mgmt::DistributionSet>& set) {
    if (!set) return nullptr;
    return {{"name", set->name}, {"version", set->version}};
}

}  // namespace

Result<DeviceView> view_device(const std::string& target, mgmt::Client& hawkbit) {
    DeviceView device;
    auto found = hawkbit.target(target);
    if (!found && found.error().code == Code::NotFound)
        return fail(Code::NotFound, std::format("hawkBit has no target '{}'", target));
    device.target = TRY(std::move(found));
    device.attributes = TRY(hawkbit.attributes(target));
    device.actions = TRY(hawkbit.actions(target));
    if (!device.actions.empty()) {
        const auto history = TRY(hawkbit.action_status(target, device.actions.front().id));
        if (!history.empty()) device.last_messages = history.front().messages;
    }
    return device;
}

std::string to_text(const DeviceView& device) {
    const auto& target = device.target;
    auto text = std::format("{}  {}\n  last seen  {}  {}\n  assigned   {}\n  installed  {}\n", target.controller_id,
                            target.update_status, time_of(target.last_request_ms), target.address,
                            name_of(target.assigned), name_of(target.installed));
    if (!device.attributes.empty()) text += "attributes\n";
    for (const auto& [key, value] : device.attributes)
        text += std::format("  {:<16} {}\n", key, value);
    if (!device.actions.empty()) text += "actions\n";
    for (const auto& action : device.actions | std::views::take(kShownActions)) {
        text += std::format("  {:<6} {}  {:<10} {}\n", action.id, time_of(action.created_ms), action.status,
                            action.force_type);
        if (&action != &device.actions.front()) continue;
        for (const auto& message : device.last_messages)
            text += std::format("         {}\n", message);
    }
    return text;
}

std::string to_json(const DeviceView& device) {
    const auto& target = device.target;
    auto actions = nlohmann::ordered_json::array();
    for (const auto& action : device.actions) {
        actions.push_back({{"id", action.id},
                           {"status", action.status},
                           {"active", action.active},
                           {"type", action.force_type},
                           {"created_ms", action.created_ms}});
    }
    const nlohmann::ordered_json json = {{"target", target.controller_id},
                                         {"name", target.name},
                                         {"status", target.update_status},
                                         {"last_seen_ms", target.last_request_ms},
                                         {"address", target.address},
                                         {"assigned", or_null(target.assigned)},
                                         {"installed", or_null(target.installed)},
                                         {"attributes", device.attributes},
                                         {"actions", actions},
                                         {"last_messages", device.last_messages}};
    return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace davit::cli
