#include "containers/launch/runtime.h"

#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <format>

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/process.h"
#include "common/text.h"

namespace davit {
namespace {

/// Whether runc's own record names an init process that does not exist any more. "No" also for everything unclear, and
/// for another runtime's form.
bool is_dead(const Path& state_directory) {
    const auto text = file::read(state_directory / "state.json");
    if (!text) return false;
    const auto state = json::parse(*text, "state.json");
    if (!state || !state->is_object()) return false;
    const auto pid = json::Reader(*state, "state.json").get_integer("init_process_pid", {.least = 1, .most = 1 << 22});
    if (!pid || !*pid) return false;
    return kill(static_cast<pid_t>(**pid), 0) != 0 && errno == ESRCH;
}

}  // namespace

Result<void> Runtime::forget(const std::string& id) const {
    const auto state_directory = state_root_ / id;
    if (!file::exists(state_directory)) return {};
    // This lies in the downtime of every restart. A detached container that has ended leaves its state directory and
    // nothing else (no hooks, systemd has emptied the cgroup), so removing that is all that `runc delete` would do. It
    // would take 7 ms on a PC, where the whole restart takes about 60.
    if (is_dead(state_directory)) return file::remove_tree(state_directory);
    const auto exit = TRY(process::run({.argv = {program_, "delete", "--force", id}}, std::chrono::seconds(10)));
    if (!file::exists(state_directory)) return {};
    return fail(Code::System, std::format("'{} delete --force {}' left the container behind ({}): {}", program_, id,
                                          exit.describe(), one_line(exit.err)));
}

Error Runtime::exec_run(const std::string& id, const Path& bundle, const std::vector<std::string>& options) const {
    std::vector<std::string> words = {program_, "run", "--bundle", bundle.string()};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(id);
    std::vector<char*> argv;
    for (auto& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    // The app has systemd's socket itself. With this set the runtime would put its own proxy in between.
    unsetenv("NOTIFY_SOCKET");
    execvp(argv[0], argv.data());
    return system_error(std::format("cannot start the container runtime '{}'", program_), errno);
}

}  // namespace davit
