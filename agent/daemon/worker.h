#pragma once
/// The worker thread: the engine, one deployment at a time, and what it tells the others.

#include <functional>

#include "agent/config.h"
#include "agent/daemon/daemon.h"
#include "agent/daemon/steps.h"
#include "agent/daemon/task.h"
#include "agent/engine/engine.h"
#include "agent/journal.h"
#include "agent/link/link.h"
#include "agent/status.h"
#include "common/queue.h"

namespace davit {

class Worker {
public:
    struct Outputs {
        std::function<void(DeploymentStatus)> deployment;  ///< called on the worker; must not block
        std::function<void(std::uint64_t number, std::vector<AppVersion>)>
            apps;  ///< the current generation, at start and after each deployment
        Queue<LinkEvent>& link;
    };

    /// @param cancellation how others stop the deployment under way; must outlive this, as @p permission must
    Worker(const Config& config, const DaemonPaths& paths, Journal journal, Generations generations,
           Cancellation& cancellation, Permission& permission, Outputs outputs);

    /// Resumes what was under way, then does each task to its end, until @p stop.
    void run(Queue<Task>& tasks, std::stop_token stop);

private:
    class Reporter;
    struct Hands;
    void publish_apps();
    void resume(Hands& hands, std::stop_token stop);
    void deploy(const Offer& offer, Hands& hands, std::stop_token stop);
    Result<void> try_to_deploy(const Offer& offer, Hands& hands, std::stop_token stop);
    /// What the places hold; an offer that is refused when one of them cannot be read.
    Offer offer_of(const Install& install, Hands& hands, std::stop_token stop);

    const Config& config_;
    const DaemonPaths& paths_;
    Journal journal_;
    Generations generations_;
    Cancellation& cancellation_;
    Permission& permission_;
    Outputs outputs_;
};

}  // namespace davit
