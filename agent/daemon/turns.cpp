#include "agent/daemon/turns.h"

#include <algorithm>
#include <format>

namespace davit {

void Turns::take(const std::string& id, From from, std::string what) {
    if (std::ranges::contains(turns_, id, &Turn::id)) return;
    turns_.push_back({id, from, std::move(what)});
}

void Turns::take_order(const std::string& id, std::string what) {
    turns_.push_back({id, From::Device, std::move(what), false});
}

void Turns::ended(const std::string& id) {
    std::erase_if(turns_, [&](const Turn& turn) { return turn.id == id; });
}

std::optional<std::string> Turns::refusal(const DeploymentStatus& now) const {
    if (turns_.empty()) return std::nullopt;
    const bool by_server = turns_.front().from == From::Server;
    return std::format("{}; it must end first{}", describe(turns_.front(), now),
                       by_server ? ", or be canceled at the server" : "");
}

Result<std::string> Turns::local() const {
    for (const auto& turn : turns_)
        if (turn.is_deployment && turn.from == From::Device) return turn.id;
    if (const auto other = first(); !other.id.empty())
        return fail(Code::NotFound, std::format("deployment {} is the server's: cancel it there", other.id));
    return fail(Code::NotFound, "no deployment is under way");
}

std::optional<std::string> Turns::wait(const DeploymentStatus& now) const {
    if (turns_.empty() || turns_.front().from == From::Server) return std::nullopt;
    return "waits: " + describe(turns_.front(), now) + " and ends first";
}

DeploymentStatus Turns::first() const {
    const auto turn = std::ranges::find_if(turns_, &Turn::is_deployment);
    if (turn == turns_.end()) return {};
    return {.id = turn->id, .phase = "received", .message = turn->what};
}

std::string Turns::describe(const Turn& turn, const DeploymentStatus& now) {
    if (!turn.is_deployment) return turn.what + " is under way";
    const auto whose = turn.from == From::Server ? "of the server" : "of somebody at the device";
    const auto doing = now.id == turn.id && !now.message.empty() ? now.phase + ": " + now.message : turn.what;
    return std::format("deployment {} {} is under way ({})", turn.id, whose, doing);
}

}  // namespace davit
