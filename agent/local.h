#pragma once
/// Deployments that somebody at the device asks for: no server offers them, and none waits for their result.

#include <cstdint>
#include <string>

#include "agent/deployment.h"
#include "agent/generations.h"

namespace davit {

/// What makes the apps of the device those of @p target again. Its content is on this disk as long as a role names the
/// generation.
Deployment back_to(const Generation& target, const Generation& current, std::string id);

/// The deployment that `davitctl rollback` asks for. Reads only; may run while the worker works.
/// @param number of a generation that a role names; 0: the previous one
/// Errors: NotFound "there is no generation 7 …", "… no previous generation"; AlreadyExists: it is current.
Result<Deployment> rollback_deployment(const Generations& generations, Generations::Number number, std::int64_t now_ms);

}  // namespace davit
