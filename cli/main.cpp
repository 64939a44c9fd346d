// `davit`: the words of the command line, and nothing else. What each verb does is in the file of its noun.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <format>
#include <functional>
#include <memory>
#include <string>

#include "cli/app.h"
#include "cli/deploy.h"
#include "cli/device.h"
#include "cli/login.h"
#include "cli/publish.h"
#include "ostree/signature.h"

namespace davit::cli {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;

/// What the chosen verb does; set when the line was parsed. @return the exit code
using Run = std::function<Result<int>()>;

void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
}
void warn(const std::string& text) {
    std::fputs(("davit: " + text + "\n").c_str(), stderr);
}

template <typename T>
int show(const T& result, bool as_json) {
    print(as_json ? to_json(result) : to_text(result));
    return 0;
}

Result<mgmt::Client> connect(const LoginOptions& login) {
    auto connection = TRY(find_connection(login, process_environment));
    return mgmt::Client(std::move(connection.login), std::move(connection.http));
}

void add_login(CLI::App* verb, LoginOptions* login) {
    auto* group = verb->add_option_group("hawkBit", "which server, and who you are there");
    group->add_option("--server", login->server, "URL of hawkBit (DAVIT_HAWKBIT_URL)")->type_name("URL");
    group->add_option("--user", login->user, "user (DAVIT_HAWKBIT_USER)")->type_name("NAME");
    group
        ->add_option("--password-file", login->password_file,
                     "file with the password (DAVIT_HAWKBIT_PASSWORD_FILE, or DAVIT_HAWKBIT_PASSWORD itself)")
        ->type_name("FILE");
    group->add_option("--config", login->config, "settings (default: $XDG_CONFIG_HOME/davit/config.json)")
        ->type_name("FILE");
}

void add_json(CLI::App* verb, bool* json) {
    verb->add_flag("--json", *json, "print JSON, for programs");
}

CLI::App* add_noun(CLI::App& davit, const char* name, const char* about) {
    auto* noun = davit.add_subcommand(name, about);
    noun->require_subcommand(1);
    return noun;
}

Result<int> new_key(const Path& base) {
    TRY(make_key_pair(base));
    print(
        std::format("{0}.key signs: keep it secret\n{0}.pub is for the devices: /etc/davit/keys.d/\n", base.string()));
    return 0;
}

void add_key(CLI::App& davit, Run& run) {
    auto* verb = add_noun(davit, "key", "Keys that sign apps")
                     ->add_subcommand("new", "Make a key pair: BASE.key signs, BASE.pub goes to the devices");
    const auto base = std::make_shared<Path>();
    verb->add_option("BASE", *base, "path of the two files without their endings")->required();
    verb->footer("Example:\n  davit key new release\n  scp release.pub root@device:/etc/davit/keys.d/");
    verb->callback([&run, base] { run = [base] { return new_key(*base); }; });
}

struct CommitWords {
    CommitOptions options;
    bool json = false;
};

Result<int> run_commit(const CommitWords& words) {
    const auto committed = TRY(commit_app(words.options, process_environment));
    if (!committed.warning.empty()) warn("warning: " + committed.warning);
    return show(committed, words.json);
}

struct ExportWords {
    ExportOptions options;
    bool json = false;
};

void add_export(CLI::App* noun, Run& run) {
    auto* verb =
        noun->add_subcommand("export", "Write one version of an app into one file, for a device without a network");
    const auto words = std::make_shared<ExportWords>();
    auto& options = words->options;
    verb->add_option("APP", options.app, "an app's ref, or APP=COMMIT")->required();
    verb->add_option("--repo", options.repository, "the build repository")->required()->type_name("DIR");
    verb->add_option("--to", options.file, "the file (default: APP-VERSION.davit)")->type_name("FILE");
    add_json(verb, &words->json);
    verb->footer(
        "Example:\n  davit app export hello --repo build-repo --to /media/usb/hello-2.davit\n"
        "  davitctl install /media/usb/hello-2.davit        # on the device");
    verb->callback([&run, words] {
        run = [words]() -> Result<int> { return show(TRY(export_app(words->options)), words->json); };
    });
}

void add_app(CLI::App& davit, Run& run) {
    auto* noun = add_noun(davit, "app", "Apps");
    add_export(noun, run);
    auto* verb = noun->add_subcommand("commit", "Check a bundle, commit it to the build repository, and sign it");
    const auto words = std::make_shared<CommitWords>();
    auto& options = words->options;
    verb->add_option("DIR", options.directory, "the bundle: rootfs/ with davit.json or config.json")->required();
    verb->add_option("--key", options.key, "the key that signs")->required()->type_name("FILE");
    verb->add_option("--repo", options.repository, "the build repository; made when absent")
        ->required()
        ->type_name("DIR");
    verb->add_option("--name", options.name, "the app's name (default: davit.json's)")->type_name("NAME");
    verb->add_option("--version", options.version, "its version (default: davit.json's)")->type_name("VERSION");
    verb->add_option("--ref", options.ref, "ref to commit to (default: the app's name)")->type_name("REF");
    verb->add_option("--timestamp", options.timestamp,
                     "seconds since 1970 (default: $SOURCE_DATE_EPOCH, or the newest file's)")
        ->type_name("N");
    add_json(verb, &words->json);
    verb->footer(
        "Example:\n  davit app commit build/hello --key release.key --repo build-repo\n\n"
        "The same directory and options give the same commit id on every machine.");
    verb->callback([&run, words] { run = [words] { return run_commit(*words); }; });
}

struct PublishWords {
    PublishOptions options;
    LoginOptions login;
    bool json = false;
};

Result<int> run_publish(const PublishWords& words) {
    auto hawkbit = TRY(connect(words.login));
    const auto published = TRY(publish(words.options, hawkbit));
    for (const auto& warning : published.warnings)
        warn("warning: " + warning);
    return show(published, words.json);
}

void add_publish(CLI::App& davit, Run& run) {
    auto* verb = davit.add_subcommand(
        "publish", "Copy commits to the published repository and register them in hawkBit as a distribution set");
    const auto words = std::make_shared<PublishWords>();
    auto& options = words->options;
    verb->add_option("APP", options.apps, "an app's ref, or APP=COMMIT")->required()->expected(1, -1);
    verb->add_option("--repo", options.repository, "the build repository")->required()->type_name("DIR");
    verb->add_option("--to", options.published, "the repository that a web server hands out; made when absent")
        ->required()
        ->type_name("DIR");
    verb->add_option("--set", options.set, "name of the distribution set")->required()->type_name("NAME");
    verb->add_option("--set-version", options.set_version, "its version")->required()->type_name("VERSION");
    verb->add_option("--meta", options.metadata,
                     "metadata for the modules, as KEY=VALUE or APP:KEY=VALUE (autostart, notify, timeout, …)")
        ->allow_extra_args(false)
        ->type_name("META");
    verb->add_option("--on-device", options.on_device,
                     "an app that the devices have already, so that others may require it")
        ->allow_extra_args(false)
        ->type_name("APP");
    verb->add_option("--repo-url", options.repository_url,
                     "where devices fetch from (default: what they are configured with)")
        ->type_name("URL");
    add_json(verb, &words->json);
    add_login(verb, &words->login);
    verb->footer(
        "Example:\n  davit publish hello ticker --repo build-repo --to /srv/www/repo --set shop --set-version 2\n\n"
        "Publishing the same again does nothing; something else under the same name and version is refused.");
    verb->callback([&run, words] { run = [words] { return run_publish(*words); }; });
}

struct DeployWords {
    std::string set, target, timeout = "10m";
    bool soft = false, forced = false, wait = false, json = false;
    LoginOptions login;
};

Result<int> run_deploy(const DeployWords& words) {
    const auto set = TRY(parse_set_name(words.set));
    const auto timeout = TRY(parse_duration(words.timeout).transform_error(in("--timeout")));
    auto hawkbit = TRY(connect(words.login));
    auto deployed = TRY(deploy(
        {.set = set, .target = words.target, .type = words.soft ? mgmt::AssignType::Soft : mgmt::AssignType::Forced},
        hawkbit));
    if (!words.wait) return show(deployed, words.json);

    if (!words.json) print(to_text(deployed));
    TRY(follow(deployed, hawkbit, system_clock(), timeout, [&](std::string_view report) {
        if (words.json) return;
        print(std::string(report) + "\n");
        std::fflush(stdout);
    }));
    if (words.json) print(to_json(deployed));
    if (!deployed.failed()) return 0;
    warn(std::format("{}:{} on {}: {}", deployed.set, deployed.version, deployed.target, deployed.status));
    return kFailed;
}

void add_deploy(CLI::App& davit, Run& run) {
    auto* verb = davit.add_subcommand("deploy", "Assign a distribution set to a device");
    const auto words = std::make_shared<DeployWords>();
    verb->add_option("SET", words->set, "NAME:VERSION, or NAME for the version that was published last")->required();
    verb->add_option("--to", words->target, "the device's id in hawkBit")->required()->type_name("TARGET");
    auto* soft = verb->add_flag("--soft", words->soft, "the device may choose the moment");
    verb->add_flag("--forced", words->forced, "the device begins at once (default)")->excludes(soft);
    auto* wait =
        verb->add_flag("--wait", words->wait, "follow it to its end: exit code 0 when it succeeded, 1 when it failed");
    verb->add_option("--timeout", words->timeout, "how long to wait (default: 10m)")->needs(wait)->type_name("TIME");
    add_json(verb, &words->json);
    add_login(verb, &words->login);
    verb->footer("Example:\n  davit deploy shop:2 --to demo-1 --wait --timeout 5m");
    verb->callback([&run, words] { run = [words] { return run_deploy(*words); }; });
}

struct DeviceWords {
    std::string target;
    LoginOptions login;
    bool json = false;
};

Result<int> run_device(const DeviceWords& words) {
    auto hawkbit = TRY(connect(words.login));
    return show(TRY(view_device(words.target, hawkbit)), words.json);
}

void add_device(CLI::App& davit, Run& run) {
    auto* verb = add_noun(davit, "device", "Devices")->add_subcommand("show", "What hawkBit knows of a device");
    const auto words = std::make_shared<DeviceWords>();
    verb->add_option("TARGET", words->target, "the device's id in hawkBit")->required();
    add_json(verb, &words->json);
    add_login(verb, &words->login);
    verb->footer("Example:\n  davit device show demo-1");
    verb->callback([&run, words] { run = [words] { return run_device(*words); }; });
}

int main(int argc, char** argv) {
    CLI::App davit("Publishes apps for devices and deploys them through hawkBit", "davit");
    davit.set_version_flag("--version", "davit " DAVIT_VERSION);
    davit.require_subcommand(1);
    davit.failure_message([](const CLI::App*, const CLI::Error& error) {
        return std::format("davit: {}; see 'davit --help'\n", error.what());
    });
    davit.footer("Exit codes: 0 done, 1 failed, 2 wrong usage. 'davit VERB --help' has an example of each.");
    Run run;
    add_key(davit, run);
    add_app(davit, run);
    add_publish(davit, run);
    add_deploy(davit, run);
    add_device(davit, run);
    try {
        davit.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return davit.exit(error) == 0 ? 0 : kUsage;
    }
    const auto result = run();
    if (result) return *result;
    warn(result.error().message);
    return kFailed;
}

}  // namespace
}  // namespace davit::cli

int main(int argc, char** argv) {
    return davit::cli::main(argc, argv);
}
