#include "agent/legacy_json.h"

#include <nlohmann/json.hpp>

namespace davit {

nlohmann::json legacy_to_json(const std::optional<LegacyOptions>& legacy) {
    if (!legacy) return nullptr;
    nlohmann::json out = {{"notify", legacy->notify}, {"autostart", legacy->autostart}};
    if (legacy->timeout) out["timeout_ms"] = legacy->timeout->count();
    return out;
}

Result<std::optional<LegacyOptions>> legacy_from_json(const json::Reader& owner) {
    const auto reader = TRY(owner.get_object("legacy"));
    if (!reader) return std::nullopt;
    const LegacyOptions defaults;
    LegacyOptions legacy;
    legacy.notify = TRY(reader->get_boolean("notify")).value_or(defaults.notify);
    legacy.autostart = TRY(reader->get_boolean("autostart")).value_or(defaults.autostart);
    if (const auto timeout = TRY(reader->get_integer("timeout_ms"))) legacy.timeout = Milliseconds{*timeout};
    return legacy;
}

}  // namespace davit
