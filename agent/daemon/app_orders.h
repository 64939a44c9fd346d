#pragma once
/// Start, stop or restart one app, as somebody at the device wishes. Between deployments: on the worker.

#include "agent/engine/seams.h"
#include "agent/generations.h"
#include "agent/local.h"
#include "agent/systemd/systemd_apps.h"

namespace davit {

/// @return a sentence: "hello 2 is running", "db 1 is stopped, and with it web 3, which requires it"
/// Errors: NotFound when the app is not installed; AppFailed saying why it did not start.
Result<std::string> carry_out(AppVerb verb, const std::string& app, const Generations& generations, Content& content,
                              SystemdApps& apps, std::stop_token stop);

}  // namespace davit
