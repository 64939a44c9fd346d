#pragma once
/// Which hawkBit, and who we are there: from options, environment and a file, in this order.
///
/// A password is in a file or in the environment, never in an option: `ps` shows those to everybody.

#include <functional>
#include <optional>
#include <string>

#include "common/file.h"
#include "common/http.h"
#include "common/result.h"
#include "hawkbit/mgmt/client.h"

namespace davit::cli {

/// The value of an environment variable; nullopt when it is not set or empty.
using Environment = std::function<std::optional<std::string>(const char* name)>;
std::optional<std::string> process_environment(const char* name);

/// The options that every verb with a server has.
struct LoginOptions {
    std::optional<std::string> server;  ///< else DAVIT_HAWKBIT_URL, else `server` of the file
    std::optional<std::string> user;    ///< else DAVIT_HAWKBIT_USER, else `user`
    std::optional<std::string>
        password_file;                  ///< else DAVIT_HAWKBIT_PASSWORD_FILE, DAVIT_HAWKBIT_PASSWORD, `password_file`
    std::optional<std::string> config;  ///< else $XDG_CONFIG_HOME/davit/config.json, ~/.config/davit/config.json
};

struct Connection {
    mgmt::Login login;
    http::Options http;
};

/// Errors: InvalidInput saying which value is missing and the three places where it may be; NotFound for a file that
/// was named but is not there; what is wrong in the file.
Result<Connection> find_connection(const LoginOptions& options, const Environment& environment);

}  // namespace davit::cli
