#pragma once
/// What each word of davitctl does. A group of verbs has a file of its own; main.cpp knows the words and their options,
/// and nothing else.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

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

// deploy.cpp: deployments that somebody at the device asks for. They return when it has ended.
Result<void> check(AgentClient& agent, Output output);
/// @param generation 0: the previous one
Result<void> roll_back(AgentClient& agent, Output output, std::uint64_t generation);

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
