#pragma once
/// Starting apps: only those that must, in the order in which they depend on each other.

#include <string>
#include <vector>

#include "agent/engine/phases.h"

namespace davit {

std::string label(const AppVersion& app);  ///< "app 'hello' 3"

/// The bundle of each of @p apps; the first error, with the app's name.
Result<std::vector<Bundle>> bundles_of(const Context& context, const std::vector<AppVersion>& apps);

/// @p apps in the order in which they stop: each before those that it needs. As far as that can be told; a bundle that
/// cannot be read is only stopped out of order.
std::vector<AppVersion> stop_order(const Context& context, const std::vector<AppVersion>& apps);

/// What happens to an app that somebody at the device has stopped.
enum class Stopped {
    Start,  ///< the deployment changes it, so it has to show that it is good
    Leave,  ///< it is only named: `davitctl stop` outlives the update of other apps
};

/// Whether @p app has to be started now: it runs another commit (or as an app of another kind), or it does not run and
/// should. An app without autostart is left as the user left it.
bool must_start(const Apps::State& state, const AppVersion& app, const Manifest& manifest, Stopped stopped);

/// Whether the content of @p change has to be looked at, and fetched again where it is damaged: it is new, or the app
/// is here and cannot be read, or does not run.
Result<bool> needs_content(const Context& context, const Change& change);

/// Starts @p app if it must. Returns when it has started (notify: READY). Errors: AppFailed "app 'hello' 3 did not
/// start: …".
Result<void> start_if_needed(const Context& context, const AppVersion& app, const Manifest& manifest, Stopped stopped);

}  // namespace davit
