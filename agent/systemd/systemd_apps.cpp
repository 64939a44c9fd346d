#include "agent/systemd/systemd_apps.h"

#include <poll.h>
#include <sdbus-c++/sdbus-c++.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <format>
#include <map>
#include <sstream>

#include "agent/systemd/unit_state.h"
#include "common/fd.h"

namespace davit {
namespace {

const sdbus::ServiceName kSystemd{"org.freedesktop.systemd1"};
const sdbus::ObjectPath kManagerPath{"/org/freedesktop/systemd1"};
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr const char* kNoSuchUnit = "org.freedesktop.systemd1.NoSuchUnit";

// systemd ends every job by itself, after the unit's time-outs. This is for a systemd or a bus that does not answer.
constexpr Milliseconds kMargin{30'000};
constexpr std::chrono::seconds kCallTimeout{60};

const Error kShuttingDown{Code::Canceled, "the device is shutting down"};

using Job = sdbus::Struct<std::uint32_t, sdbus::ObjectPath>;
using Properties = std::map<std::string, sdbus::Variant>;

template <typename T>
T value_of(const Properties& properties, const std::string& name) {
    const auto found = properties.find(name);
    return found == properties.end() ? T{} : found->second.get<T>();
}

UnitProperties from_bus(const Properties& all) {
    UnitProperties unit;
    unit.load_state = value_of<std::string>(all, "LoadState");
    unit.active_state = value_of<std::string>(all, "ActiveState");
    unit.type = value_of<std::string>(all, "Type");
    unit.result = value_of<std::string>(all, "Result");
    unit.status_text = value_of<std::string>(all, "StatusText");
    unit.restarts = value_of<std::uint32_t>(all, "NRestarts");
    unit.exit_kind = value_of<std::int32_t>(all, "ExecMainCode");
    unit.exit_status = value_of<std::int32_t>(all, "ExecMainStatus");
    unit.has_job = value_of<Job>(all, "Job").get<0>() != 0;
    unit.started_at = std::chrono::microseconds(value_of<std::uint64_t>(all, "InactiveExitTimestampMonotonic"));
    unit.ended_at = std::chrono::microseconds(value_of<std::uint64_t>(all, "InactiveEnterTimestampMonotonic"));
    const std::chrono::microseconds stop{value_of<std::uint64_t>(all, "TimeoutStopUSec")};
    unit.stop_timeout = std::chrono::duration_cast<Milliseconds>(stop);
    return unit;
}

/// Becomes readable when a stop is requested.
class StopFd {
public:
    explicit StopFd(const std::stop_token& stop)
        : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), callback_(stop, Wake{fd_.get()}) {}
    [[nodiscard]] int get() const { return fd_.get(); }

private:
    struct Wake {
        int fd;
        void operator()() const { ::eventfd_write(fd, 1); }
    };
    Fd fd_;
    std::stop_callback<Wake> callback_;
};

/// One conversation with systemd, on a connection of its own. Throws sdbus::Error; see talk().
class Manager {
public:
    Manager() : connection_(sdbus::createSystemBusConnection()), proxy_(proxy(kManagerPath)) {
        connection_->setMethodCallTimeout(kCallTimeout);
    }

    void reload() { proxy_->callMethod("Reload").onInterface(kManager); }

    /// Forgets that the unit failed, and how often it was restarted.
    void reset_failed(const std::string& unit) {
        try {
            proxy_->callMethod("ResetFailedUnit").onInterface(kManager).withArguments(unit);
        } catch (const sdbus::Error& error) {
            if (error.getName() != kNoSuchUnit) throw;  // not loaded: nothing to forget
        }
    }

    /// The device is shutting down or rebooting: that apps end now says nothing about them.
    bool shutting_down() {
        return proxy_->getProperty("SystemState").onInterface(kManager).get<std::string>() == "stopping";
    }

    UnitProperties properties(const std::string& unit) {
        sdbus::ObjectPath path;
        proxy_->callMethod("LoadUnit").onInterface(kManager).withArguments(unit).storeResultsTo(path);
        // "" means all interfaces: the unit's and the service's properties of one moment.
        Properties all;
        proxy(path)
            ->callMethod("GetAll")
            .onInterface("org.freedesktop.DBus.Properties")
            .withArguments("")
            .storeResultsTo(all);
        return from_bus(all);
    }

    /// Calls @p method (RestartUnit, StopUnit) and waits for its job. @return what became of it: "done", "failed", …
    Result<std::string> run_job(const char* method, const std::string& unit, Milliseconds timeout,
                                std::stop_token stop) {
        // First, so that not even a job that is over at once is missed: what arrives during the call is queued.
        proxy_->uponSignal("JobRemoved")
            .onInterface(kManager)
            .call([this](std::uint32_t, const sdbus::ObjectPath& job, const std::string&, const std::string& result) {
                results_[job] = result;
            });
        proxy_->callMethod("Subscribe").onInterface(kManager);
        sdbus::ObjectPath job;
        proxy_->callMethod(method).onInterface(kManager).withArguments(unit, "replace").storeResultsTo(job);
        return wait_for(job, unit, timeout, stop);
    }

private:
    [[nodiscard]] std::unique_ptr<sdbus::IProxy> proxy(const sdbus::ObjectPath& path) {
        return sdbus::createProxy(*connection_, kSystemd, path);
    }

    Result<std::string> wait_for(const std::string& job, const std::string& unit, Milliseconds timeout,
                                 const std::stop_token& stop) {
        const StopFd stopped(stop);
        const auto deadline = std::chrono::steady_clock::now() + timeout;
        for (;;) {
            while (connection_->processPendingEvent()) {
            }
            if (const auto result = results_.find(job); result != results_.end()) return result->second;
            if (stop.stop_requested()) return fail(Code::Canceled, "stopped while waiting for " + unit);
            const auto left = std::chrono::ceil<Milliseconds>(deadline - std::chrono::steady_clock::now());
            if (left.count() <= 0) {
                return fail(Code::System, std::format("systemd did not finish the job for {} within {}", unit,
                                                      davit::to_string(timeout)));
            }
            wait_for_event(stopped.get(), left);
        }
    }

    void wait_for_event(int stopped, Milliseconds left) {
        const auto bus = connection_->getEventLoopPollData();
        pollfd fds[] = {{bus.fd, bus.events, 0}, {bus.eventFd, POLLIN, 0}, {stopped, POLLIN, 0}};
        const auto wanted = bus.getPollTimeout();
        const auto most = static_cast<int>(std::min<Milliseconds::rep>(left.count(), 3'600'000));
        ::poll(fds, std::size(fds), wanted < 0 ? most : std::min(wanted, most));  // an error is seen by the next call
    }

    std::unique_ptr<sdbus::IConnection> connection_;
    std::unique_ptr<sdbus::IProxy> proxy_;
    std::map<std::string, std::string> results_;  ///< of finished jobs, by path
};

/// Runs @p body with a new connection to systemd. The library's exceptions end here.
template <typename Body>
auto talk(const std::string& what, Body body) -> decltype(body(std::declval<Manager&>())) {
    try {
        Manager manager;
        return body(manager);
    } catch (const sdbus::Error& error) {
        const auto code = error.getName() == kNoSuchUnit ? Code::NotFound : Code::System;
        return fail(code, std::format("systemd: cannot {}: {}", what, error.getMessage()));
    }
}

}  // namespace

SystemdApps::SystemdApps(UnitOptions options) : paths_(options.paths), files_(std::move(options)) {}

Result<void> SystemdApps::prepare(const std::vector<Bundle>& apps) {
    TRY(files_.write(apps));
    return reload_if_needed();
}

Result<void> SystemdApps::forget_all_but(const std::vector<std::string>& keep) {
    TRY(files_.remove_all_but(keep));
    return reload_if_needed();
}

Result<void> SystemdApps::reload_if_needed() {
    if (!files_.reload_needed()) return {};
    TRY(talk("reload its units", [](Manager& systemd) -> Result<void> {
        systemd.reload();
        return {};
    }));
    return files_.reloaded();
}

namespace {

/// Systemd is about to start it because of somebody's wish (it requires an app that was restarted), not after a crash.
bool is_wanted(const UnitProperties& unit) {
    return unit.has_job && unit.active_state != "active" && unit.restarts == 0;
}

}  // namespace

Result<void> SystemdApps::restart(const std::string& app, Milliseconds start_timeout, std::stop_token stop) {
    const auto unit = TRY(properties(app));
    if (is_wanted(unit)) {
        // It is being restarted with an app that it requires: one restart is enough, unless that one began too early.
        const auto started = bring_up("StartUnit", app, start_timeout, stop);
        const auto installed = file::read_link(paths_.state / "current/apps" / app);
        const bool in_time =
            installed && *installed && TRY(state(app)).running_commit == (*installed)->filename().string();
        if (in_time || stop.stop_requested()) return started;
    }
    return bring_up("RestartUnit", app, start_timeout, std::move(stop));
}

Result<void> SystemdApps::start(const std::string& app, Milliseconds start_timeout, std::stop_token stop) {
    const auto unit = TRY(properties(app));
    // After a crash a start would wait until systemd's own is due.
    const bool crashed = unit.active_state == "activating" && !is_wanted(unit);
    return bring_up(crashed ? "RestartUnit" : "StartUnit", app, start_timeout, std::move(stop));
}

Result<UnitProperties> SystemdApps::properties(const std::string& app) {
    const auto unit = unit_name(app);
    return talk("ask about " + unit,
                [&](Manager& systemd) -> Result<UnitProperties> { return systemd.properties(unit); });
}

Result<void> SystemdApps::bring_up(const char* method, const std::string& app, Milliseconds start_timeout,
                                   std::stop_token stop) {
    const auto unit = unit_name(app);
    return talk("start " + unit, [&](Manager& systemd) -> Result<void> {
        const auto before = systemd.properties(unit);
        // Our starts are not the crash loop that the unit's start limit is for.
        systemd.reset_failed(unit);
        const auto timeout = start_timeout + 2 * before.stop_timeout + kMargin;
        const auto job = TRY(systemd.run_job(method, unit, timeout, stop));
        if (job == "done") return {};
        if (systemd.shutting_down()) return fail(kShuttingDown);
        return fail(Code::AppFailed, why_not_started(app, job, systemd.properties(unit), start_timeout));
    });
}

Result<void> SystemdApps::stop(const std::string& app, std::stop_token stop) {
    const auto unit = unit_name(app);
    return talk("stop " + unit, [&](Manager& systemd) -> Result<void> {
        const auto before = systemd.properties(unit);
        if (before.load_state == "not-found" && before.active_state == "inactive") return {};
        const auto job = TRY(systemd.run_job("StopUnit", unit, 2 * before.stop_timeout + kMargin, stop));
        if (job != "done") return fail(Code::System, std::format("systemd did not stop {}: its job is {}", unit, job));
        systemd.reset_failed(unit);  // a stopped app is not listed among the failed units
        return {};
    });
}

Result<Apps::State> SystemdApps::state(const std::string& app) {
    const auto last_end = file::read(paths_.last_end(app)).value_or("");
    auto state = TRY(talk("ask about " + unit_name(app), [&](Manager& systemd) -> Result<State> {
        auto now = state_of(systemd.properties(unit_name(app)), last_end);
        if (!now.active && systemd.shutting_down()) return fail(kShuttingDown);
        return now;
    }));
    // Written by davit-launch: the commit, and as what it was started.
    std::istringstream started(file::read(paths_.rendered(app) / "commit").value_or(""));
    std::string start;
    started >> state.running_commit >> start;
    state.running_start = start_type_named(start);
    return state;
}

}  // namespace davit
