#pragma once
/// What people and programs at the device ask for over D-Bus, and whether it can be done now. Reads the disk for each
/// question: questions come now and then.

#include "agent/bus/agent_bus.h"
#include "agent/config.h"
#include "agent/daemon/turns.h"
#include "agent/gate/gate.h"
#include "agent/link/link.h"
#include "agent/status.h"
#include "common/queue.h"

namespace davit {

/// On the main thread only. Everything that it is given must outlive it.
class Requests {
public:
    struct Parts {
        const Config& config;
        Path state;  ///< /var/lib/davit
        const Status& status;
        Queue<LinkEvent>& link;
        std::function<void(Deployment)> deploy;  ///< hands a deployment of somebody at the device on
        Turns& turns;
        Gate& gate;
        std::function<void(std::function<void()>)> later;  ///< does work on the main thread soon
    };
    explicit Requests(Parts parts) : parts_(std::move(parts)) {}

    [[nodiscard]] AgentBus::Handlers handlers();

private:
    [[nodiscard]] Result<std::vector<HistoryEntry>> history(int limit) const;
    [[nodiscard]] Result<std::vector<Generations::Named>> generations() const;
    bool check();
    Result<std::string> roll_back(std::uint64_t generation);
    [[nodiscard]] std::vector<InhibitorStatus> inhibitors();
    Result<std::uint64_t> inhibit(InhibitorStatus wanted);
    /// Error: AlreadyExists saying what is under way.
    [[nodiscard]] Result<void> is_free() const;

    Parts parts_;
};

}  // namespace davit
