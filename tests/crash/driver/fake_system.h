#pragma once
/// A systemd that starts what `current` names, and a person's eye on whether it is well. What runs is kept in a file
/// outside of the device's disk: it outlives davitd, and the harness wipes it when it cuts the power.

#include <map>
#include <set>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "agent/engine/seams.h"

namespace davit::crash {

class FakeSystem : public Apps, public Probe {
public:
    /// @param faults label ("hello 3") to what is wrong with it: "never-ready", "unhealthy", "unreadable" (its state
    /// cannot be asked for), "blocks-the-way" (never ready, and puts something where the way back leads)
    FakeSystem(Path state, Path file, std::map<std::string, std::string> faults);

    /// From now on what is about to be replaced is deleted before it is.
    void delete_first() { careless_ = true; }

    /// What happens at boot: nothing runs but what the current generation starts by itself.
    void boot();

    Result<void> prepare(const std::vector<Bundle>& apps) override;
    Result<void> restart(const std::string& app, Milliseconds start_timeout, std::stop_token stop) override;
    Result<void> stop(const std::string& app, std::stop_token stop) override;
    Result<State> state(const std::string& app) override;
    Result<void> forget_all_but(const std::vector<std::string>& keep) override;
    Result<void> probe(const std::string& app, const HealthCheck& check) override;

private:
    struct Running {
        std::string commit;
        std::string label;  ///< "hello 2"
        bool is_ready = true;
    };
    /// What a launcher would find below `current`: it reads the manifest of the checkout, not of a promise.
    [[nodiscard]] Result<Running> start(const std::string& app) const;
    [[nodiscard]] bool has_fault(const std::string& label, std::string_view fault) const;
    void load();
    Result<void> save(const std::string& deed) const;

    Result<void> delete_replaced(const std::vector<Bundle>& apps) const;

    Path state_, file_;
    std::map<std::string, std::string> faults_;
    bool careless_ = false;
    std::set<std::string> units_;
    std::map<std::string, Running> running_;
};

}  // namespace davit::crash
