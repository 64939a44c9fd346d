#include <CLI/CLI.hpp>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "agent/ctl/client.h"
#include "agent/ctl/print.h"
#include "common/clock.h"

namespace {

using namespace davit;
using Json = nlohmann::json;

void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

struct Options {
    bool json = false;
    unsigned limit = 20;
    std::uint64_t generation = 0;
};

Result<void> show_status(AgentClient& agent, const Options& options) {
    const auto status = TRY(agent.status());
    print(options.json ? status.dump(2) + "\n" : print_status(status, system_clock().wall_ms()));
    return {};
}

Result<void> show_apps(AgentClient& agent, const Options& options) {
    const auto apps = TRY(agent.apps());
    print(options.json ? apps.dump(2) + "\n" : print_apps(apps, system_clock().wall_ms()));
    return {};
}

Result<void> show_history(AgentClient& agent, const Options& options) {
    const auto deployments = TRY(agent.history(options.limit));
    print(options.json ? deployments.dump(2) + "\n" : print_history(deployments));
    return {};
}

Result<void> show_generations(AgentClient& agent, const Options& options) {
    const auto generations = TRY(agent.generations());
    print(options.json ? generations.dump(2) + "\n" : print_generations(generations));
    return {};
}

/// The deployment @p id of the history, as soon as it is there.
Result<Json> wait_for_end(AgentClient& agent, const std::string& id) {
    constexpr unsigned kNewest = 20;
    while (true) {
        for (auto& deployment : TRY(agent.history(kNewest)))
            if (deployment.value("id", "") == id) return deployment;
        system_clock().sleep(Milliseconds(200), {});
    }
}

Result<void> rollback(AgentClient& agent, const Options& options) {
    const auto id = TRY(agent.rollback(options.generation));
    const auto ended = TRY(wait_for_end(agent, id));
    if (!ended.value("success", false)) return fail(Code::System, ended.value("message", ""));
    print(options.json ? ended.dump(2) + "\n" : ended.value("message", "") + "\n");
    return {};
}

Result<void> check(AgentClient& agent, const Options& options) {
    TRY(agent.check());
    print(options.json ? Json{{"asked", true}}.dump(2) + "\n"
                       : "davitd asks the server now; 'davitctl status' shows what comes of it.\n");
    return {};
}

using Verb = Result<void> (*)(AgentClient&, const Options&);

int run(Verb verb, const Options& options) {
    auto agent = AgentClient::connect();
    const auto done = agent ? verb(*agent, options) : Result<void>(std::unexpected(agent.error()));
    if (done) return EXIT_SUCCESS;
    std::fprintf(stderr, "davitctl: %s\n", done.error().message.c_str());
    return EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
    constexpr int kUsage = 2;
    CLI::App app("What the Davit agent on this device is doing", "davitctl");
    app.set_version_flag("--version", "davitctl " DAVIT_VERSION);
    app.require_subcommand(1);
    Options options;
    Verb chosen = nullptr;
    const auto add = [&](const char* name, const char* description, const char* example, Verb verb) {
        auto* command = app.add_subcommand(name, description);
        command->add_flag("--json", options.json, "for programs; the members are in docs/dbus.md");
        command->footer(std::string("Example:\n  ") + example);
        command->callback([&chosen, verb] { chosen = verb; });
        return command;
    };
    add("status", "The agent, its server, and the deployment under way", "davitctl status", show_status);
    add("apps", "The installed apps and their units", "davitctl apps --json | jq -r '.[] | .name + \" \" + .version'",
        show_apps);
    add("history", "The deployments that ended here, newest first", "davitctl history --limit 5", show_history)
        ->add_option("--limit", options.limit, "at most so many")
        ->check(CLI::Range(1u, 1000u))
        ->capture_default_str();
    add("generations", "The sets of apps on this disk, and what each is kept for", "davitctl generations",
        show_generations);
    add("rollback", "Go back to the previous set of apps, or to another one (needs root); waits for the end",
        "davitctl rollback --to 12", rollback)
        ->add_option("--to", options.generation, "the generation's number");
    add("check", "Ask the server now instead of at the next poll (needs root)", "davitctl check", check);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? EXIT_SUCCESS : kUsage;
    }
    return run(chosen, options);
}
