#pragma once
/// What the agent knows about itself at this moment, for the D-Bus API. A plain value: the worker and the link post
/// changes, the main thread owns it.

#include <cstdint>
#include <string>
#include <vector>

#include "agent/generations.h"
#include "common/clock.h"

namespace davit {

struct ServerStatus {
    std::string url;                   ///< empty: no server is configured
    bool reached = false;              ///< the last attempt got an answer that made sense
    std::string error;                 ///< of the last attempt, when it was not reached
    std::int64_t last_contact_ms = 0;  ///< wall clock of the last good answer; 0: never
    std::int64_t next_poll_ms = 0;     ///< wall clock
};

/// One app of the deployment under way.
struct PartStatus {
    std::string app;
    std::string todo;            ///< "update hello 1 → 2"; empty: it stays as it is
    std::uint64_t bytes = 0;     ///< of its download, so far
    std::uint64_t expected = 0;  ///< 0: not known, or everything is here
};

struct DeploymentStatus {
    std::string id;  ///< empty: nothing under way
    std::string phase;
    std::string message;
    std::vector<PartStatus> parts = {};  ///< what is planned, and what of it has come
};

/// One installed app, for people.
struct AppView {
    AppVersion app;
    std::string last_end;  ///< how it ended last, if not well: "ended with exit code 3"
};

/// Somebody who does not want apps to be switched now.
struct InhibitorStatus {
    std::uint64_t id = 0;
    std::string who;
    std::string why;
    bool strong = false;  ///< holds off what the server forces, too
    Milliseconds left{};  ///< until it is forgotten
};

struct Status {
    ServerStatus server;
    DeploymentStatus deployment;
    std::vector<AppVersion> apps;  ///< of the current generation
    std::uint64_t generation = 0;  ///< 0: none yet
};

}  // namespace davit
