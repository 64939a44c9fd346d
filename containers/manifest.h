#pragma once
/// The app manifest, `davit.json`: what a publisher says about an app, inside the signed commit.
///
/// Reference for users: docs/manifest.md. Unknown fields are errors here, since a typing error in "health" must not
/// silently mean "no health check".

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/result.h"

namespace davit {

/// When an app counts as started.
enum class StartType {
    Notify,   ///< it sends READY=1 to $NOTIFY_SOCKET
    Running,  ///< its process exists
    Oneshot,  ///< it ran to its end with exit code 0
};

std::string_view name(StartType start);                       ///< "notify"
std::optional<StartType> start_type_named(std::string_view);  ///< nullopt: no such type

struct HealthCheck {
    // At most one of the three; none: running is healthy.
    std::optional<std::string> http;  ///< URL that must answer 200…399 ("http://127.0.0.1:8080/health")
    std::optional<std::string> tcp;   ///< "host:port" that must accept a connection
    std::vector<std::string> exec;    ///< command inside the container that must exit with 0
    Milliseconds start_delay{0};      ///< after READY, before the first probe
    Milliseconds every{5'000};
    Milliseconds timeout{3'000};           ///< of one probe
    int failures = 3;                      ///< so many failed probes in a row make the app unhealthy
    Milliseconds stays_up{30'000};         ///< probation: no restart and no failed verdict for so long after READY
    std::optional<Milliseconds> watchdog;  ///< the app sends WATCHDOG=1 at least so often, or systemd restarts it
};

struct Volume {
    std::string name;  ///< directory below /var/lib/davit/data/<app>/, survives updates
    std::string path;  ///< absolute, in the container
};

struct Resources {
    std::optional<std::string> memory;  ///< as systemd's MemoryMax takes it: "64M"
    std::optional<std::string> cpu;     ///< as systemd's CPUQuota takes it: "50%"
    std::optional<std::int64_t> tasks;  ///< TasksMax
};

struct ProcessSpec {
    std::vector<std::string> args;
    std::map<std::string, std::string> env;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::string cwd = "/";
};

enum class Restart { OnFailure, Always, Never };

struct Manifest {
    std::string name;
    std::string version;
    std::int64_t sequence = 0;
    StartType start = StartType::Notify;
    Milliseconds start_timeout{60'000};
    HealthCheck health;
    Restart restart = Restart::OnFailure;
    bool autostart = true;  ///< false: installed but started only by hand
    Milliseconds stop_timeout{10'000};
    std::vector<std::string> after;      ///< apps started before this one
    std::vector<std::string> wants;      ///< apps that should run with it
    std::vector<std::string> requires_;  ///< "requires": apps without which it is restarted or stopped
    Resources resources;
    std::vector<Volume> volumes;
    bool host_network = true;               ///< "network": "host" or "none"
    std::vector<std::string> devices;       ///< refused unless the policy allows each
    std::vector<std::string> capabilities;  ///< "CAP_NET_RAW"
    std::optional<ProcessSpec> process;     ///< absent: config.json beside it says what to run
};

/// Reads and checks a manifest. Errors: InvalidInput with path and expected type or rule ("davit.json: health.every:
/// expected a string, got a number").
Result<Manifest> parse_manifest(std::string_view text);

/// What FullMetalUpdate's form (config.json + rootfs/, no davit.json) means: the options come from the module's
/// metadata.
struct LegacyOptions {
    bool notify = false;
    bool autostart = true;
    std::optional<Milliseconds> timeout = {};

    bool operator==(const LegacyOptions&) const = default;
};
Manifest legacy_manifest(std::string_view name, std::string_view version, const LegacyOptions& options);

/// The rule for app names: 1…64 of [a-z0-9._-], starting with a letter or digit. It keeps names equal in files, refs,
/// units and cgroups.
Result<void> check_app_name(std::string_view name);

}  // namespace davit
