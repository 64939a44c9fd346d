#pragma once
/// HTTP(S) requests with time-outs, over one kept connection. The only room member that includes libcurl.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"

namespace davit::http {

struct Options {
    std::optional<std::string> ca_file = {};  ///< PEM bundle instead of the system's authorities
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds total_timeout{30'000};  ///< of one request, connection included
    std::string user_agent = "davit";
    std::size_t max_body = 8u << 20;  ///< larger answers are an error, not memory
};

struct Request {
    std::string method = "GET";
    std::string url = {};
    std::vector<std::string> headers = {};                  ///< "Name: value"
    std::string body = {};                                  ///< sent when not empty, or for POST and PUT
    std::optional<std::chrono::milliseconds> timeout = {};  ///< instead of Options::total_timeout
};

struct Response {
    int status = 0;
    std::string body;
    std::map<std::string, std::string> headers;  ///< names in lower case, last value wins
};

/// One client, one connection cache. Not thread-safe: each thread owns its own.
/// Redirects are never followed (a token must not travel to another host); headers with credentials never reach a log.
class Client {
public:
    explicit Client(Options options);
    ~Client();
    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;

    /// Any answer of the server is a Response, whatever its status. Errors: Code::Network (no answer, time-out, TLS),
    /// Code::InvalidInput (bad URL or CA file, an answer larger than Options::max_body). The message names the URL
    /// without user info or query, and the cause ("connection refused", "certificate is not trusted …").
    [[nodiscard]] Result<Response> send(const Request& request);

private:
    struct Handle;
    std::unique_ptr<Handle> handle_;
    Options options_;
};

/// The error that a status code stands for; std::nullopt for 2xx and 304. @p what: "GET http://…"; the body's `message`
/// member is quoted when it is hawkBit's JSON.
std::optional<Error> status_error(const Response& response, std::string_view what);

/// "/" and other reserved characters as %XX, for one path segment or query value.
std::string percent_encode(std::string_view text);
/// scheme://host[:port] of an http or https URL, in lower case and without the default port; empty if it is none. For
/// "is this the same origin?".
std::string origin(std::string_view url);

}  // namespace davit::http
