#pragma once
/// davitctl's answers as text for people.

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace davit {

// Each takes what AgentClient returned (docs/dbus.md says the members); @p now_ms is the wall clock, for "3 s ago".

std::string print_status(const nlohmann::json& status, std::int64_t now_ms);
std::string print_apps(const nlohmann::json& apps, std::int64_t now_ms);
std::string print_generations(const nlohmann::json& generations);
std::string print_history(const nlohmann::json& deployments);

}  // namespace davit
