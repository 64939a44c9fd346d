#pragma once
/// Deployments that somebody at the device asks for: no server offers them, and none waits for their result.

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/deployment.h"
#include "agent/generations.h"

namespace davit {

/// What makes the apps of the device those of @p target again. Its content is on this disk as long as a role names the
/// generation.
Deployment back_to(const Generation& target, const Generation& current, std::string id);

/// The deployment that `davitctl rollback` asks for. Reads only; may run while the worker works.
/// @param number of a generation that a role names; 0: the previous one
/// Errors: NotFound "there is no generation 7 …", "… no previous generation"; AlreadyExists: it is current.
Result<Deployment> rollback_deployment(const Generations& generations, Generations::Number number, std::int64_t now_ms);

/// The deployment that `davitctl remove` asks for. Errors: NotFound "no app 'x' is installed …".
Result<Deployment> removal_deployment(const Generations& generations, const std::string& app, std::int64_t now_ms);

/// A place that somebody at the device names, to install an app from.
struct Origin {
    std::string url;     ///< of a repository; or file:// and the path of a file of `davit app export`
    std::string ref;     ///< of the app; empty: the only one there
    std::string commit;  ///< empty: the newest one

    bool operator==(const Origin&) const = default;
};
/// "/media/usb/hello.davit", "/media/usb/repo#hello", "https://updates.example/repo#hello@<commit>".
/// Errors: InvalidInput saying what was expected.
Result<Origin> parse_origin(const std::string& text);

/// Whether the apps may be older than what was kept here before.
enum class Downgrade { Refuse, Allow };

/// "local-1763715600000": the id of a deployment that began at the device.
std::string local_id(std::int64_t now_ms);

/// What `davitctl start|stop|restart` do with one app.
enum class AppVerb { Start, Stop, Restart };
std::string_view name(AppVerb verb);  ///< "start"

}  // namespace davit
