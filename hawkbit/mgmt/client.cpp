#include "hawkbit/mgmt/client.h"

#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>

#include "hawkbit/mgmt/answers.h"
#include "hawkbit/mgmt/request.h"

namespace davit::mgmt {
namespace {

constexpr int kNoContent = 204;  // hawkBit's answer to "give me" when there is nothing

template <typename T>
Result<T> read_one(const std::string& body, const std::string& source, Result<T> (*read)(const json::Reader&)) {
    const auto document = TRY(json::parse(body, source));
    const json::Reader reader(document, source);
    TRY(reader.expect_object());
    return read(reader);
}

/// The elements of a page (`content`), or of a bare list, which is what creating answers with.
template <typename T>
Result<std::vector<T>> read_list(const std::string& body, const std::string& source,
                                 Result<T> (*read)(const json::Reader&)) {
    auto document = TRY(json::parse(body, source));
    if (document.is_array()) document = nlohmann::json{{"content", std::move(document)}};
    std::vector<T> list;
    for (const auto& entry : TRY(json::Reader(document, source).get_array("content")))
        list.push_back(TRY(read(entry)));
    return list;
}

/// What was created: the only element of the answer.
template <typename T>
Result<T> read_created(const std::string& body, const std::string& source, Result<T> (*read)(const json::Reader&)) {
    auto list = TRY(read_list(body, source, read));
    if (list.size() != 1) {
        return fail(Code::InvalidInput, std::format("{}: expected one created object, got {}", source, list.size()));
    }
    return std::move(list.front());
}

/// hawkBit's search is looser than a name: the exact one of what it found.
template <typename T, typename Matches>
std::optional<T> exactly(const std::vector<T>& found, Matches matches) {
    const auto it = std::ranges::find_if(found, matches);
    return it == found.end() ? std::nullopt : std::optional(*it);
}

std::string text_of(const nlohmann::json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string target_path(const std::string& controller_id) {
    return "/targets/" + http::percent_encode(controller_id);
}

std::string action_path(const std::string& controller_id, std::int64_t action_id) {
    return std::format("{}/actions/{}", target_path(controller_id), action_id);
}

std::string without_slash(std::string url) {
    while (url.ends_with('/'))
        url.pop_back();
    return url;
}

}  // namespace

Client::Client(Login login, http::Options http) : login_(std::move(login)), http_(std::move(http)) {
    login_.url = without_slash(std::move(login_.url));
}

std::string Client::source(const std::string& path) const {
    return "answer of GET " + login_.url + "/rest/v1" + path;
}

Result<http::Response> Client::call(const std::string& method, const std::string& path, const std::string& body) {
    const auto url = login_.url + "/rest/v1" + path;
    auto response = TRY(http_.send({.method = method,
                                    .url = url,
                                    .headers = {"Authorization: " + basic_auth(login_.user, login_.password),
                                                "Accept: application/json", "Content-Type: application/json"},
                                    .body = body,
                                    .timeout = {}}));
    if (response.status == 401) {
        return fail(Code::Unauthorized,
                    std::format("user or password is wrong for {} (user '{}')", login_.url, login_.user));
    }
    const auto what = method + " " + url.substr(0, url.find('?'));
    if (auto error = http::status_error(response, what)) return fail(std::move(*error));
    return response;
}

Result<void> Client::ping() {
    TRY(call("GET", "/targets?limit=1"));
    return {};
}

// --- software modules ------------------------------------------------------------------------------------------------

Result<std::optional<Module>> Client::find_module(const std::string& type, const std::string& name,
                                                  const std::string& version) {
    const std::string path = "/softwaremodules";
    const auto response = TRY(call("GET", path + "?limit=500&" + name_and_version_query(name, version)));
    return exactly(TRY(read_list(response.body, source(path), read_module)), [&](const Module& module) {
        return module.type == type && module.name == name && module.version == version;
    });
}

Result<Module> Client::create_module(const std::string& type, const std::string& name, const std::string& version,
                                     const std::string& description) {
    const nlohmann::json module = {{"type", type}, {"name", name}, {"version", version}, {"description", description}};
    const auto response = TRY(call("POST", "/softwaremodules", text_of(nlohmann::json::array({module}))));
    return read_created(response.body, "answer of POST " + login_.url + "/rest/v1/softwaremodules", read_module);
}

Result<std::vector<MetadataEntry>> Client::module_metadata(std::int64_t module_id) {
    const auto path = std::format("/softwaremodules/{}/metadata", module_id);
    const auto response = TRY(call("GET", path + "?limit=500"));
    return read_list(response.body, source(path), read_metadata);
}

Result<void> Client::set_module_metadata(std::int64_t module_id, const std::vector<MetadataEntry>& entries) {
    // New servers overwrite on POST, old ones answer 409: so what is there is updated by PUT.
    const auto path = std::format("/softwaremodules/{}/metadata", module_id);
    const auto present = TRY(module_metadata(module_id));
    auto added = nlohmann::json::array();
    for (const auto& entry : entries) {
        const bool exists = std::ranges::contains(present, entry.key, &MetadataEntry::key);
        nlohmann::json json = {{"value", entry.value}, {"targetVisible", entry.target_visible}};
        if (exists) {
            TRY(call("PUT", path + "/" + http::percent_encode(entry.key), text_of(json)));
        } else {
            json["key"] = entry.key;
            added.push_back(std::move(json));
        }
    }
    if (!added.empty()) TRY(call("POST", path, text_of(added)));
    return {};
}

// --- distribution sets -----------------------------------------------------------------------------------------------

Result<std::optional<DistributionSet>> Client::find_set(const std::string& name, const std::string& version) {
    const std::string path = "/distributionsets";
    const auto response = TRY(call("GET", path + "?limit=500&" + name_and_version_query(name, version)));
    auto set = exactly(TRY(read_list(response.body, source(path), read_set)),
                       [&](const DistributionSet& s) { return s.name == name && s.version == version; });
    if (!set) return std::nullopt;

    const auto modules_path = std::format("{}/{}/assignedSM", path, set->id);
    const auto modules = TRY(call("GET", modules_path + "?limit=500"));
    set->modules = TRY(read_list(modules.body, source(modules_path), read_module));
    return set;
}

Result<std::optional<DistributionSet>> Client::newest_set(const std::string& name) {
    const std::string path = "/distributionsets";
    const auto response = TRY(call("GET", path + "?limit=500&sort=id:DESC&" + name_query(name)));
    return exactly(TRY(read_list(response.body, source(path), read_set)),
                   [&](const DistributionSet& set) { return set.name == name; });
}

Result<DistributionSet> Client::create_set(const std::string& type, const std::string& name, const std::string& version,
                                           const std::string& description,
                                           const std::vector<std::int64_t>& module_ids) {
    auto modules = nlohmann::json::array();
    for (const auto id : module_ids)
        modules.push_back({{"id", id}});
    const nlohmann::json set = {
        {"type", type}, {"name", name}, {"version", version}, {"description", description}, {"modules", modules}};
    const auto response = TRY(call("POST", "/distributionsets", text_of(nlohmann::json::array({set}))));
    return read_created(response.body, "answer of POST " + login_.url + "/rest/v1/distributionsets", read_set);
}

// --- targets ---------------------------------------------------------------------------------------------------------

Result<Target> Client::create_target(const std::string& controller_id, const std::string& name,
                                     const std::string& security_token) {
    nlohmann::json target = {{"controllerId", controller_id}, {"name", name}};
    if (!security_token.empty()) target["securityToken"] = security_token;
    const auto response = TRY(call("POST", "/targets", text_of(nlohmann::json::array({target}))));
    return read_created(response.body, "answer of POST " + login_.url + "/rest/v1/targets", read_target);
}

Result<Target> Client::target(const std::string& controller_id) {
    const auto path = target_path(controller_id);
    const auto response = TRY(call("GET", path));
    auto target = TRY(read_one(response.body, source(path), read_target));

    const auto set_at = [&](const std::string& set_path) -> Result<std::optional<DistributionSet>> {
        const auto answer = TRY(call("GET", set_path));
        if (answer.status == kNoContent) return std::nullopt;
        return read_one(answer.body, source(set_path), read_set);
    };
    target.assigned = TRY(set_at(path + "/assignedDS"));
    target.installed = TRY(set_at(path + "/installedDS"));
    return target;
}

Result<std::map<std::string, std::string>> Client::attributes(const std::string& controller_id) {
    const auto path = target_path(controller_id) + "/attributes";
    const auto response = TRY(call("GET", path));
    if (response.status == kNoContent) return std::map<std::string, std::string>{};
    return read_one(response.body, source(path), read_attributes);
}

Result<void> Client::delete_target(const std::string& controller_id) {
    TRY(call("DELETE", target_path(controller_id)));
    return {};
}

// --- actions ---------------------------------------------------------------------------------------------------------

Result<std::optional<std::int64_t>> Client::assign(std::int64_t set_id, const std::string& controller_id,
                                                   AssignType type) {
    const nlohmann::json target = {{"id", controller_id}, {"type", type == AssignType::Forced ? "forced" : "soft"}};
    const auto path = std::format("/distributionsets/{}/assignedTargets", set_id);
    const auto response = TRY(call("POST", path, text_of(nlohmann::json::array({target}))));
    const auto assigned =
        TRY(read_one(response.body, "answer of POST " + login_.url + "/rest/v1" + path, read_assigned));
    if (assigned.action) return assigned.action;
    if (assigned.already_assigned > 0) return std::nullopt;
    // Unknown targets are dropped in silence: nothing assigned, nothing assigned before.
    if (assigned.assigned == 0) {
        return fail(Code::NotFound, std::format("hawkBit at {} has no target '{}'", login_.url, controller_id));
    }
    const auto all = TRY(actions(controller_id));
    if (all.empty()) {
        return fail(Code::InvalidInput, std::format("hawkBit at {} assigned the set but shows no action for '{}'",
                                                    login_.url, controller_id));
    }
    return all.front().id;
}

Result<void> Client::complete(Action& action, const std::string& controller_id) {
    if (!action.status.empty()) return {};
    const auto path = action_path(controller_id, action.id) + "/status";
    const auto response = TRY(call("GET", path + "?limit=1&sort=id:DESC"));
    const auto newest = TRY(read_list(response.body, source(path), read_action_status));
    action.status = newest.empty() ? "unknown" : newest.front().type;
    return {};
}

Result<std::vector<Action>> Client::actions(const std::string& controller_id) {
    const auto path = target_path(controller_id) + "/actions";
    const auto response = TRY(call("GET", path + "?limit=50&sort=id:DESC"));
    auto actions = TRY(read_list(response.body, source(path), read_action));
    for (auto& action : actions)
        TRY(complete(action, controller_id));
    return actions;
}

Result<Action> Client::action(const std::string& controller_id, std::int64_t action_id) {
    const auto path = action_path(controller_id, action_id);
    const auto response = TRY(call("GET", path));
    auto action = TRY(read_one(response.body, source(path), read_action));
    TRY(complete(action, controller_id));
    return action;
}

Result<std::vector<ActionStatus>> Client::action_status(const std::string& controller_id, std::int64_t action_id) {
    const auto path = action_path(controller_id, action_id) + "/status";
    const auto response = TRY(call("GET", path + "?limit=500&sort=id:DESC"));
    return read_list(response.body, source(path), read_action_status);
}

Result<void> Client::cancel(const std::string& controller_id, std::int64_t action_id) {
    TRY(call("DELETE", action_path(controller_id, action_id)));
    return {};
}

// --- tenant ----------------------------------------------------------------------------------------------------------

Result<void> Client::set_config(const std::string& key, const std::string& json_value) {
    const auto value = TRY(json::parse(json_value, "value of " + key));
    TRY(call("PUT", "/system/configs/" + http::percent_encode(key), text_of({{"value", value}})));
    return {};
}

}  // namespace davit::mgmt
