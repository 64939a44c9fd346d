#pragma once
/// What a simulated device does not really do: fetch content, run apps, probe them. All else of it is the real agent.

#include <cstdint>
#include <random>
#include <set>
#include <string>

#include "agent/engine/seams.h"

namespace davit::fleet {

struct Behaviour {
    Milliseconds fetch_time{100};  ///< of one pull
    Milliseconds start_time{20};   ///< until an app is READY
    Milliseconds stays_up{500};    ///< its probation
    int network_failures = 0;      ///< of 100 pulls so many find no network
    int app_failures = 0;          ///< of 100 devices so many cannot start a commit, always the same ones
    std::uint64_t seed = 1;
};

/// Content, apps and probe of one device, all of it in memory but the names of the checkouts (Generations wants them).
/// The sequence of a release is the last number in its version ("shop-12" and "1.12" have 12). Owned by the device's
/// worker.
class Simulation : public Content, public Apps, public Probe {
public:
    Simulation(std::string device, Path state, const Behaviour& behaviour, Clock& clock);

    Result<Cost> inspect(const Part& part, std::stop_token stop) override;
    Result<void> pull(const Part& part, std::stop_token stop, const OnProgress& progress) override;
    Result<void> checkout(const Part& part, std::stop_token stop) override;
    Result<Bundle> bundle(const AppVersion& app) override;
    Result<void> keep_only(const std::vector<AppVersion>& keep, std::stop_token stop) override;
    Result<std::uint64_t> free_bytes() override;

    Result<void> prepare(const std::vector<Bundle>& apps) override;
    Result<void> restart(const std::string& app, Milliseconds start_timeout, std::stop_token stop) override;
    Result<void> stop(const std::string& app, std::stop_token stop) override;
    Result<State> state(const std::string& app) override;
    Result<void> forget_all_but(const std::vector<std::string>& keep) override;

    Result<void> probe(const std::string& app, const HealthCheck& check) override;

private:
    Result<void> takes(Milliseconds time, std::stop_token stop);
    [[nodiscard]] bool is_unlucky(const std::string& commit) const;
    [[nodiscard]] Result<std::string> current_commit(const std::string& app) const;

    std::string device_;
    Path state_;
    Behaviour behaviour_;
    Clock& clock_;
    std::minstd_rand random_;
    std::set<std::string> fetched_;               ///< commits
    std::map<std::string, std::string> running_;  ///< commit by app
};

/// "1.12" → 12; 0 when there is no number.
std::int64_t sequence_of(std::string_view version);

}  // namespace davit::fleet
