#pragma once
/// The engine: carries one deployment at a time from `received` to `done`, through crashes.
///
/// Plain blocking code on the worker thread. The phase is in the journal before it acts; after a crash `resume()`
/// enters the persisted phase again: there is no other resume code.

#include <memory>
#include <optional>
#include <stop_token>

#include "agent/engine/cancellation.h"
#include "agent/engine/seams.h"
#include "agent/journal.h"

namespace davit {

struct EngineOptions {
    Milliseconds first_retry{5'000};  ///< of a download; doubled each time
    Milliseconds longest_retry{300'000};
    Milliseconds download_deadline{24 * 3600'000};  ///< gives up after so long without success
    int most_entries = 5;                           ///< a phase entered more often (crashes) fails the deployment;
                                                    ///< not while it only waits
    int most_download_entries =
        100;  ///< the same while downloading: a vehicle is switched off many times during a slow download
};

class Engine {
public:
    struct Parts {
        Journal& journal;
        Generations& generations;
        Content& content;
        Apps& apps;
        Probe& probe;
        Permission& permission;
        Observer& observer;
        Clock& clock;
        Cancellation& cancellation;
    };
    Engine(Parts parts, EngineOptions options);
    ~Engine();

    /// Carries the journal's deployment, if there is one, to its end, and cleans up after crashes. Call once at start.
    Result<void> resume(std::stop_token stop);
    /// Runs @p deployment to its end. The outcome is in history and outbox when this returns.
    /// Does nothing but report again if this very deployment (same id, same parts) is in the history, and still true; a
    /// deployment under way is never replaced but carried to its end first. Errors: Canceled when stopped, and errors
    /// of the journal: nothing is done that is not persisted. Everything else is an outcome.
    Result<void> run(const Deployment& deployment, std::stop_token stop);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace davit
