#pragma once
/// What people and programs at the device ask for over D-Bus, and whether it can be done now. Reads the disk for each
/// question: questions come now and then.

#include "agent/bus/agent_bus.h"
#include "agent/config.h"
#include "agent/daemon/task.h"
#include "agent/daemon/turns.h"
#include "agent/engine/cancellation.h"
#include "agent/gate/gate.h"
#include "agent/link/link.h"
#include "agent/status.h"
#include "common/queue.h"
#include "containers/bundle.h"

namespace davit {

/// On the main thread only. Everything that it is given must outlive it.
class Requests {
public:
    struct Parts {
        const Config& config;
        const DevicePaths& paths;
        const Status& status;
        Queue<LinkEvent>& link;
        std::function<void(Task)> hand_on;  ///< to the worker
        Turns& turns;
        Cancellation& cancellation;
        Gate& gate;
        std::function<void(std::function<void()>)> later;  ///< does work on the main thread soon
    };
    explicit Requests(Parts parts) : parts_(std::move(parts)) {}

    [[nodiscard]] AgentBus::Handlers handlers();

private:
    [[nodiscard]] Result<std::vector<HistoryEntry>> history(int limit) const;
    [[nodiscard]] Result<std::vector<Generations::Named>> generations() const;
    bool check();
    [[nodiscard]] std::vector<AppView> apps() const;
    Result<std::string> roll_back(std::uint64_t generation);
    [[nodiscard]] std::vector<InhibitorStatus> inhibitors();
    Result<std::uint64_t> inhibit(InhibitorStatus wanted);
    Result<std::string> install(const std::vector<std::string>& places, Downgrade downgrade);
    Result<std::string> remove(const std::string& app);
    Result<std::string> cancel();
    void order(AppVerb verb, const std::string& app, AgentBus::Reply reply);
    Result<std::string> deploy(Deployment deployment);
    /// Error: AlreadyExists saying what is under way.
    [[nodiscard]] Result<void> is_free() const;

    Parts parts_;
    unsigned orders_ = 0;
};

}  // namespace davit
