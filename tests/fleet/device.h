#pragma once
/// One simulated device: the agent's real link, engine, journal and generations on two threads, as in davitd.

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "agent/config.h"
#include "agent/engine/engine.h"
#include "agent/gate/gate.h"
#include "agent/link/link.h"
#include "tests/fleet/simulation.h"
#include "tests/fleet/statistics.h"

namespace davit::fleet {

class Device : private Observer {
public:
    /// @param state its directory, below which it keeps what a device keeps below /var/lib/davit
    static Result<std::unique_ptr<Device>> start(Config::Hawkbit server, const Path& state, const Behaviour& behaviour,
                                                 Statistics& statistics, Traffic& traffic);
    ~Device() override;
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    void check_now() { events_.push(CheckNow{}); }
    void request_stop();

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] bool reached() const { return reached_; }
    [[nodiscard]] std::uint64_t requests() const { return requests_; }
    [[nodiscard]] std::uint64_t deployments_ended() const { return ended_; }
    [[nodiscard]] bool is_at_work() const;
    /// Why it is not waiting for work with all of its results delivered; empty: it is.
    [[nodiscard]] std::string busy_with() const;

private:
    Device(Journal journal, Generations generations, Config::Hawkbit server, Outbox outbox, const Path& state,
           const Behaviour& behaviour, Statistics& statistics, Traffic& traffic,
           const std::optional<JournalEntry>& active);
    void work(std::stop_token stop);
    Result<void> carry_out(const Offer& offer, std::stop_token stop);
    void tell_attributes();

    void entered(const Deployment& deployment, const Plan& plan, Phase phase, const std::string& message) override;
    void progress(const Deployment&, const std::string&, std::uint64_t, std::uint64_t) override {}
    void confirmed(const Deployment&) override { events_.push(ConfirmedHere{}); }
    void finished(const Deployment& deployment, const Outcome& outcome) override;

    std::string name_;
    Path state_;
    Statistics& statistics_;
    std::atomic<std::uint64_t> requests_ = 0;
    std::atomic<std::uint64_t> ended_ = 0;
    std::atomic<bool> reached_ = false;
    mutable std::mutex mutex_;
    std::string under_way_;  ///< "7: probation", guarded by mutex_

    Queue<Offer> offers_;
    Queue<LinkEvent> events_;
    Cancellation cancellation_;
    Gate gate_{{.soft_download = {}, .soft_update = {}, .confirm_by_itself = true}, system_clock()};
    Journal journal_;
    Generations generations_;
    Simulation simulation_;
    Engine engine_;
    Link link_;
    std::jthread worker_thread_, link_thread_;  // last: they end before what they use
};

}  // namespace davit::fleet
