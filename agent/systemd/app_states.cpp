#include "agent/systemd/app_states.h"

#include "agent/app_words.h"
#include "agent/systemd/systemd_apps.h"
#include "common/log.h"

namespace davit {

std::string trouble(const Apps::State& state, MonotonicTime now) {
    const auto why = state.reason.empty() ? "" : ": it " + state.reason;
    if (state.failed) return "failed" + why;
    if (state.stopped) return {};
    const auto up = state.started_at ? std::chrono::duration_cast<Milliseconds>(now - *state.started_at) : kCalm;
    if (!is_restarting(state.active, state.restarts, up)) return {};
    return restarting_roughly(state.restarts) + why;
}

std::map<std::string, std::string> states_of_troubled_apps(const DevicePaths& paths, MonotonicTime now) {
    constexpr std::string_view kNote = ".end";
    std::map<std::string, std::string> states;
    for (const auto& name : file::list(paths.run).value_or(std::vector<std::string>{})) {
        if (!name.ends_with(kNote)) continue;
        const auto app = name.substr(0, name.size() - kNote.size());
        const auto state = SystemdApps({.paths = paths, .libexec = {}}).state(app);
        if (!state) {
            log::debug("cannot ask how app '{}' is: {}", app, state.error().message);
            continue;
        }
        if (!state->exists) continue;
        if (auto words = trouble(*state, now); !words.empty()) states["app." + app + ".state"] = std::move(words);
    }
    return states;
}

}  // namespace davit
