// davitctl start, stop, restart, logs: one app, outside of deployments.

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <nlohmann/json.hpp>

#include "agent/ctl/output.h"
#include "agent/ctl/verbs.h"

namespace davit::ctl {
namespace {

Result<void> show_done(Output output, const std::string& app, const std::string& message) {
    const nlohmann::json json = {{"app", app}, {"message", message}};
    print(output == Output::Json ? json.dump(2) + "\n" : message + "\n");
    return {};
}

/// A mistyped name would show an empty journal. Without davitd nobody can tell.
Result<void> check_installed(AgentClient& agent, const std::string& app) {
    const auto apps = agent.apps();
    if (!apps) return {};
    if (std::ranges::any_of(*apps, [&](const auto& one) { return one.value("name", "") == app; })) return {};
    return fail(Code::NotFound, "no app '" + app + "' is installed; 'davitctl apps' lists those that are");
}

}  // namespace

Result<void> start(AgentClient& agent, Output output, const std::string& app) {
    return show_done(output, app, TRY(agent.start(app)));
}

Result<void> stop(AgentClient& agent, Output output, const std::string& app) {
    return show_done(output, app, TRY(agent.stop(app)));
}

Result<void> restart(AgentClient& agent, Output output, const std::string& app) {
    return show_done(output, app, TRY(agent.restart(app)));
}

Result<void> show_logs(AgentClient& agent, const LogOptions& options) {
    TRY(check_installed(agent, options.app));
    std::vector<std::string> words = {"journalctl", "--no-pager", "--unit=davit-app-" + options.app + ".service",
                                      "--lines=" + std::to_string(options.lines)};
    if (options.follow) words.emplace_back("--follow");
    std::vector<char*> argv;
    for (auto& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    return fail(system_error("cannot start journalctl", errno));
}

}  // namespace davit::ctl
