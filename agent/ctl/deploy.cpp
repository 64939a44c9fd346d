// davitctl check, rollback: deployments that begin at the device.

#include <nlohmann/json.hpp>

#include "agent/ctl/output.h"
#include "agent/ctl/verbs.h"
#include "common/clock.h"

namespace davit::ctl {
namespace {

using Json = nlohmann::json;

/// The deployment @p id of the history, as soon as it is there.
Result<Json> wait_for_end(AgentClient& agent, const std::string& id) {
    constexpr unsigned kNewest = 20;
    while (true) {
        for (auto& deployment : TRY(agent.history(kNewest)))
            if (deployment.value("id", "") == id) return deployment;
        system_clock().sleep(Milliseconds(200), {});
    }
}

/// Waits for the deployment @p id and says how it ended.
Result<void> show_end(AgentClient& agent, Output output, const std::string& id) {
    const auto ended = TRY(wait_for_end(agent, id));
    if (!ended.value("success", false)) return fail(Code::System, ended.value("message", ""));
    print(output == Output::Json ? ended.dump(2) + "\n" : ended.value("message", "") + "\n");
    return {};
}

}  // namespace

Result<void> check(AgentClient& agent, Output output) {
    TRY(agent.check());
    print(output == Output::Json ? Json{{"asked", true}}.dump(2) + "\n"
                                 : "davitd asks the server now; 'davitctl status' shows what comes of it.\n");
    return {};
}

Result<void> roll_back(AgentClient& agent, Output output, std::uint64_t generation) {
    const auto id = TRY(agent.rollback(generation));
    return show_end(agent, output, id);
}

}  // namespace davit::ctl
