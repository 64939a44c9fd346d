#pragma once
/// `davit device show`: what hawkBit knows of one device.

#include <map>
#include <string>
#include <vector>

#include "common/result.h"
#include "hawkbit/mgmt/client.h"

namespace davit::cli {

struct DeviceView {
    mgmt::Target target;
    std::map<std::string, std::string> attributes;
    std::vector<mgmt::Action> actions;       ///< newest first
    std::vector<std::string> last_messages;  ///< of the newest action's last report
};

/// Errors: NotFound when there is no such target; those of hawkBit.
Result<DeviceView> view_device(const std::string& target, mgmt::Client& hawkbit);

std::string to_text(const DeviceView& device);
std::string to_json(const DeviceView& device);

}  // namespace davit::cli
