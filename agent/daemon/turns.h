#pragma once
/// Whose turn it is: the server's deployments and those of people at the device, one at a time, in the order in which
/// they came.

#include <optional>
#include <string>
#include <vector>

#include "agent/status.h"
#include "common/result.h"

namespace davit {

/// Not thread-safe: the main thread's, through which every deployment passes on its way to the worker.
class Turns {
public:
    enum class From { Server, Device };

    /// @p id is on its way to the worker, after those that came before. @param what it is, until the worker says more
    void take(const std::string& id, From from, std::string what);
    /// The same for something else than a deployment, under an id of its own. @param what "the start of app 'hello'"
    void take_order(const std::string& id, std::string what);
    void ended(const std::string& id);

    /// Why nobody at the device can begin something now: "deployment 7 of the server is under way (downloading:
    /// fetching what is missing); …". nullopt: it is free.
    /// @param now what the worker said last
    [[nodiscard]] std::optional<std::string> refusal(const DeploymentStatus& now) const;

    /// The deployment of somebody at the device that is under way or waits. Error: NotFound when there is none, saying
    /// where another one can be canceled.
    [[nodiscard]] Result<std::string> local() const;

    /// What the server is told of a deployment that came now: that it waits, and for what. nullopt: it begins at once,
    /// or waits for another one of the server, which the server knows of.
    [[nodiscard]] std::optional<std::string> wait(const DeploymentStatus& now) const;

    /// The deployment that is shown until the worker says more; an empty id when there is none.
    [[nodiscard]] DeploymentStatus first() const;

private:
    struct Turn {
        std::string id;
        From from;
        std::string what;
        bool is_deployment = true;
    };
    [[nodiscard]] static std::string describe(const Turn& turn, const DeploymentStatus& now);

    std::vector<Turn> turns_;
};

}  // namespace davit
