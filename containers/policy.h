#pragma once
/// What this device lets an app ask for: /etc/davit/policy.json, or the safe default.

#include <set>
#include <string>

#include "common/file.h"
#include "common/result.h"

namespace davit {

struct Policy {
    /// Capabilities that an app may keep. The default is what container engines give an unprivileged container.
    std::set<std::string> capabilities = {"CAP_CHOWN",       "CAP_DAC_OVERRIDE",     "CAP_FOWNER", "CAP_FSETID",
                                          "CAP_KILL",        "CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID",
                                          "CAP_AUDIT_WRITE", "CAP_SETPCAP"};
    /// Device nodes that an app may be given.
    std::set<std::string> devices = {};
    /// Host directories that an app may bind (read-only or not), with everything below them.
    std::set<std::string> bind_sources = {};
    bool host_network = true;
};

/// The policy in @p file; the default when there is no such file. Errors: InvalidInput with path and expected type.
Result<Policy> load_policy(const Path& file);

}  // namespace davit
