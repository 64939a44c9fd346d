#pragma once
/// HTTP(S) requests and answers, and whoever sends them. Without libcurl: see common/http_client.h.

#include <chrono>
#include <cstdint>
#include <map>
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

/// Who sends requests: Client (http_client.h) in this process, or agent/http's in one of its own. Not thread-safe: each
/// thread owns its own.
class Sender {
public:
    virtual ~Sender() = default;
    /// Any answer of the server is a Response, whatever its status. Errors: Code::Network (no answer, time-out, TLS),
    /// Code::InvalidInput (bad URL or CA file, an answer larger than Options::max_body). The message names the URL
    /// without user info or query, and the cause ("connection refused", "certificate is not trusted …").
    [[nodiscard]] virtual Result<Response> send(const Request& request) = 0;
};

/// The error that a status code stands for; std::nullopt for 2xx and 304. @p what: "GET http://…"; the body's `message`
/// member is quoted when it is hawkBit's JSON.
std::optional<Error> status_error(const Response& response, std::string_view what);

/// "/" and other reserved characters as %XX, for one path segment or query value.
std::string percent_encode(std::string_view text);

}  // namespace davit::http
