#include "tests/crash/driver/look.h"

#include <nlohmann/json.hpp>

namespace davit::crash {

Result<nlohmann::json> look(Journal& journal, const Generations& generations) {
    auto roles = nlohmann::json::object();
    for (const auto& named : TRY(generations.named())) {
        auto apps = nlohmann::json::array();
        for (const auto& app : named.generation.apps)
            apps.push_back(app.name + " " + app.version);
        for (const auto& role : named.roles)
            roles[role] = apps;
    }
    auto history = nlohmann::json::array();
    for (const auto& entry : TRY(journal.history(100))) {
        history.push_back({{"id", entry.deployment.id},
                           {"success", entry.outcome.success},
                           {"message", entry.outcome.message},
                           {"cause", entry.outcome.cause}});
    }
    const auto active = TRY(journal.active());
    return nlohmann::json{{"roles", std::move(roles)},
                          {"active", active ? nlohmann::json(active->deployment.id) : nlohmann::json()},
                          {"history", std::move(history)}};
}

}  // namespace davit::crash
