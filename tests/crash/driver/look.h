#pragma once
/// What the product itself says about the device's state.

#include <nlohmann/json_fwd.hpp>

#include "agent/generations.h"
#include "agent/journal.h"

namespace davit::crash {

/// {"roles": {"current": ["hello 2", …]}, "active": id|null, "history": [{"id", "success", "message", "cause"}]}
Result<nlohmann::json> look(Journal& journal, const Generations& generations);

}  // namespace davit::crash
