// `davitctl`: the words of the command line, and nothing else. What each verb does is in the file of its group
// (verbs.h).

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>

#include "agent/ctl/verbs.h"
#include "common/clock.h"

namespace davit::ctl {
namespace {

constexpr int kUsage = 2;

/// The command line while it is put together, and the verb that was chosen by it.
class Words {
public:
    explicit Words(CLI::App& app) : app_(app) {}

    /// A verb with --json.
    template <typename Run>
    CLI::App* add(const char* name, const char* description, const char* example, Run run) {
        auto* command = add_plain(name, description, example, [this, run](AgentClient& agent) {
            return run(agent, json_ ? Output::Json : Output::Text);
        });
        command->add_flag("--json", json_, "for programs; the members are in docs/dbus.md");
        return command;
    }
    /// A verb whose answer is not for programs.
    CLI::App* add_plain(const char* name, const char* description, const char* example, Verb verb) {
        auto* command = app_.add_subcommand(name, description);
        command->footer(std::string("Example:\n  ") + example);
        command->callback([this, verb = std::move(verb)] { chosen = verb; });
        return command;
    }

    Verb chosen;

private:
    CLI::App& app_;
    bool json_ = false;
};

void add_looking(Words& words) {
    const auto live = std::make_shared<bool>(false);
    auto* status = words.add(
        "status", "The agent, its server, and the deployment under way", "davitctl status --watch",
        [live](AgentClient& agent, Output output) { return *live ? watch(agent) : show_status(agent, output); });
    status->add_flag("--watch", *live, "show how far a deployment is until it ends; waits for one when there is none")
        ->excludes(status->get_option("--json"));
    words.add("apps", "The installed apps and their units",
              "davitctl apps --json | jq -r '.[] | .name + \" \" + .version'", show_apps);
    const auto limit = std::make_shared<unsigned>(20);
    words
        .add("history", "The deployments that ended here, newest first", "davitctl history --limit 5",
             [limit](AgentClient& agent, Output output) { return show_history(agent, output, *limit); })
        ->add_option("--limit", *limit, "at most so many")
        ->check(CLI::Range(1u, 1000u))
        ->capture_default_str();
    words.add("generations", "The sets of apps on this disk, and what each is kept for", "davitctl generations",
              show_generations);
}

void add_deploying(Words& words) {
    const auto generation = std::make_shared<std::uint64_t>(0);
    words
        .add("rollback", "Go back to the previous set of apps, or to another one (needs root); waits for the end",
             "davitctl rollback --to 12",
             [generation](AgentClient& agent, Output output) { return roll_back(agent, output, *generation); })
        ->add_option("--to", *generation, "the generation's number");
    const auto what = std::make_shared<InstallOptions>();
    auto* installing = words.add(
        "install", "Install or update apps from files of 'davit app export', or from repositories (needs root)",
        "davitctl install /media/usb/hello-2.davit\n  davitctl install https://updates.example/repo#hello",
        [what](AgentClient& agent, Output output) { return install(agent, output, *what); });
    installing->add_flag("--downgrade", what->downgrade, "they may be older than what was kept here before");
    installing
        ->add_option("PLACE", what->places,
                     "a file, or a repository's directory or URL with #APP or #APP@COMMIT; several are one deployment")
        ->required();
    const auto app = std::make_shared<std::string>();
    words
        .add("remove", "Take an app off the device (needs root); its data stays", "davitctl remove hello",
             [app](AgentClient& agent, Output output) { return remove(agent, output, *app); })
        ->add_option("APP", *app)
        ->required();
    words.add("cancel", "Stop the deployment that began at the device, before its switch (needs root)",
              "davitctl cancel", cancel);
    words.add("check", "Ask the server now instead of at the next poll (needs root)", "davitctl check", check);
}

void add_answer(Words& words, const char* name, const char* description, const char* example, bool yes) {
    const auto said = std::make_shared<Answer>(Answer{.deployment = {}, .yes = yes, .reason = {}});
    auto* command = words.add(name, description, example,
                              [said](AgentClient& agent, Output output) { return answer(agent, output, *said); });
    command->add_option("ID", said->deployment, "the deployment, as 'davitctl status' shows it")->required();
    command->add_option("--reason", said->reason, "for whoever operates the server");
}

/// "2h" and the like.
CLI::Validator duration(Milliseconds& into) {
    return {[&into](std::string& text) -> std::string {
                const auto parsed = parse_duration(text);
                if (parsed) into = *parsed;
                return parsed ? "" : parsed.error().message;
            },
            "DURATION"};
}

void add_permission(Words& words) {
    add_answer(words, "confirm", "Say yes to a deployment that waits for it (needs root)",
               "davitctl confirm 7 --reason 'the shift is over'", true);
    add_answer(words, "deny", "Say no to a deployment that waits for an answer (needs root)",
               "davitctl deny 7 --reason 'not during the fair'", false);
    const auto wanted = std::make_shared<Inhibition>();
    const auto limit = std::make_shared<std::string>();
    auto* command = words.add_plain("inhibit", "Run a command; apps are not switched meanwhile (needs root)",
                                    "davitctl inhibit --why 'nightly backup' --for 2h -- backup-all",
                                    [wanted](AgentClient& agent) { return inhibit(agent, *wanted); });
    command->add_option("--why", wanted->why, "what must not be disturbed")->required();
    command->add_option("--for", *limit, "at most so long, e.g. 2h; 24h if not given, 7 days at most")
        ->check(duration(wanted->at_most));
    command->add_flag("--even-forced", wanted->strong, "hold off what the server forces, too");
    command->add_option("COMMAND", wanted->command, "what to run")->required();
}

void add_apps(Words& words) {
    using AppVerb = Result<void> (*)(AgentClient&, Output, const std::string&);
    const auto add = [&](const char* name, const char* description, const char* example, AppVerb verb) {
        const auto app = std::make_shared<std::string>();
        words
            .add(name, description, example,
                 [app, verb](AgentClient& agent, Output output) { return verb(agent, output, *app); })
            ->add_option("APP", *app)
            ->required();
    };
    add("start", "Start an app (needs root); returns when it is READY", "davitctl start hello", start);
    add("stop", "Stop an app, and those that require it, until somebody starts it, it is updated, or the device boots",
        "davitctl stop hello", stop);
    add("restart", "Stop and start an app (needs root); returns when it is READY", "davitctl restart hello", restart);
    const auto options = std::make_shared<LogOptions>();
    auto* logs = words.add_plain("logs", "What an app has said, from the journal", "davitctl logs hello -f",
                                 [options](AgentClient& agent) { return show_logs(agent, *options); });
    logs->add_option("APP", options->app)->required();
    logs->add_flag("-f,--follow", options->follow, "go on with what it says from now on");
    logs->add_option("-n,--lines", options->lines, "at most so many of the newest lines")->capture_default_str();
}

int run(const Verb& verb) {
    auto agent = AgentClient::connect();
    const auto done = agent ? verb(*agent) : Result<void>(std::unexpected(agent.error()));
    if (done) return EXIT_SUCCESS;
    std::fprintf(stderr, "davitctl: %s\n", done.error().message.c_str());
    return EXIT_FAILURE;
}

int main(int argc, char** argv) {
    CLI::App app("What the Davit agent on this device is doing", "davitctl");
    app.set_version_flag("--version", "davitctl " DAVIT_VERSION);
    app.footer("Exit codes: 0 done, 1 it could not, 2 wrong usage. 'davitctl VERB --help' has an example of each.");
    app.require_subcommand(1);
    Words words(app);
    add_looking(words);
    add_deploying(words);
    add_permission(words);
    add_apps(words);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? EXIT_SUCCESS : kUsage;
    }
    return run(words.chosen);
}

}  // namespace
}  // namespace davit::ctl

int main(int argc, char** argv) {
    return davit::ctl::main(argc, argv);
}
