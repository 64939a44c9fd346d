#pragma once
/// When the server is told how far a download is: seldom enough for its quota, often enough for somebody who watches.

#include <optional>
#include <string>

#include "agent/status.h"
#include "common/clock.h"

namespace davit {

/// Of one deployment.
class Steps {
public:
    /// @return "fetched 50 % (15.1 of 30.0 MB)", at each quarter, for a download that takes its time
    std::optional<std::string> step(const DeploymentStatus& deployment, MonotonicTime now);

private:
    std::optional<MonotonicTime> last_;  ///< when something was said; at first: when it began
    unsigned next_ = 25;                 ///< percent
};

}  // namespace davit
