// davit-launch: ExecStart of an app's unit. Small and without options to parse by a library, because its start lies in
// every app's downtime.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <format>
#include <string>
#include <vector>

#include "common/text.h"
#include "containers/detail/notify.h"
#include "containers/launch/launch.h"

namespace {

constexpr auto kHelp =
    "usage: davit-launch APP             starts the container of APP; for the ExecStart of davit-app-APP.service\n"
    "       davit-launch --cleanup APP   removes what its container has left; for ExecStopPost\n"
    "environment: DAVIT_RUNTIME (runc), DAVIT_STATE_DIR (/var/lib/davit), DAVIT_RUN_DIR (/run/davit), DAVIT_POLICY "
    "(/etc/davit/policy.json)\n";

std::string from_environment(const char* name, const std::string& otherwise) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

/// One sentence for the journal, and for `systemctl status`, where the agent finds the reason of a failed start.
int report(const std::string& app, const davit::Error& error) {
    const auto sentence = davit::one_line(std::format("cannot start '{}': {}", app, error.message));
    std::fprintf(stderr, "%s\n", sentence.c_str());
    davit::notify("STATUS=" + sentence);
    return EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 1 && words[0] == "--help") return std::fputs(kHelp, stdout) < 0;
    const bool cleanup = words.size() == 2 && words[0] == "--cleanup";
    if (!cleanup && (words.size() != 1 || words[0].starts_with('-'))) {
        std::fputs(kHelp, stderr);
        return 2;
    }

    davit::DevicePaths paths;
    paths.state = from_environment("DAVIT_STATE_DIR", paths.state);
    paths.run = from_environment("DAVIT_RUN_DIR", paths.run);
    paths.policy = from_environment("DAVIT_POLICY", paths.policy);
    const davit::Runtime runtime(from_environment("DAVIT_RUNTIME", "runc"));

    if (!cleanup) return report(words[0], davit::launch(words[0], paths, runtime));
    const auto noted = davit::note_end(words[1], paths,
                                       {from_environment("SERVICE_RESULT", ""), from_environment("EXIT_CODE", "-"),
                                        from_environment("EXIT_STATUS", "-")});
    const auto cleaned = davit::clean_up(words[1], paths, runtime);
    if (!noted)
        std::fprintf(stderr, "cannot note how '%s' ended: %s\n", words[1].c_str(), noted.error().message.c_str());
    if (cleaned) return EXIT_SUCCESS;
    std::fprintf(stderr, "cannot clean up after '%s': %s\n", words[1].c_str(),
                 davit::one_line(cleaned.error().message).c_str());
    return EXIT_FAILURE;
}
