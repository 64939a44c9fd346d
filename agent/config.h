#pragma once
/// davitd's configuration: /usr/lib/davit/davitd.json, then /etc/davit/davitd.json, then /etc/davit/davitd.d/*.json in
/// order of their names, each merged over the ones before (RFC 7386: null removes). JSON with comments. Reference for
/// users: docs/configuration.md.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/file.h"
#include "common/result.h"

namespace davit {

struct Config {
    struct Hawkbit {
        std::string url;  ///< empty: no server, local use only
        std::string tenant = "DEFAULT";
        std::string controller_id;              ///< default: the host name
        std::optional<Path> target_token_file;  ///< at most one of the two
        std::optional<Path> gateway_token_file;
        std::optional<std::string> ca_file;   ///< default: the system's authorities
        Milliseconds timeout{30'000};         ///< of one request
        Milliseconds longest_retry{600'000};  ///< back-off while the server does not answer
    } hawkbit;

    struct Repository {
        std::string url;  ///< where commits come from, unless the deployment names another
        std::optional<std::string> ca_file;
    } repository;

    struct Download {
        Milliseconds stall_timeout{60'000};  ///< no byte for so long: killed and tried again
        Milliseconds first_retry{5'000};
        Milliseconds longest_retry{300'000};
        Milliseconds give_up_after{24 * 3'600'000};
        std::uint64_t reserve = 32u << 20;  ///< bytes that stay free on the disk
    } download;

    /// Times of the day by the device's clock, in minutes since midnight; may go over midnight.
    struct Hours {
        int from = 0;
        int to = 0;
        bool operator==(const Hours&) const = default;
    };
    /// What a soft deployment waits for, beside inhibitors. Neither: nothing.
    struct Soft {
        bool ask = false;            ///< the yes of a person
        std::optional<Hours> hours;  ///< these hours
        bool operator==(const Soft&) const = default;
    };
    struct Rules {
        Soft soft_download;
        Soft soft_update;
        bool confirm_by_itself = false;  ///< where the server asks for a yes of the device
    } rules;

    std::map<std::string, std::string> attributes;  ///< reported to hawkBit beside Davit's own
    std::string runtime = "runc";
    std::string log_level = "info";  ///< error, warning, notice, info, debug

    std::vector<std::string> warnings;  ///< unknown keys and the like, for the log
};

/// Reads the files below @p root ("/" on a device). Errors: InvalidInput naming file, path and expected type; a file
/// that exists but cannot be read.
Result<Config> load_config(const Path& root);

}  // namespace davit
