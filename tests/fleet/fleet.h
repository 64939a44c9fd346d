#pragma once
/// All devices together: started over a while, told when to poll, asked how they are.

#include <memory>
#include <random>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tests/fleet/device.h"

namespace davit::fleet {

struct FleetOptions {
    int devices = 100;
    std::string prefix = "fleet-";
    Config::Hawkbit server;  ///< controller_id is set for each
    Path state;              ///< a directory in memory: every device has a database below it
    Milliseconds poll{};     ///< polls at least so often, whatever the server says; 0: as the server says
    int starts_per_second = 100;
    Behaviour behaviour;
};

class Fleet {
public:
    explicit Fleet(FleetOptions options);

    /// Starts what is due by now, and lets those poll whose turn it is. Call it often.
    Result<void> tick();
    /// Every device has ended at least @p deployments, and nothing is left to do or to deliver.
    [[nodiscard]] bool are_done(std::uint64_t deployments) const;
    [[nodiscard]] std::string line() const;  ///< one for people
    [[nodiscard]] nlohmann::json summary() const;
    /// All at once, then each is waited for.
    void stop();

private:
    [[nodiscard]] std::string name_of(std::size_t number) const;

    FleetOptions options_;
    Statistics statistics_;
    Traffic traffic_;
    MonotonicTime started_;
    std::vector<std::unique_ptr<Device>> devices_;
    std::uint64_t polls_asked_ = 0;
};

}  // namespace davit::fleet
