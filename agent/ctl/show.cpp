// davitctl status, apps, history, generations.

#include <nlohmann/json.hpp>

#include "agent/ctl/output.h"
#include "agent/ctl/print.h"
#include "agent/ctl/verbs.h"
#include "common/clock.h"

namespace davit::ctl {

Result<void> show_status(AgentClient& agent, Output output) {
    const auto status = TRY(agent.status());
    print(output == Output::Json ? status.dump(2) + "\n" : print_status(status, system_clock().wall_ms()));
    return {};
}

Result<void> show_apps(AgentClient& agent, Output output) {
    const auto apps = TRY(agent.apps());
    print(output == Output::Json ? apps.dump(2) + "\n" : print_apps(apps, system_clock().wall_ms()));
    return {};
}

Result<void> show_history(AgentClient& agent, Output output, unsigned limit) {
    const auto deployments = TRY(agent.history(limit));
    print(output == Output::Json ? deployments.dump(2) + "\n" : print_history(deployments));
    return {};
}

Result<void> show_generations(AgentClient& agent, Output output) {
    const auto generations = TRY(agent.generations());
    print(output == Output::Json ? generations.dump(2) + "\n" : print_generations(generations));
    return {};
}

}  // namespace davit::ctl
