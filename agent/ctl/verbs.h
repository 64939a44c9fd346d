#pragma once
/// What each word of davitctl does. A group of verbs has a file of its own; main.cpp knows the words and their options,
/// and nothing else.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "agent/ctl/client.h"
#include "common/result.h"

namespace davit::ctl {

/// Prints its answer. The error's message is what a person reads on standard error.
using Verb = std::function<Result<void>(AgentClient&)>;

enum class Output { Text, Json };

// show.cpp: looks, changes nothing.
Result<void> show_status(AgentClient& agent, Output output);
Result<void> show_apps(AgentClient& agent, Output output);
Result<void> show_history(AgentClient& agent, Output output, unsigned limit);
Result<void> show_generations(AgentClient& agent, Output output);

// follow.cpp: a deployment while it is under way.
/// Shows how far it is until it ends: live on a terminal, else a line for each news. Waits for one when there is none.
/// Error: it failed.
Result<void> watch(AgentClient& agent);
/// The same for the deployment @p id. @return its entry of the history
Result<nlohmann::json> follow(AgentClient& agent, const std::string& id, Output output);

// deploy.cpp: deployments that somebody at the device asks for. They return when it has ended.
Result<void> check(AgentClient& agent, Output output);
/// @param generation 0: the previous one
Result<void> roll_back(AgentClient& agent, Output output, std::uint64_t generation);
struct InstallOptions {
    std::vector<std::string>
        places;              ///< files, directories (relative ones, too) or URLs; see agent/local.h, parse_origin
    bool downgrade = false;  ///< they may be older than what was kept here before
};
Result<void> install(AgentClient& agent, Output output, const InstallOptions& options);
Result<void> remove(AgentClient& agent, Output output, const std::string& app);
/// The deployment that began at the device, before its switch.
Result<void> cancel(AgentClient& agent, Output output);

// units.cpp: one app, outside of deployments.
Result<void> start(AgentClient& agent, Output output, const std::string& app);
Result<void> stop(AgentClient& agent, Output output, const std::string& app);
Result<void> restart(AgentClient& agent, Output output, const std::string& app);
struct LogOptions {
    std::string app;
    bool follow = false;
    unsigned lines = 100;
};
/// Becomes journalctl; returns only when it cannot.
Result<void> show_logs(AgentClient& agent, const LogOptions& options);

// permission.cpp: whether and when a deployment may go on.
struct Answer {
    std::string deployment;
    bool yes = false;
    std::string reason;
};
Result<void> answer(AgentClient& agent, Output output, const Answer& answer);

struct Inhibition {
    std::string why;
    Milliseconds at_most{};  ///< zero: davitd's usual
    bool strong = false;
    std::vector<std::string> command;
};
/// Runs the command and ends the process with its exit code; apps are not switched meanwhile.
Result<void> inhibit(AgentClient& agent, const Inhibition& inhibition);

}  // namespace davit::ctl
