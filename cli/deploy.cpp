#include "cli/deploy.h"

#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>
#include <ranges>

namespace davit::cli {
namespace {

constexpr Milliseconds kInterval{1'000};

Result<mgmt::DistributionSet> find_set(const SetName& name, mgmt::Client& hawkbit) {
    const auto set = TRY(name.version ? hawkbit.find_set(name.name, *name.version) : hawkbit.newest_set(name.name));
    if (set) return *set;
    return fail(Code::NotFound, std::format("hawkBit has no distribution set '{}{}'", name.name,
                                            name.version ? ":" + *name.version : ""));
}

std::string line_of(const mgmt::ActionStatus& status) {
    std::string line = status.type;
    for (const auto& message : status.messages)
        line += (&message == &status.messages.front() ? ": " : "\n    ") + message;
    return line;
}

/// Reports the device's new words, oldest first. @return how many there are now
Result<std::size_t> report_new(Deployed& deployed, mgmt::Client& hawkbit, std::size_t seen,
                               const std::function<void(std::string_view)>& on_report) {
    const auto history = TRY(hawkbit.action_status(deployed.target, *deployed.action));
    const auto fresh = history.size() - std::min(seen, history.size());
    for (const auto& status : history | std::views::take(fresh) | std::views::reverse)
        on_report(line_of(status));
    if (!history.empty()) deployed.messages = history.front().messages;
    return history.size();
}

}  // namespace

Result<SetName> parse_set_name(std::string_view text) {
    const auto colon = text.rfind(':');
    SetName set{.name = std::string(text.substr(0, colon)), .version = {}};
    if (colon != std::string_view::npos) set.version = text.substr(colon + 1);
    if (!set.name.empty() && set.version != "") return set;
    return fail(Code::InvalidInput, std::format("'{}': expected SET or SET:VERSION", text));
}

Result<Deployed> deploy(const DeployOptions& options, mgmt::Client& hawkbit) {
    const auto set = TRY(find_set(options.set, hawkbit));
    Deployed deployed{.set = set.name, .version = set.version, .target = options.target};
    deployed.action = TRY(hawkbit.assign(set.id, options.target, options.type));
    deployed.already = !deployed.action;
    deployed.active = !deployed.already;
    deployed.status = "assigned";
    if (!deployed.already) return deployed;

    // The target has the set since before: its newest action is the one that brought it, or is about to.
    const auto actions = TRY(hawkbit.actions(options.target));
    if (!actions.empty()) {
        deployed.action = actions.front().id;
        deployed.active = actions.front().active;
        deployed.status = actions.front().status;
    }
    return deployed;
}

Result<void> follow(Deployed& deployed, mgmt::Client& hawkbit, Clock& clock, Milliseconds timeout,
                    const std::function<void(std::string_view)>& on_report) {
    const auto deadline = clock.now() + timeout;
    std::size_t seen = 0;
    while (deployed.active) {
        const auto action = hawkbit.action(deployed.target, *deployed.action);
        if (!action && action.error().code != Code::Network) return fail(action.error());
        if (action) {
            deployed.status = action->status;
            deployed.active = action->active;
            // Asked after the action, so that the closing report is among them when it says that it is closed.
            if (auto count = report_new(deployed, hawkbit, seen, on_report)) seen = *count;
        }
        if (!deployed.active) break;
        if (clock.now() >= deadline) {
            return fail(Code::Network, std::format("action {} of '{}' is still {} after {}", *deployed.action,
                                                   deployed.target, deployed.status, to_string(timeout)));
        }
        clock.sleep(kInterval, {});
    }
    return {};
}

std::string to_text(const Deployed& deployed) {
    const auto what = std::format("{}:{}", deployed.set, deployed.version);
    const auto action = deployed.action ? std::format("action {}, {}", *deployed.action, deployed.status) : "no action";
    if (deployed.already) return std::format("{} was assigned to {} already ({})\n", what, deployed.target, action);
    return std::format("{} assigned to {} ({})\n", what, deployed.target, action);
}

std::string to_json(const Deployed& deployed) {
    nlohmann::ordered_json json = {{"set", deployed.set},          {"version", deployed.version},
                                   {"target", deployed.target},    {"already_assigned", deployed.already},
                                   {"status", deployed.status},    {"active", deployed.active},
                                   {"messages", deployed.messages}};
    json["action"] = deployed.action ? nlohmann::ordered_json(*deployed.action) : nlohmann::ordered_json(nullptr);
    return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace davit::cli
