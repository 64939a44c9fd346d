#pragma once
/// The rules for single strings of a manifest, a policy or a config.json.
///
/// Each gives nullopt for a good string, or what is wrong with it, as the end of a sentence that begins with the
/// field's path: "volumes[0].path" + ": " + "\"data\" is not absolute". The strings come from outside and end in units,
/// mount options and paths, so a rule lists what is allowed and never what is forbidden.

#include <optional>
#include <string>
#include <string_view>

namespace davit::rules {

using Objection = std::optional<std::string>;

Objection app_name(std::string_view text);       ///< 1…64 of [a-z0-9._-], first a letter or digit, not ending in ".pid"
Objection version(std::string_view text);        ///< 1…128 printable ASCII characters without space
Objection argument(std::string_view text);       ///< anything but NUL: what execve can carry
Objection env_name(std::string_view text);       ///< a shell's variable name, and none that Davit sets itself
Objection absolute_path(std::string_view text);  ///< "/a/b": normal form, no "." or "..", no control characters
Objection mount_point(std::string_view text);    ///< an absolute path that is not "/" and not in /proc, /sys or /dev
Objection device_node(std::string_view text);    ///< an absolute path below /dev
Objection memory(std::string_view text);         ///< systemd's MemoryMax: "64M", "1G", "50%", bytes
Objection cpu(std::string_view text);            ///< systemd's CPUQuota: "50%", "200%"
Objection http_url(std::string_view text);       ///< "http://host[:port][/path]" or https
Objection host_and_port(std::string_view text);  ///< "host:port"

/// "net_raw", "cap_net_raw" and "CAP_NET_RAW" as "CAP_NET_RAW"; nullopt if Linux has no such capability.
std::optional<std::string> capability(std::string_view text);

/// @p text in double quotes, with control characters as \xNN, for messages.
std::string quoted(std::string_view text);

}  // namespace davit::rules
