#pragma once
/// What a bundle asks to run with, from `process` of davit.json or from config.json: a wish, of which the policy
/// decides.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "containers/bundle.h"

namespace davit {

/// A host file or directory that a config.json wants to see in the container.
struct BindWish {
    std::string field;  ///< for messages: "config.json: mounts[7]"
    Path source;        ///< as written
    Path real;  ///< where it leads on this machine: what the policy judges and the runtime gets; empty if unclear
    std::string destination;
    std::vector<std::string> options;
};

struct TmpfsWish {
    std::string destination;
    std::vector<std::string> options;
};

struct DeviceWish {
    std::string field;
    std::string path;
};

struct Wish {
    std::vector<std::string> args;
    std::vector<std::string> env;  ///< "NAME=value"
    std::string cwd = "/";
    nlohmann::json user;                                        ///< the runtime's form: uid, gid, additionalGids, umask
    std::map<std::string, std::set<std::string>> capabilities;  ///< by the runtime's set: "bounding", "effective", …
    std::map<std::string, std::string> capability_field;        ///< which field asked for it first, for messages
    nlohmann::json rlimits;                                     ///< null or the runtime's list
    nlohmann::json resources;  ///< limits below the unit's: null, or memory, cpu, pids in the runtime's form
    nlohmann::json seccomp;    ///< null or the runtime's filter
    std::vector<BindWish> binds;
    std::vector<TmpfsWish> tmpfs;
    std::vector<DeviceWish> devices;
    bool host_network = true;
};

/// The wish of @p bundle. Errors: InvalidInput with the field; Unsupported for what this version cannot give (a user
/// namespace).
Result<Wish> read_wish(const Bundle& bundle);

/// What @p policy does not allow. Errors: PolicyRefused naming app, field and rule.
Result<void> check_policy(const std::string& app, const Wish& wish, const Policy& policy);

/// The part of the wish that config.json @p text states. Used by read_wish.
Result<Wish> read_oci_config(std::string_view text);

}  // namespace davit
