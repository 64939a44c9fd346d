#pragma once
/// hawkBit's Management API (/rest/v1), typed: what the CLI and the tests need. No policy.
///
/// Works with hawkBit 0.3 … 1.1: any 2xx is success, command bodies are never needed, both `status` and `detailStatus`
/// are read. Not thread-safe.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/http_client.h"
#include "common/result.h"

namespace davit::mgmt {

struct Login {
    std::string url;  ///< "http://127.0.0.1:8080"
    std::string user;
    std::string password;  ///< never logged
};

struct Module {
    std::int64_t id = 0;
    std::string name, version, type;
};

struct MetadataEntry {
    std::string key, value;
    bool target_visible = true;
};

struct DistributionSet {
    std::int64_t id = 0;
    std::string name, version, type;
    std::vector<Module> modules;
};

struct Target {
    std::string controller_id, name, update_status, security_token, address;
    std::int64_t last_request_ms = 0;
    std::optional<DistributionSet> assigned, installed;
};

struct Action {
    std::int64_t id = 0;
    bool active = false;
    std::string status;      ///< "finished", "error", "running", "canceled", … (detailStatus of old servers)
    std::string force_type;  ///< "forced", "soft", …
    std::int64_t created_ms = 0;
};

struct ActionStatus {
    std::string type;
    std::int64_t reported_ms = 0;
    std::vector<std::string> messages;
};

enum class AssignType { Forced, Soft };

class Client {
public:
    Client(Login login, http::Options http);

    // Errors everywhere: Unauthorized "user or password is wrong for …", Network, NotFound, AlreadyExists, Quota,
    // ServerRefused with hawkBit's own message.

    [[nodiscard]] Result<void> ping();  ///< credentials and server are right

    [[nodiscard]] Result<std::optional<Module>> find_module(const std::string& type, const std::string& name,
                                                            const std::string& version);
    [[nodiscard]] Result<Module> create_module(const std::string& type, const std::string& name,
                                               const std::string& version, const std::string& description);
    [[nodiscard]] Result<std::vector<MetadataEntry>> module_metadata(std::int64_t module_id);
    /// Creates or overwrites each entry.
    [[nodiscard]] Result<void> set_module_metadata(std::int64_t module_id, const std::vector<MetadataEntry>& entries);

    [[nodiscard]] Result<std::optional<DistributionSet>> find_set(const std::string& name,
                                                                  const std::string& version);  ///< with its modules
    /// The set of that name that was made last, without its modules.
    [[nodiscard]] Result<std::optional<DistributionSet>> newest_set(const std::string& name);
    [[nodiscard]] Result<DistributionSet> create_set(const std::string& type, const std::string& name,
                                                     const std::string& version, const std::string& description,
                                                     const std::vector<std::int64_t>& module_ids);

    [[nodiscard]] Result<Target> create_target(const std::string& controller_id, const std::string& name,
                                               const std::string& security_token = {});
    [[nodiscard]] Result<Target> target(const std::string& controller_id);
    [[nodiscard]] Result<std::map<std::string, std::string>> attributes(const std::string& controller_id);
    [[nodiscard]] Result<void> delete_target(const std::string& controller_id);

    /// @return the action's id; nullopt when the set is assigned already
    [[nodiscard]] Result<std::optional<std::int64_t>> assign(std::int64_t set_id, const std::string& controller_id,
                                                             AssignType type);
    [[nodiscard]] Result<std::vector<Action>> actions(const std::string& controller_id);  ///< the last 50, newest first
    [[nodiscard]] Result<Action> action(const std::string& controller_id, std::int64_t action_id);
    [[nodiscard]] Result<std::vector<ActionStatus>> action_status(const std::string& controller_id,
                                                                  std::int64_t action_id);  ///< newest first
    [[nodiscard]] Result<void> cancel(const std::string& controller_id, std::int64_t action_id);

    /// Tenant configuration: set_config("pollingTime", "\"00:00:02\"").
    [[nodiscard]] Result<void> set_config(const std::string& key, const std::string& json_value);

private:
    Result<http::Response> call(const std::string& method, const std::string& path, const std::string& body = {});
    /// Fills in the status that an old server keeps to the action's history.
    Result<void> complete(Action& action, const std::string& controller_id);
    [[nodiscard]] std::string source(const std::string& path) const;  ///< what an error calls the answer to GET @p path

    Login login_;
    http::Client http_;
};

}  // namespace davit::mgmt
