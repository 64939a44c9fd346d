#include "common/http.h"

#include <cctype>
#include <format>
#include <nlohmann/json.hpp>

#include "common/text.h"

namespace davit::http {

namespace {

/// hawkBit's error body (ExceptionInfo): {"errorCode": "hawkbit.server.error…", "message": "…"}; both empty for
/// anything else.
struct ServerError {
    std::string code, message;
};

ServerError read_server_error(const std::string& body) {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    const auto member = [&](const char* name) {
        const auto found = json.is_object() ? json.find(name) : json.end();
        return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    return {member("errorCode"), member("message")};
}

std::string_view meaning(int status) {
    switch (status) {
        case 400:
            return " (bad request)";
        case 401:
            return " (not authorized)";
        case 403:
            return " (forbidden)";
        case 404:
            return " (not found)";
        case 405:
            return " (method not allowed)";
        case 408:
            return " (request time-out)";
        case 409:
            return " (conflict)";
        case 410:
            return " (gone)";
        case 429:
            return " (too many requests)";
        case 500:
            return " (internal error)";
        case 502:
            return " (bad gateway)";
        case 503:
            return " (unavailable)";
        case 504:
            return " (gateway time-out)";
        default:
            return "";
    }
}

Code code_of(int status, const ServerError& error) {
    switch (status) {
        case 401:
            return Code::Unauthorized;
        case 403:
            // hawkBit before 1.0 says 403 for a quota.
            return error.code.contains(".quota.") ? Code::Quota : Code::Unauthorized;
        case 404:
            return Code::NotFound;
        case 408:
            return Code::Network;
        case 409:
            return Code::AlreadyExists;
        case 410:
            return Code::Gone;
        case 429:
            return Code::Quota;
        default:
            return status >= 300 && status < 500 ? Code::ServerRefused : Code::Network;
    }
}

}  // namespace

std::optional<Error> status_error(const Response& response, std::string_view what) {
    const int status = response.status;
    if ((status >= 200 && status < 300) || status == 304) return std::nullopt;
    auto message = std::format("{}: the server answered {}{}", what, status, meaning(status));
    if (status >= 300 && status < 400) return Error{Code::ServerRefused, message + "; redirects are not followed"};
    const auto error = read_server_error(response.body);
    if (!error.message.empty()) message += ": " + cut(one_line(error.message), 300);
    return Error{code_of(status, error), std::move(message)};
}

std::string percent_encode(std::string_view text) {
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool unreserved = std::isalnum(byte) || std::string_view("-._~").contains(c);
        encoded += unreserved ? std::string(1, c) : std::format("%{:02X}", byte);
    }
    return encoded;
}

}  // namespace davit::http
