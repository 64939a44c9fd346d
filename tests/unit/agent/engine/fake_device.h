#pragma once
/// A device without an operating system: a server with commits, a disk that gets checkouts, and a systemd that starts
/// what `current` names.
///
/// It outlives the engine, as a device outlives davitd, and can kill it at every call that the engine makes.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/engine/seams.h"
#include "tests/unit/agent/engine/fake_clock.h"

namespace davit::test {

/// One version of one app, as a publisher has made it.
struct Release {
    Manifest manifest;
    std::uint64_t bytes = 1000;
    bool is_signed = true;
    std::optional<std::string> policy_refuses;

    [[nodiscard]] std::string label() const { return manifest.name + " " + manifest.version; }
    [[nodiscard]] std::string commit() const { return manifest.name + "-" + manifest.version; }
    [[nodiscard]] Part part() const;
    [[nodiscard]] AppVersion version() const;
};

/// A notify app with an http probe every 5 s, to be watched for 30 s.
Release app(std::string name, std::string version);
Part removal(const std::string& name);

/// What an app does wrong.
struct Fault {
    bool never_ready = false;
    bool unhealthy = false;
    int sick_probes = 0;                     ///< so many probes fail, then it is well
    std::optional<Milliseconds> dies_after;  ///< and systemd restarts it
    std::optional<Milliseconds> ends_after;  ///< and stays down
};

class FakeDevice : public Content, public Apps, public Probe, public Permission, public Observer {
public:
    FakeDevice(Path state, FakeClock& clock) : state_(std::move(state)), clock_(clock) {}

    // The world around the device.
    Part publishes(const Release& release);
    void has(const std::vector<Release>& apps);  ///< installed and running, as generation 1
    void reboots();
    void user_stops(const std::string& app);
    void crashes(const std::string& app);  ///< and systemd gives up
    void user_starts(const std::string& app);
    Fault& fault(const std::string& label) { return faults_[label]; }
    std::uint64_t free = 1'000'000;
    int inspections = 0;                ///< how often content was looked at
    int failing_fetches = 0;            ///< so many pulls find no network
    std::optional<Error> reload_fails;  ///< what systemd says to changed units
    std::optional<Error> keep_only_fails;
    bool goes_down = false;  ///< systemd stops everything, and says so instead of judging an app
    /// What somebody says when the engine asks; each wait of the engine is over when the answer is another one.
    std::function<Answer(Permission::Step, bool confirmed)> says;
    std::function<void()> before_call;  ///< where tests break in
    std::function<void()> after_call;
    std::function<void()> when_told;  ///< somebody has read what phase it is in

    // What one sees of it.
    [[nodiscard]] std::vector<std::string> running() const;  ///< "hello 2"
    [[nodiscard]] std::vector<std::string> units() const { return {units_.begin(), units_.end()}; }
    [[nodiscard]] std::vector<std::string> commits() const { return {fetched_.begin(), fetched_.end()}; }
    [[nodiscard]] const std::vector<std::string>& did() const { return did_; }  ///< "start hello 2", "stop old", …
    [[nodiscard]] int times(const std::string& deed) const;
    [[nodiscard]] const std::vector<std::string>& told() const { return told_; }  ///< "probation: watching …"
    [[nodiscard]] const std::vector<std::string>& finished_ids() const { return finished_; }
    [[nodiscard]] const std::vector<std::string>& progresses() const { return progress_; }  ///< "hello 250 of 500"
    [[nodiscard]] const std::vector<std::string>& confirmed_ids() const { return confirmed_; }
    [[nodiscard]] int waits() const { return waits_; }
    void forget_what_it_did() { did_.clear(); }

    // Content
    Result<Cost> inspect(const Part& part, std::stop_token stop) override;
    Result<void> pull(const Part& part, std::stop_token stop, const OnProgress& progress) override;
    Result<void> checkout(const Part& part, std::stop_token stop) override;
    Result<Bundle> bundle(const AppVersion& app) override;
    Result<void> keep_only(const std::vector<AppVersion>& keep, std::stop_token stop) override;
    Result<std::uint64_t> free_bytes() override;
    // Apps
    Result<void> prepare(const std::vector<Bundle>& apps) override;
    Result<void> restart(const std::string& app, Milliseconds start_timeout, std::stop_token stop) override;
    Result<void> stop(const std::string& app, std::stop_token stop) override;
    Result<State> state(const std::string& app) override;
    Result<void> forget_all_but(const std::vector<std::string>& keep) override;
    // Probe
    Result<void> probe(const std::string& app, const HealthCheck& check) override;
    // Permission
    Answer ask(const Deployment& deployment, Permission::Step step, bool confirmed) override;
    void wait(const Answer& answer, std::stop_token stop) override;
    // Observer
    void entered(const Deployment& deployment, const Plan& plan, Phase phase, const std::string& message) override;
    void progress(const Deployment& deployment, const std::string& app, std::uint64_t bytes,
                  std::uint64_t expected) override;
    void confirmed(const Deployment& deployment) override;
    void finished(const Deployment& deployment, const Outcome& outcome) override;

private:
    struct Running {
        std::string commit;
        MonotonicTime since;
        bool is_ready = true;
        StartType as = StartType::Notify;
    };
    struct Down {
        MonotonicTime since;
        bool failed = false;
    };
    [[nodiscard]] Manifest manifest_of(const AppVersion& app) const;
    void run(const std::string& app);
    void restart_dependants(const std::string& app);
    void down(const std::string& app, bool failed);
    /// One call of the engine: it may die just before it, or just after.
    template <typename F>
    auto call(F effect) {
        if (before_call) before_call();
        auto result = effect();
        if (after_call) after_call();
        return result;
    }
    void note(std::string deed) { did_.push_back(std::move(deed)); }
    [[nodiscard]] const Release& release(const std::string& commit) const { return published_.at(commit); }
    [[nodiscard]] std::optional<std::string> current_commit(const std::string& app) const;
    Fault& fault_of(const Running& app) { return faults_[release(app.commit).label()]; }
    State state_of(const std::string& app);

    Path state_;
    FakeClock& clock_;
    std::map<std::string, Release> published_;  ///< by commit
    std::map<std::string, Fault> faults_;       ///< by label
    std::set<std::string> fetched_;             ///< commits in the device's repository
    std::set<std::string> units_;
    std::map<std::string, Running> running_;
    std::map<std::string, Down> down_;  ///< those that ran since boot and do not now
    std::vector<std::string> did_, told_, finished_, confirmed_, progress_;
    int waits_ = 0;
};

}  // namespace davit::test
