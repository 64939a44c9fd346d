#pragma once
/// What the engine needs of the device. Each interface has one real implementation (agent/content, agent/systemd,
/// agent/probe) and one fake in the tests.

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/deployment.h"
#include "agent/engine/plan.h"
#include "agent/generations.h"
#include "agent/phase.h"
#include "common/clock.h"
#include "common/result.h"
#include "containers/bundle.h"

namespace davit {

/// Commits: fetched, verified, checked out, kept.
class Content {
public:
    virtual ~Content() = default;

    struct Cost {
        bool complete = false;            ///< everything is here already
        bool known = false;               ///< the commit says its sizes
        std::uint64_t missing_bytes = 0;  ///< on this disk
        std::uint64_t missing_wire = 0;   ///< on the network
    };
    using OnProgress = std::function<void(std::uint64_t wire_bytes)>;

    /// Fetches and verifies what is needed to say what the rest costs. Errors: Network, NotFound, Untrusted.
    virtual Result<Cost> inspect(const Part& part, std::stop_token stop) = 0;
    virtual Result<void> pull(const Part& part, std::stop_token stop, const OnProgress& progress) = 0;
    /// Verifies once more and checks out to the app's place. Errors: Untrusted, Corrupt, NoSpace.
    virtual Result<void> checkout(const Part& part, std::stop_token stop) = 0;
    /// Reads and checks the checked-out bundle against this device's policy. Errors: InvalidInput, PolicyRefused.
    virtual Result<Bundle> bundle(const AppVersion& app) = 0;
    /// Forgets every commit that is not in @p keep.
    virtual Result<void> keep_only(const std::vector<AppVersion>& keep, std::stop_token stop) = 0;
    /// Bytes that may be used for new content (free minus the reserve).
    virtual Result<std::uint64_t> free_bytes() = 0;
};

/// The apps as systemd units.
class Apps {
public:
    virtual ~Apps() = default;

    struct State {
        bool exists = false;    ///< systemd knows the unit
        bool active = false;    ///< started; notify: and READY; oneshot: ended well (RemainAfterExit)
        bool failed = false;    ///< and systemd has given up
        bool starting = false;  ///< systemd is starting it, or about to
        bool stopped = false;   ///< somebody stopped it, or it ended well by itself, and nothing will start it
        unsigned restarts = 0;  ///< automatic ones since the last start by us
        std::string reason;     ///< how it ended last, if not well, as a predicate: "ended with exit code 3"; or empty
        std::string running_commit;                         ///< what davit-launch started last; empty if nothing
        std::optional<StartType> running_start;             ///< and as what; unknown to an older davit-launch
        std::optional<MonotonicTime> started_at, ended_at;  ///< the last time that it was started, that it ended
    };

    /// Writes the units of @p apps that changed and reloads systemd if any did. Running apps are not touched.
    virtual Result<void> prepare(const std::vector<Bundle>& apps) = 0;
    /// Starts the app on what `current` names, restarting it if it runs; returns when it has started (notify: READY).
    /// Errors: AppFailed "hello did not become READY within 60 s", "hello ended with exit code 3 before it was READY".
    virtual Result<void> restart(const std::string& app, Milliseconds start_timeout, std::stop_token stop) = 0;
    virtual Result<void> stop(const std::string& app, std::stop_token stop) = 0;
    virtual Result<State> state(const std::string& app) = 0;
    /// Removes the units of apps that @p keep does not name (they are stopped already).
    virtual Result<void> forget_all_but(const std::vector<std::string>& keep) = 0;
};

/// The health probe of one app, once.
class Probe {
public:
    virtual ~Probe() = default;
    /// Errors: AppFailed "GET http://127.0.0.1:8080/health answered 500", "… no answer within 3 s".
    virtual Result<void> probe(const std::string& app, const HealthCheck& check) = 0;
};

/// Whether a deployment may take its next step: what the server, and people and apps at the device, say to it.
class Permission {
public:
    virtual ~Permission() = default;

    enum class Step { Begin, Download, Switch };
    struct Answer {
        enum class Word { Yes, Wait, No } word = Word::Yes;
        std::string reason = {};                      ///< what it waits for; why not
        std::optional<Milliseconds> look_again = {};  ///< it may change by itself after that
        std::uint64_t as_of = 0;                      ///< for wait()
    };

    /// @param confirmed somebody at the device has said yes to this deployment
    virtual Answer ask(const Deployment& deployment, Step step, bool confirmed) = 0;
    /// Returns when @p answer may have become another one, or on @p stop.
    virtual void wait(const Answer& answer, std::stop_token stop) = 0;
};

/// Who wants to know (D-Bus API, hawkBit's progress messages). Called on the worker; must not block.
class Observer {
public:
    virtual ~Observer() = default;
    /// @p message is one sentence; may come again for the same phase with news
    virtual void entered(const Deployment& deployment, const Plan& plan, Phase phase, const std::string& message) = 0;
    /// Of one app's download, on the network. @p expected 0: not known
    virtual void progress(const Deployment& deployment, const std::string& app, std::uint64_t bytes,
                          std::uint64_t expected) = 0;
    /// Somebody at the device said yes; that is in the outbox.
    virtual void confirmed(const Deployment& deployment) = 0;
    virtual void finished(const Deployment& deployment, const Outcome& outcome) = 0;
};

}  // namespace davit
