#pragma once
/// What systemd says about an app's unit, in the words of a person.

#include <string>
#include <string_view>

#include "agent/engine/seams.h"

namespace davit {

/// The properties of a service unit that matter here, with systemd's names and values.
struct UnitProperties {
    std::string load_state;    ///< "loaded", "not-found", …
    std::string active_state;  ///< "active", "activating", "failed", …
    std::string type;          ///< "notify", "forking", "oneshot"
    std::string result;        ///< "success", "exit-code", "signal", "timeout", …
    std::string status_text;   ///< the last STATUS= of the app or its launcher
    unsigned restarts = 0;
    int exit_kind = 0;     ///< of the main process: CLD_EXITED, CLD_KILLED, CLD_DUMPED; 0 if it has not ended
    int exit_status = 0;   ///< its exit code or signal
    bool has_job = false;  ///< systemd is going to do something with it
    Milliseconds stop_timeout{0};
    std::chrono::microseconds started_at{0}, ended_at{0};  ///< monotonic; 0: never
};

/// @param last_end the text of DevicePaths::last_end(); empty if there is none
Apps::State state_of(const UnitProperties& unit, std::string_view last_end = {});

/// What davit-launch noted, as a predicate: "ended with exit code 3", "was ended because it used too much memory".
/// Empty for what it cannot read.
std::string how_it_ended_last(std::string_view last_end);

/// Why @p app did not start: "hello did not become READY within 60 s".
/// @param job what became of systemd's job: "failed", "timeout", "dependency", "canceled", …
std::string why_not_started(std::string_view app, std::string_view job, const UnitProperties& unit,
                            Milliseconds start_timeout);

}  // namespace davit
