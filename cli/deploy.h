#pragma once
/// `davit deploy`: a distribution set is assigned to a target; with --wait, until the device says how it went.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/result.h"
#include "hawkbit/mgmt/client.h"

namespace davit::cli {

struct SetName {
    std::string name;
    std::optional<std::string> version;  ///< nullopt: the one that was made last
};
/// "shop:2", or "shop". Errors: InvalidInput when a part is empty.
Result<SetName> parse_set_name(std::string_view text);

struct DeployOptions {
    SetName set;
    std::string target;
    mgmt::AssignType type = mgmt::AssignType::Forced;
};

/// What became of a deployment as far as it was followed.
struct Deployed {
    std::string set, version, target;
    std::optional<std::int64_t> action;  ///< nullopt: the target has the set, and there is nothing to follow
    bool already = false;                ///< the set was assigned before this call
    std::string status;                  ///< of the action: "finished", "error", "running", …
    bool active = false;
    std::vector<std::string> messages;  ///< of the last report, when it was followed

    [[nodiscard]] bool failed() const { return !active && (status == "error" || status == "canceled"); }
};

/// Errors: NotFound naming the set or the target; those of hawkBit.
Result<Deployed> deploy(const DeployOptions& options, mgmt::Client& hawkbit);

/// Follows the action until it is closed, giving each report of the device to @p on_report as one line. A server that
/// does not answer is asked again. Errors: Network "… is still <status> after 10m" when @p timeout is over; those of
/// hawkBit.
Result<void> follow(Deployed& deployed, mgmt::Client& hawkbit, Clock& clock, Milliseconds timeout,
                    const std::function<void(std::string_view)>& on_report);

std::string to_text(const Deployed& deployed);
std::string to_json(const Deployed& deployed);

}  // namespace davit::cli
