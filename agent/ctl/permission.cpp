// davitctl confirm, deny, inhibit: whether and when a deployment may go on.

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <format>
#include <nlohmann/json.hpp>

#include "agent/ctl/output.h"
#include "agent/ctl/verbs.h"

namespace davit::ctl {
namespace {

using Json = nlohmann::json;

constexpr int kCannotRun = 127;

/// Runs @p command with our streams, and takes it down with us. @return its exit code, as shells count
int run(const std::vector<std::string>& command) {
    std::vector<char*> arguments;
    for (const auto& word : command)
        arguments.push_back(const_cast<char*>(word.c_str()));  // execvp promises not to write
    arguments.push_back(nullptr);
    const auto child = ::fork();
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        ::execvp(arguments[0], arguments.data());
        ::_exit(kCannotRun);
    }
    // Ctrl-C is for the command; when it ends, so do we.
    std::signal(SIGINT, SIG_IGN);
    std::signal(SIGQUIT, SIG_IGN);
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) < 0) return kCannotRun;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result<void> answer(AgentClient& agent, Output output, const Answer& answer) {
    TRY(agent.answer(answer.deployment, answer.yes, answer.reason));
    const auto* word = answer.yes ? "confirmed" : "denied";
    print(output == Output::Json ? Json{{"deployment_id", answer.deployment}, {"answer", word}}.dump(2) + "\n"
                                 : std::format("Deployment {} is {}; 'davitctl status' shows what comes of it.\n",
                                               answer.deployment, word));
    return {};
}

Result<void> inhibit(AgentClient& agent, const Inhibition& inhibition) {
    const auto who = std::format("{} (pid {})", inhibition.command.front(), ::getpid());
    TRY(agent.inhibit(who, inhibition.why, inhibition.at_most, inhibition.strong));
    const int code = run(inhibition.command);
    if (code == kCannotRun) return fail(Code::NotFound, "cannot run '" + inhibition.command.front() + "'");
    std::exit(code);  // the command's answer is ours; the end of our connection releases it
}

}  // namespace davit::ctl
