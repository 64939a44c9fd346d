#pragma once
/// LegacyOptions as JSON, the same in the journal and in generation.json.

#include <optional>

#include <nlohmann/json_fwd.hpp>

#include "common/json.h"
#include "containers/manifest.h"

namespace davit {

nlohmann::json legacy_to_json(const std::optional<LegacyOptions>& legacy);
/// Reads the member `legacy` of @p owner; absent or null means none.
Result<std::optional<LegacyOptions>> legacy_from_json(const json::Reader& owner);

}  // namespace davit
