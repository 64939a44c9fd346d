// davit-fleet: many simulated devices in one process, for load tests of a server and of what devices do to it.

#include <pthread.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "common/log.h"
#include "tests/fleet/fleet.h"

namespace {

using namespace davit;
using namespace davit::fleet;

volatile std::sig_atomic_t told_to_end = 0;

void on_signal(int) {
    told_to_end = 1;
}

struct Arguments {
    FleetOptions fleet;
    std::string gateway_token_file, target_token_file, ca_file, summary_file;
    std::string poll = "0", longest_retry = "30s", timeout = "1h", fetch_time = "100ms", start_time = "20ms",
                stays_up = "500ms";
    std::uint64_t deployments = 0;
    bool verbose = false;
};

/// Thousands of threads with what a thread needs here, and the files of thousands of databases.
void make_room() {
    constexpr std::size_t kStack = 512 << 10;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kStack);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

Result<void> read_durations(Arguments& arguments) {
    auto& fleet = arguments.fleet;
    fleet.poll = TRY(parse_duration(arguments.poll));
    fleet.server.longest_retry = TRY(parse_duration(arguments.longest_retry));
    fleet.behaviour.fetch_time = TRY(parse_duration(arguments.fetch_time));
    fleet.behaviour.start_time = TRY(parse_duration(arguments.start_time));
    fleet.behaviour.stays_up = TRY(parse_duration(arguments.stays_up));
    return {};
}

void say(const std::string& line) {
    std::fputs((line + "\n").c_str(), stderr);
}

/// Errors: the fleet did not get done in time.
Result<void> run(Arguments& arguments) {
    TRY(read_durations(arguments));
    const auto timeout = TRY(parse_duration(arguments.timeout));
    const auto end = system_clock().now() + timeout;
    constexpr Milliseconds kTick{20};
    constexpr Milliseconds kLine{2'000};
    auto next_line = system_clock().now() + kLine;
    Fleet fleet(arguments.fleet);
    bool done = false;
    while (told_to_end == 0 && !done && system_clock().now() < end) {
        TRY(fleet.tick());
        system_clock().sleep(kTick, {});
        if (system_clock().now() < next_line) continue;
        next_line += kLine;
        say(fleet.line());
        done = arguments.deployments > 0 && fleet.are_done(arguments.deployments);
    }
    const auto summary = fleet.summary().dump(2) + "\n";
    std::fputs(summary.c_str(), stdout);
    if (!arguments.summary_file.empty()) TRY(file::write_durably(arguments.summary_file, summary));
    fleet.stop();
    if (arguments.deployments > 0 && !done) return fail(Code::Network, "the fleet did not get done in time");
    return {};
}

void add_options(CLI::App& app, Arguments& arguments) {
    auto& fleet = arguments.fleet;
    app.add_option("--devices", fleet.devices, "how many")->check(CLI::PositiveNumber);
    app.add_option("--prefix", fleet.prefix, "of their names; a number follows");
    app.add_option("--url", fleet.server.url, "hawkBit's address")->required();
    app.add_option("--tenant", fleet.server.tenant);
    auto* tokens = app.add_option_group("token")->require_option(1);
    tokens->add_option("--gateway-token-file", arguments.gateway_token_file);
    tokens->add_option("--target-token-file", arguments.target_token_file, "one token for all");
    app.add_option("--ca-file", arguments.ca_file);
    app.add_option("--state", fleet.state, "a directory in memory; it is theirs")->required();
    app.add_option("--poll", arguments.poll, "polls at least so often (\"10s\"); default: as the server says");
    app.add_option("--longest-retry", arguments.longest_retry, "of the waits while the server does not answer");
    app.add_option("--starts-per-second", fleet.starts_per_second)->check(CLI::PositiveNumber);
    app.add_option("--fetch-time", arguments.fetch_time, "of a download");
    app.add_option("--start-time", arguments.start_time, "until an app is READY");
    app.add_option("--stays-up", arguments.stays_up, "probation");
    app.add_option("--network-failures", fleet.behaviour.network_failures, "percent of the downloads")
        ->check(CLI::Range(0, 100));
    app.add_option("--app-failures", fleet.behaviour.app_failures, "percent of the devices, for each commit")
        ->check(CLI::Range(0, 100));
    app.add_option("--seed", fleet.behaviour.seed);
    app.add_option("--deployments", arguments.deployments,
                   "ends when each device has ended so many and delivered their results; default: runs until SIGTERM");
    app.add_option("--timeout", arguments.timeout, "ends then in any case");
    app.add_option("--summary", arguments.summary_file, "the JSON of the end also goes here");
    app.add_flag("--verbose", arguments.verbose, "the devices' log lines, on standard error");
}

void log_to_stderr(bool verbose) {
    log::set_level(verbose ? log::Level::Info : log::Level::Error);
    log::set_sink([](log::Level, std::string_view message, const log::Fields& fields) {
        std::string line;
        for (const auto& [name, value] : fields)
            if (name == "DEVICE") line = value + ": ";
        say(line.append(message));
    });
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    CLI::App app("Many simulated devices: the real agent, with content and apps that only take time.", "davit-fleet");
    add_options(app, arguments);
    CLI11_PARSE(app, argc, argv);
    auto& server = arguments.fleet.server;
    if (!arguments.gateway_token_file.empty()) server.gateway_token_file = arguments.gateway_token_file;
    if (!arguments.target_token_file.empty()) server.target_token_file = arguments.target_token_file;
    if (!arguments.ca_file.empty()) server.ca_file = arguments.ca_file;

    log_to_stderr(arguments.verbose);
    make_room();
    std::signal(SIGTERM, on_signal);
    std::signal(SIGINT, on_signal);
    if (const auto done = run(arguments); !done) {
        say("davit-fleet: " + done.error().message);
        return 1;
    }
    return 0;
}
