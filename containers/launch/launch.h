#pragma once
/// What `davit-launch` does, under the app's unit: makes the rendered bundle in /run and becomes the container runtime.

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "containers/bundle.h"
#include "containers/launch/runtime.h"

namespace davit {

/// What the current generation says about one app.
struct InstalledApp {
    std::string version;
    std::string commit;
    Path checkout;
    LegacyOptions legacy;
};

/// Reads it through `<state>/current`, which is followed once: a switch in between gives the old or the new app, never
/// a mixture. Errors: NotFound when the app is not in the current generation; Corrupt when the generation is damaged.
Result<InstalledApp> find_installed(const DevicePaths& paths, std::string_view app);

/// A read-only view of @p source at @p target, in place of what was mounted there before.
Result<void> bind_read_only(const Path& source, const Path& target);
/// Takes away whatever is mounted at @p target. Fine if nothing is.
Result<void> unmount(const Path& target);

/// Makes the volumes' directories that do not exist yet, for the app's user.
Result<void> make_volumes(const Bundle& bundle, const DevicePaths& paths, const nlohmann::json& config);

/// Starts @p app; on success this process has become the runtime, so it returns only an error.
[[nodiscard]] Error launch(const std::string& app, const DevicePaths& paths, const Runtime& runtime);

/// How systemd says that the service ended: $SERVICE_RESULT, $EXIT_CODE, $EXIT_STATUS of ExecStopPost.
struct ServiceEnd {
    std::string result, code, status;
};
/// Keeps in DevicePaths::last_end() how the app ended; removes that when it ended well, which is also how it ends when
/// somebody stops it. In memory only: a reboot forgets it. systemd itself forgets it with the next start.
Result<void> note_end(const std::string& app, const DevicePaths& paths, const ServiceEnd& end);

/// Removes what @p app's container has left: its id, the mount, the PID file.
Result<void> clean_up(const std::string& app, const DevicePaths& paths, const Runtime& runtime);

}  // namespace davit
