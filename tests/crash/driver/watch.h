#pragma once
/// Stands around the engine's seams: writes down what one life of davitd did, and ends that life, or makes a call fail,
/// where it was ordered to. A method that is new in an interface does not compile until it is passed on here.

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "agent/engine/seams.h"
#include "agent/engine/transitions.h"
#include "tests/crash/control.h"

namespace davit::crash {

/// Where davitd's life ends, or what goes wrong in it. Visits and calls are counted from 1; 0: never.
struct Orders {
    std::uint64_t visit = 0;          ///< the stay in a phase that the next two are about
    bool told = false;                ///< kill in it: just before it acts
    std::uint64_t operations = 0;     ///< kill: at its n-th change of a file
    std::uint64_t kill_at_call = 0;   ///< of a seam
    std::uint64_t fail_at_call = 0;   ///< of a seam
    bool afterwards = false;          ///< the call has done its work when it fails, or davitd dies
    bool lasting = false;             ///< every call of that method fails from then on
    Code code = Code::System;         ///< how it fails
    std::string cancel;               ///< somebody cancels when this phase is entered, and asks again later
    std::string hide;                 ///< from this phase to the end nobody can read what is in the current generation
    std::optional<std::string> mark;  ///< file that gets a line for each event
};

/// Every method of every seam.
enum class Seam {
    Inspect,
    Pull,
    Checkout,
    ReadBundle,
    KeepOnly,
    FreeBytes,
    Prepare,
    Restart,
    Stop,
    State,
    ForgetAllBut,
    ProbeOnce,
    Ask,
    Wait,
    End,
};
std::string_view name(Seam seam);
/// A permission is not something that a call could fail to give.
inline bool can_fail(Seam seam) {
    return seam != Seam::Ask && seam != Seam::Wait;
}

/// One stay in one phase, as one life of davitd saw it.
struct Visit {
    Phase phase = Phase::Received;
    bool told = false;               ///< somebody was told of it; not if it failed before
    std::string event;               ///< how it ended; empty: it did not
    std::uint64_t journal_sync = 0;  ///< the one that made the phase durable
    std::uint64_t first_call = 0;    ///< of a seam, counted over the whole life
    std::uint64_t first_operation = 0;
    std::uint64_t operations = 0;  ///< changes of files, before anything more was persisted
    std::vector<Seam> calls;
    std::vector<Seam> cleaning;  ///< calls after a deployment's last phase
};

class Watch : public Observer {
public:
    /// What else happens on orders.
    struct Hands {
        std::function<void(const std::string& id)> cancel;
        std::function<void()> hide, show;  ///< the current generation's description
    };
    Watch(Orders orders, Control& control, Hands hands)
        : orders_(std::move(orders)), control_(control), hands_(std::move(hands)) {}

    void entered(const Deployment& deployment, const Plan& plan, Phase phase, const std::string& message) override;
    void progress(const Deployment&, const std::string&, std::uint64_t, std::uint64_t) override {}
    void confirmed(const Deployment& deployment) override;
    void finished(const Deployment& deployment, const Outcome& outcome) override;
    /// How a stay in a phase ended. One that failed before anybody was told of it is noted now.
    void left(Phase phase, std::string_view event);
    /// A line in the record of the disk, so that it is known what was on the disk when it happened.
    void mark(const std::string& text) const;

    [[nodiscard]] nlohmann::json trace() const;
    /// A new deployment: a phase that follows is a new visit, whatever the last one was.
    void next_deployment() { in_phase_.reset(); }

    template <typename F>
    auto call(Seam seam, F work) -> decltype(work()) {
        const bool fails = begins(seam);
        if (fails && !orders_.afterwards) return broken(seam);
        auto result = work();
        if (is_last()) die();
        if (fails) return broken(seam);
        return result;
    }

    /// The same for what cannot fail.
    template <typename F>
    auto pass(Seam seam, F work) {
        begins(seam);
        const Dying dying(*this);
        return work();
    }

private:
    /// davitd dies when this goes out of scope, if that was the last call.
    struct Dying {
        explicit Dying(Watch& one) : watch(one) {}
        ~Dying() {
            if (watch.is_last()) die();
        }
        Dying(const Dying&) = delete;
        Dying& operator=(const Dying&) = delete;
        Watch& watch;
    };
    void note(Phase phase, bool told);
    [[noreturn]] static void die() {
        ::kill(::getpid(), SIGKILL);
        for (;;)
            ::pause();
    }
    [[nodiscard]] bool is_last() const { return calls_ == orders_.kill_at_call; }
    bool begins(Seam seam);
    [[nodiscard]] std::unexpected<Error> broken(Seam seam) const;

    Orders orders_;
    Control& control_;
    Hands hands_;
    std::optional<Phase> in_phase_;
    std::optional<Seam> broken_;
    std::uint64_t calls_ = 0;
    std::vector<Visit> visits_;
};

class WatchedContent : public Content {
public:
    WatchedContent(Content& inner, Watch& watch) : inner_(inner), watch_(watch) {}
    Result<Cost> inspect(const Part& part, std::stop_token stop) override {
        return watch_.call(Seam::Inspect, [&] { return inner_.inspect(part, stop); });
    }
    Result<void> pull(const Part& part, std::stop_token stop, const OnProgress& progress) override {
        return watch_.call(Seam::Pull, [&] { return inner_.pull(part, stop, progress); });
    }
    Result<void> checkout(const Part& part, std::stop_token stop) override {
        return watch_.call(Seam::Checkout, [&] { return inner_.checkout(part, stop); });
    }
    Result<Bundle> bundle(const AppVersion& app) override {
        return watch_.call(Seam::ReadBundle, [&] { return inner_.bundle(app); });
    }
    Result<void> keep_only(const std::vector<AppVersion>& keep, std::stop_token stop) override {
        return watch_.call(Seam::KeepOnly, [&] { return inner_.keep_only(keep, stop); });
    }
    Result<std::uint64_t> free_bytes() override {
        return watch_.call(Seam::FreeBytes, [&] { return inner_.free_bytes(); });
    }

private:
    Content& inner_;
    Watch& watch_;
};

class WatchedApps : public Apps {
public:
    WatchedApps(Apps& inner, Watch& watch) : inner_(inner), watch_(watch) {}
    Result<void> prepare(const std::vector<Bundle>& apps) override {
        return watch_.call(Seam::Prepare, [&] { return inner_.prepare(apps); });
    }
    Result<void> restart(const std::string& app, Milliseconds start_timeout, std::stop_token stop) override {
        return watch_.call(Seam::Restart, [&] { return inner_.restart(app, start_timeout, stop); });
    }
    Result<void> stop(const std::string& app, std::stop_token stop) override {
        return watch_.call(Seam::Stop, [&] { return inner_.stop(app, stop); });
    }
    Result<State> state(const std::string& app) override {
        return watch_.call(Seam::State, [&] { return inner_.state(app); });
    }
    Result<void> forget_all_but(const std::vector<std::string>& keep) override {
        return watch_.call(Seam::ForgetAllBut, [&] { return inner_.forget_all_but(keep); });
    }

private:
    Apps& inner_;
    Watch& watch_;
};

class WatchedProbe : public Probe {
public:
    WatchedProbe(Probe& inner, Watch& watch) : inner_(inner), watch_(watch) {}
    Result<void> probe(const std::string& app, const HealthCheck& check) override {
        return watch_.call(Seam::ProbeOnce, [&] { return inner_.probe(app, check); });
    }

private:
    Probe& inner_;
    Watch& watch_;
};

class WatchedPermission : public Permission {
public:
    WatchedPermission(Permission& inner, Watch& watch) : inner_(inner), watch_(watch) {}
    Answer ask(const Deployment& deployment, Step step, bool confirmed) override {
        return watch_.pass(Seam::Ask, [&] { return inner_.ask(deployment, step, confirmed); });
    }
    void wait(const Answer& answer, std::stop_token stop) override {
        watch_.pass(Seam::Wait, [&] { inner_.wait(answer, stop); });
    }

private:
    Permission& inner_;
    Watch& watch_;
};

}  // namespace davit::crash
