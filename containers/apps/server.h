#pragma once
/// What the two example apps share: a small HTTP server that tells systemd when it is ready, and switches with which it
/// misbehaves on request.
///
/// Standalone on purpose (no room of Davit, linked statically): a bundle needs nothing but the one file.

#include <functional>
#include <string>
#include <string_view>

namespace apps {

struct Settings {
    std::string name;
    std::string version;       ///< --version, else /etc/version
    int port = 0;              ///< --port, else $PORT, else the app's own
    int health_status = 200;   ///< --health-status: what /health answers
    bool never_ready = false;  ///< --never-ready: serves, but never sends READY=1
    int start_delay_ms = 0;    ///< --start-delay: waits before it listens
    int exit_after_ms = -1;    ///< --exit-after: ends with exit code 3 so long after READY
    int hang_after_ms = -1;    ///< --hang-after: feeds systemd's watchdog no longer so long after READY
};

/// Reads the command line; ends the program with exit code 2 and a message if it is wrong, and at once with exit code N
/// for --exit-with N: a health command, or a oneshot app.
Settings read_settings(std::string name, int port, int argc, char** argv);

/// Serves GET / (what @p greeting gives), /version and /health until SIGTERM. @return the exit code
int serve(const Settings& settings, const std::function<std::string()>& greeting);

}  // namespace apps
