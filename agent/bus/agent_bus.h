#pragma once
/// org.davit.Agent1 on the system bus: what davitctl and other programs at the device see. Contract:
/// units/org.davit.Agent1.xml.

#include <functional>
#include <memory>
#include <vector>

#include "agent/journal.h"
#include "agent/local.h"
#include "agent/status.h"
#include "common/result.h"

struct sd_event;

namespace davit {

/// Lives on the main thread, in its event loop.
class AgentBus {
public:
    using Reply = std::function<void(Result<std::string>)>;
    struct Handlers {
        std::function<const Status&()> status;
        std::function<Result<std::vector<HistoryEntry>>(int limit)> history;
        std::function<bool()> check;  ///< false: there is no server to ask
        std::function<Result<std::vector<Generations::Named>>()> generations;
        std::function<std::vector<AppView>()> apps;
        // These four return the deployment's id.
        std::function<Result<std::string>(std::uint64_t generation)> rollback;
        std::function<Result<std::string>(const std::vector<std::string>& places, Downgrade downgrade)> install;
        std::function<Result<std::string>(const std::string& app)> remove;
        std::function<Result<std::string>()> cancel;
        /// The reply, a sentence, is called later, on the main thread.
        std::function<void(AppVerb verb, const std::string& app, Reply reply)> app;
        std::function<std::string()> asking;  ///< the deployment that needs a yes, or ""
        std::function<Result<void>(const std::string& id, bool yes, const std::string& reason)> answer;
        std::function<std::vector<InhibitorStatus>()> inhibitors;
        std::function<Result<std::uint64_t>(InhibitorStatus)> inhibit;  ///< @return its id
        std::function<bool(std::uint64_t id)> release;                  ///< false: there is none
        std::function<void(std::function<void()>)> later;               ///< does work when this call is over
    };

    /// Takes the name org.davit.Agent1. Error: System when the bus or the name cannot be had.
    static Result<std::unique_ptr<AgentBus>> create(sd_event* event, Handlers handlers);
    ~AgentBus();

    void phase_changed(const DeploymentStatus& deployment);

private:
    struct Impl;
    explicit AgentBus(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace davit
