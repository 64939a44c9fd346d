// davitctl check, rollback, install, remove, cancel: deployments that begin at the device.

#include <filesystem>

#include <nlohmann/json.hpp>

#include "agent/ctl/output.h"
#include "agent/ctl/verbs.h"

namespace davit::ctl {
namespace {

using Json = nlohmann::json;

/// Follows the deployment @p id and says how it ended.
Result<void> show_end(AgentClient& agent, Output output, const std::string& id) {
    const auto ended = TRY(follow(agent, id, output));
    if (output == Output::Json) print(ended.dump(2) + "\n");
    if (!ended.value("success", false)) return fail(Code::System, ended.value("message", ""));
    if (output == Output::Text) print(ended.value("message", "") + "\n");
    return {};
}

/// davitd has another working directory.
Result<std::string> absolute(const std::string& place) {
    if (place.contains("://")) return place;
    std::error_code error;
    auto path = std::filesystem::absolute(place, error).lexically_normal().string();
    if (error) return fail(system_error("cannot find out the current directory", error.value()));
    const bool there =
        std::filesystem::exists(path, error) || std::filesystem::exists(path.substr(0, path.rfind('#')), error);
    if (!there) return fail(Code::NotFound, "there is no '" + place + "'");
    return path;
}

}  // namespace

Result<void> check(AgentClient& agent, Output output) {
    TRY(agent.check());
    print(output == Output::Json ? Json{{"asked", true}}.dump(2) + "\n"
                                 : "davitd asks the server now; 'davitctl status' shows what comes of it.\n");
    return {};
}

Result<void> roll_back(AgentClient& agent, Output output, std::uint64_t generation) {
    const auto id = TRY(agent.rollback(generation));
    return show_end(agent, output, id);
}

Result<void> install(AgentClient& agent, Output output, const InstallOptions& options) {
    std::vector<std::string> named;
    for (const auto& place : options.places)
        named.push_back(TRY(absolute(place)));
    const auto id = TRY(agent.install(named, options.downgrade));
    return show_end(agent, output, id);
}

Result<void> remove(AgentClient& agent, Output output, const std::string& app) {
    const auto id = TRY(agent.remove(app));
    return show_end(agent, output, id);
}

Result<void> cancel(AgentClient& agent, Output output) {
    const auto ended = TRY(follow(agent, TRY(agent.cancel()), Output::Json));
    const bool canceled = ended.value("cause", "") == "canceled";
    if (!canceled) return fail(Code::System, "it ended before: " + ended.value("message", ""));
    print(output == Output::Json ? ended.dump(2) + "\n" : ended.value("message", "") + "\n");
    return {};
}

}  // namespace davit::ctl
