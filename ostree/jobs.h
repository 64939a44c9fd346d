#pragma once
/// What davit-ostree does: one Job, read from JSON, run to its end. Private to ostree/; the protocol is in
/// ostree/worker.h.

#include <functional>

#include <nlohmann/json_fwd.hpp>

#include "common/json.h"
#include "ostree/repository.h"

namespace davit::ostree {

/// Runs @p job. @return what goes into `done`
Result<nlohmann::json> run_job(const json::Reader& job, const std::function<void(const Progress&)>& progress);

}  // namespace davit::ostree
