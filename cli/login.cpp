#include "cli/login.h"

#include <cstdlib>
#include <format>
#include <nlohmann/json.hpp>

#include "common/json.h"

namespace davit::cli {
namespace {

struct ConfigFile {
    Path path;  ///< also when it does not exist, for messages
    std::optional<std::string> server, user, password_file, ca_file;
};

Path default_path(const Environment& environment) {
    if (const auto base = environment("XDG_CONFIG_HOME")) return Path(*base) / "davit/config.json";
    return Path(environment("HOME").value_or("/")) / ".config/davit/config.json";
}

Result<ConfigFile> read_config(const LoginOptions& options, const Environment& environment) {
    ConfigFile config;
    config.path = options.config ? Path(*options.config) : default_path(environment);
    if (!options.config && !file::exists(config.path)) return config;

    const auto text = TRY(file::read(config.path));
    const auto document = TRY(json::parse(text, config.path.string(), json::Comments::Allow));
    const json::Reader reader(document, config.path.string());
    TRY(reader.expect_object());
    TRY(reader.refuse_unknown({"server", "user", "password_file", "ca_file"}));
    config.server = TRY(reader.get_string("server"));
    config.user = TRY(reader.get_string("user"));
    config.password_file = TRY(reader.get_string("password_file"));
    config.ca_file = TRY(reader.get_string("ca_file"));
    return config;
}

/// One value and the places it may come from.
struct Setting {
    const char* what;
    const char* option;
    const char* variable;
    const char* member;
};
constexpr Setting kServer{"server", "--server", "DAVIT_HAWKBIT_URL", "server"};
constexpr Setting kUser{"user", "--user", "DAVIT_HAWKBIT_USER", "user"};
constexpr Setting kPassword{"password", "--password-file", "DAVIT_HAWKBIT_PASSWORD_FILE", "password_file"};

std::unexpected<Error> missing(const Setting& setting, const ConfigFile& config) {
    return fail(Code::InvalidInput,
                std::format("no {} for hawkBit: give {}, set {}, or write \"{}\" into {}", setting.what, setting.option,
                            setting.variable, setting.member, config.path.string()));
}

Result<std::string> choose(const Setting& setting, const std::optional<std::string>& option,
                           const std::optional<std::string>& member, const ConfigFile& config,
                           const Environment& environment) {
    if (option) return *option;
    if (auto variable = environment(setting.variable)) return std::move(*variable);
    if (member) return *member;
    return missing(setting, config);
}

Result<std::string> read_password(const Path& path) {
    auto password = TRY(file::read(path, 4096).transform_error(in("the password")));
    while (password.ends_with('\n') || password.ends_with('\r'))
        password.pop_back();
    if (password.empty())
        return fail(Code::InvalidInput, std::format("'{}' holds no password: it is empty", path.string()));
    return password;
}

Result<std::string> find_password(const LoginOptions& options, const ConfigFile& config,
                                  const Environment& environment) {
    if (options.password_file) return read_password(*options.password_file);
    if (const auto path = environment("DAVIT_HAWKBIT_PASSWORD_FILE")) return read_password(*path);
    if (auto password = environment("DAVIT_HAWKBIT_PASSWORD")) return std::move(*password);
    if (config.password_file) return read_password(config.path.parent_path() / *config.password_file);
    return missing(kPassword, config);
}

}  // namespace

std::optional<std::string> process_environment(const char* name) {
    const auto* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

Result<Connection> find_connection(const LoginOptions& options, const Environment& environment) {
    const auto config = TRY(read_config(options, environment));
    Connection connection;
    connection.login.url = TRY(choose(kServer, options.server, config.server, config, environment));
    connection.login.user = TRY(choose(kUser, options.user, config.user, config, environment));
    connection.login.password = TRY(find_password(options, config, environment));
    connection.http.ca_file = config.ca_file;
    connection.http.user_agent = "davit/" DAVIT_VERSION;
    if (http::origin(connection.login.url).empty()) {
        return fail(Code::InvalidInput, std::format("'{}' is no address of a hawkBit: expected http(s)://host[:port]",
                                                    connection.login.url));
    }
    return connection;
}

}  // namespace davit::cli
