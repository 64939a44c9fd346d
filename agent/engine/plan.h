#pragma once
/// What a deployment means for this device: a comparison of two sets of apps, without looking at the disk.

#include <optional>
#include <string>
#include <vector>

#include "agent/deployment.h"
#include "agent/generations.h"

namespace davit {

enum class Action { Install, Update, Remove, Nothing };

/// What happens to one app that the deployment names.
struct Change {
    Action action = Action::Nothing;
    Part part;
    std::optional<AppVersion> before;  ///< what is installed now

    [[nodiscard]] bool brings_content() const { return action == Action::Install || action == Action::Update; }
    /// "update hello 1 → 2"; empty: nothing happens to it.
    [[nodiscard]] std::string todo() const;
    /// The app will run something else than before, and has to show that it is good: another commit, or the same one as
    /// an app that sends READY where it did not, or the reverse. Else it is an update of its label, or of options that
    /// count from its next start (autostart, timeout).
    [[nodiscard]] bool replaces() const;
};

/// Apps that the deployment does not name stay as they are.
struct Plan {
    std::vector<Change> changes;    ///< in the deployment's order
    std::vector<AppVersion> after;  ///< every app of the new generation, sorted by name

    [[nodiscard]] bool changes_nothing() const;
    [[nodiscard]] const Change* find(std::string_view app) const;
    [[nodiscard]] std::string todo() const;  ///< "update hello 1 → 2, install ticker 1, remove old 3"
    [[nodiscard]] std::string done() const;  ///< "updated hello 1 → 2, installed ticker 1, removed old 3"
};

/// Error: InvalidInput when an app is named twice.
Result<Plan> make_plan(const Generation& from, const Deployment& deployment);

AppVersion app_version(const Part& part);

}  // namespace davit
