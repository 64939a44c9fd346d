#pragma once
/// The apps as systemd units, over D-Bus.

#include "agent/engine/seams.h"
#include "agent/systemd/unit_files.h"

namespace davit {

struct UnitProperties;

/// Each call that needs systemd opens a bus connection of its own and closes it at the end. So nothing is to be
/// repaired when the bus was restarted, no signal of systemd ever wakes an idle agent, and every method may be called
/// from any one thread at a time. Every error that has no name in the seam is Code::System with D-Bus's own message.
class SystemdApps : public Apps {
public:
    explicit SystemdApps(UnitOptions options);

    Result<void> prepare(const std::vector<Bundle>& apps) override;
    Result<void> restart(const std::string& app, Milliseconds start_timeout, std::stop_token stop) override;
    /// Starts the app unless it runs; a start that is under way is waited for. Errors: those of restart().
    Result<void> start(const std::string& app, Milliseconds start_timeout, std::stop_token stop);
    Result<void> stop(const std::string& app, std::stop_token stop) override;
    Result<State> state(const std::string& app) override;
    Result<void> forget_all_but(const std::vector<std::string>& keep) override;

private:
    Result<void> reload_if_needed();
    Result<UnitProperties> properties(const std::string& app);
    Result<void> bring_up(const char* method, const std::string& app, Milliseconds start_timeout, std::stop_token stop);

    DevicePaths paths_;
    UnitFiles files_;
};

}  // namespace davit
