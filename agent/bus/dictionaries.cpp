#include "agent/bus/dictionaries.h"

namespace davit {

Dictionary to_dictionary(const PartStatus& part) {
    return {{"app", sdbus::Variant(part.app)},
            {"todo", sdbus::Variant(part.todo)},
            {"bytes", sdbus::Variant(part.bytes)},
            {"expected_bytes", sdbus::Variant(part.expected)}};
}

Dictionary to_dictionary(const InhibitorStatus& inhibitor) {
    return {{"id", sdbus::Variant(inhibitor.id)},
            {"who", sdbus::Variant(inhibitor.who)},
            {"why", sdbus::Variant(inhibitor.why)},
            {"strong", sdbus::Variant(inhibitor.strong)},
            {"left_ms", sdbus::Variant(static_cast<std::int64_t>(inhibitor.left.count()))}};
}

Dictionary to_dictionary(const Status& status) {
    std::uint64_t bytes = 0, expected = 0;
    for (const auto& part : status.deployment.parts) {
        bytes += part.bytes;
        expected += part.expected;
    }
    return {{"version", sdbus::Variant(std::string(DAVIT_VERSION))},
            {"generation", sdbus::Variant(status.generation)},
            {"server_url", sdbus::Variant(status.server.url)},
            {"server_reached", sdbus::Variant(status.server.reached)},
            {"server_error", sdbus::Variant(status.server.error)},
            {"last_contact_ms", sdbus::Variant(status.server.last_contact_ms)},
            {"next_poll_ms", sdbus::Variant(status.server.next_poll_ms)},
            {"deployment_id", sdbus::Variant(status.deployment.id)},
            {"phase", sdbus::Variant(status.deployment.phase)},
            {"message", sdbus::Variant(status.deployment.message)},
            {"parts", sdbus::Variant(to_dictionaries(status.deployment.parts))},
            {"bytes", sdbus::Variant(bytes)},
            {"expected_bytes", sdbus::Variant(expected)}};
}

Dictionary to_dictionary(const AppView& view) {
    const auto& app = view.app;
    return {{"name", sdbus::Variant(app.name)},
            {"version", sdbus::Variant(app.version)},
            {"commit", sdbus::Variant(app.commit)},
            {"unit", sdbus::Variant("davit-app-" + app.name + ".service")},
            {"last_end", sdbus::Variant(view.last_end)}};
}

Dictionary to_dictionary(const HistoryEntry& entry) {
    std::vector<std::string> parts;
    for (const auto& part : entry.deployment.parts)
        parts.push_back(part.app + (part.remove ? " (removed)" : " " + part.version));
    return {{"id", sdbus::Variant(entry.deployment.id)},
            {"success", sdbus::Variant(entry.outcome.success)},
            {"message", sdbus::Variant(entry.outcome.message)},
            {"cause", sdbus::Variant(entry.outcome.cause)},
            {"started_ms", sdbus::Variant(entry.started_ms)},
            {"finished_ms", sdbus::Variant(entry.finished_ms)},
            {"parts", sdbus::Variant(parts)}};
}

Dictionary to_dictionary(const Generations::Named& named) {
    std::vector<std::string> apps;
    for (const auto& app : named.generation.apps)
        apps.push_back(app.name + " " + app.version);
    return {{"number", sdbus::Variant(named.generation.number)},
            {"roles", sdbus::Variant(named.roles)},
            {"apps", sdbus::Variant(apps)}};
}

}  // namespace davit
