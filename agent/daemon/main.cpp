#include <malloc.h>
#include <sysexits.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "agent/daemon/daemon.h"
#include "common/log.h"

namespace {

using namespace davit;

/// Lines with their fields to the journal, when standard error leads there.
void log_to_journal(log::Level level, std::string_view message, const log::Fields& fields) {
    std::vector<std::string> texts = {"PRIORITY=" + std::to_string(static_cast<int>(level)),
                                      "MESSAGE=" + std::string(message), "SYSLOG_IDENTIFIER=davitd"};
    for (const auto& [name, value] : fields)
        texts.push_back(name + "=" + value);
    std::vector<iovec> vectors;
    vectors.reserve(texts.size());
    for (auto& text : texts)
        vectors.push_back({text.data(), text.size()});
    sd_journal_sendv(vectors.data(), static_cast<int>(vectors.size()));
}

log::Level level_from(std::string_view name) {
    if (name == "error") return log::Level::Error;
    if (name == "warning") return log::Level::Warning;
    if (name == "notice") return log::Level::Notice;
    return name == "debug" ? log::Level::Debug : log::Level::Info;
}

constexpr std::string_view kHelp =
    "davitd " DAVIT_VERSION
    ": the Davit agent. Polls hawkBit, installs apps, watches them, reports.\n\n"
    "Usage: davitd [--check-config]\n\n"
    "  --check-config   read the configuration, say what is wrong with it, and exit\n"
    "  --version        print the version\n"
    "  --help           print this\n\n"
    "It is started by davitd.service; see 'davitctl status'. Configuration: /etc/davit/davitd.json.\n";

/// Why it ends, by the stream of standard error: systemd knows that stream as the unit's. A message to the journal's
/// socket from a process that is gone when the journal reads it belongs to nobody, and `journalctl -u davitd` lacks it.
int give_up(const Error& error, int exit_code) {
    log::set_sink({});
    log::error("{}", error.message);
    return exit_code;
}

int check_or_run(bool only_check) {
    const auto config = load_config("/");
    // davitd.service does not restart on it: only a person can help.
    if (!config) return give_up(config.error(), EX_CONFIG);
    for (const auto& warning : config->warnings)
        log::warning("{}", warning);
    if (only_check) {
        std::puts("The configuration is good.");
        return EXIT_SUCCESS;
    }
    log::set_level(level_from(config->log_level));
    const auto ran = run_daemon(*config, {.root = "/", .libexec = DAVIT_LIBEXECDIR, .device = {}});
    if (ran) return EXIT_SUCCESS;
    // A newer Davit was here: trying again changes nothing either.
    return give_up(ran.error(), ran.error().code == Code::Unsupported ? EX_CONFIG : EXIT_FAILURE);
}

/// The agent waits far more than it works: what it has freed goes back to the system, and its three threads share one
/// heap.
void keep_little_memory() {
    ::mallopt(M_ARENA_MAX, 1);
    ::mallopt(M_TRIM_THRESHOLD, 16 << 10);
    ::mallopt(M_TOP_PAD, 16 << 10);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view option = argc > 1 ? argv[1] : "";
    if (argc > 2 || (!option.empty() && option != "--check-config" && option != "--version" && option != "--help")) {
        std::fprintf(stderr, "davitd: unknown option '%s'; try --help\n", argv[argc - 1]);
        return EX_USAGE;
    }
    if (option == "--help")
        return std::fwrite(kHelp.data(), 1, kHelp.size(), stdout) == kHelp.size() ? EXIT_SUCCESS : EXIT_FAILURE;
    if (option == "--version") return std::puts("davitd " DAVIT_VERSION) >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    keep_little_memory();
    if (std::getenv("JOURNAL_STREAM") != nullptr) log::set_sink(log_to_journal);
    return check_or_run(option == "--check-config");
}
