#include "hawkbit/ddi/client.h"

#include <format>
#include <nlohmann/json.hpp>

#include "hawkbit/ddi/answers.h"

namespace davit::ddi {
namespace {

std::string_view name(Execution execution) {
    switch (execution) {
        case Execution::Closed:
            return "closed";
        case Execution::Proceeding:
            return "proceeding";
        case Execution::Canceled:
            return "canceled";
        case Execution::Scheduled:
            return "scheduled";
        case Execution::Rejected:
            return "rejected";
        case Execution::Resumed:
            return "resumed";
        case Execution::Downloaded:
            return "downloaded";
        case Execution::Download:
            return "download";
    }
    return "proceeding";
}

std::string_view name(Finished finished) {
    switch (finished) {
        case Finished::Success:
            return "success";
        case Finished::Failure:
            return "failure";
        case Finished::None:
            return "none";
    }
    return "none";
}

std::string text_of(const nlohmann::json& json) {
    // Text of an app or a file name may hold any byte: what is not UTF-8 is replaced instead of thrown over.
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

http::Request get(std::string url) {
    http::Request request;
    request.url = std::move(url);
    return request;
}

http::Request with_body(std::string method, std::string url, std::string body) {
    http::Request request;
    request.method = std::move(method);
    request.url = std::move(url);
    request.body = std::move(body);
    return request;
}

std::string confirmation_body(bool yes, const std::vector<std::string>& details) {
    return text_of({{"confirmation", yes ? "confirmed" : "denied"}, {"details", details}});
}

std::string feedback_body(const std::string& action_id, const Feedback& feedback,
                          const std::vector<std::string>& details) {
    nlohmann::json body = {
        {"id", action_id},  // servers before 0.3.0M8 compare it with the URL's
        {"status",
         {{"execution", name(feedback.execution)},
          {"result", {{"finished", name(feedback.finished)}}},
          {"details", details}}},
    };
    if (feedback.timestamp_ms != 0) body["timestamp"] = feedback.timestamp_ms;
    return text_of(body);
}

/// The last message in letters that no server has a reason to refuse.
std::vector<std::string> minimal_details(const std::vector<std::string>& details) {
    constexpr std::string_view kHarmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;=_-/()";
    if (details.empty()) return {};
    std::string plain;
    for (const char c : clean_attribute(details.back()))
        plain += kHarmless.contains(c) ? c : ' ';
    return {plain};
}

std::string scheme(Credentials::Kind kind) {
    return kind == Credentials::Kind::GatewayToken ? "Gateway" : "Target";
}

std::string unauthorized(const ServerAddress& address, Credentials::Kind kind) {
    // The same empty 401 for every cause: all that a person can look at is named.
    const auto* last = kind == Credentials::Kind::GatewayToken
                           ? "whether it has gateway tokens switched on"
                           : "whether this target exists in it, and whether it has target tokens switched on";
    return std::format("hawkBit at {} refuses the {} token of '{}': look at the token, at the tenant '{}', {}",
                       address.url, kind == Credentials::Kind::GatewayToken ? "gateway" : "target",
                       address.controller_id, address.tenant, last);
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const auto first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

Result<Credentials> Credentials::read(Kind kind, const Path& file) {
    const auto content = TRY(file::read(file, 4096));
    const auto token = trimmed(content);
    if (token.empty()) return fail(Code::InvalidInput, std::format("'{}' holds no token: it is empty", file.string()));
    if (token.find_first_of("\r\n") != std::string_view::npos) {
        return fail(Code::InvalidInput,
                    std::format("'{}' must hold one token on one line, but has more lines", file.string()));
    }
    return Credentials{.kind = kind, .token = std::string(token)};
}

Client::Client(ServerAddress address, Credentials credentials, std::unique_ptr<http::Sender> http)
    : address_(std::move(address)), credentials_(std::move(credentials)), http_(std::move(http)) {}

Result<http::Response> Client::exchange(const http::Request& request) {
    auto sent = request;
    sent.headers = {"Authorization: " + scheme(credentials_.kind) + "Token " + credentials_.token,
                    "Accept: application/hal+json"};
    if (request.method != "GET") sent.headers.emplace_back("Content-Type: application/json");
    return http_->send(sent);
}

Result<http::Response> Client::accepted(const http::Request& request, http::Response response) const {
    if (response.status == 401) return fail(Code::Unauthorized, unauthorized(address_, credentials_.kind));
    const auto what = request.method + " " + request.url.substr(0, request.url.find('?'));
    if (auto error = http::status_error(response, what)) return fail(std::move(*error));
    return response;
}

Result<http::Response> Client::send(const http::Request& request) {
    auto response = TRY(exchange(request));
    return accepted(request, std::move(response));
}

Result<Poll> Client::poll() {
    const auto url = base_url(address_);
    const auto response = TRY(send(get(url)));
    return read_poll(response.body, "answer of GET " + url, address_);
}

Result<Deployment> Client::deployment(const std::string& url) {
    return read(url, "deploymentBase", "deployment");
}

Result<Deployment> Client::confirmation(const std::string& url) {
    return read(url, "confirmationBase", "confirmation");
}

Result<Deployment> Client::read(const std::string& url, std::string_view resource, std::string_view member) {
    const auto own = TRY(own_link(address_, url, resource));
    const auto response = TRY(send(get(own)));
    return read_deployment(response.body, "answer of GET " + own, member);
}

Result<std::string> Client::cancel(const std::string& url) {
    const auto own = TRY(own_link(address_, url, "cancelAction"));
    const auto response = TRY(send(get(own)));
    return read_cancel(response.body, "answer of GET " + own);
}

Result<void> Client::post(std::string_view resource, const std::string& action_id,
                          const std::vector<std::string>& details, const Body& body) {
    const auto url = std::format("{}/{}/{}/feedback", base_url(address_), resource, http::percent_encode(action_id));
    auto request = with_body("POST", url, body(clean_details(details)));
    auto response = TRY(exchange(request));
    if (response.status == 400 && !details.empty()) {
        // A message that the server dislikes must not keep the outcome from it: say less, once.
        request.body = body(minimal_details(details));
        response = TRY(exchange(request));
    }
    TRY(accepted(request, std::move(response)));
    return {};
}

Result<void> Client::feedback(const std::string& action_id, const Feedback& feedback) {
    return post("deploymentBase", action_id, feedback.details,
                [&](const auto& details) { return feedback_body(action_id, feedback, details); });
}

Result<void> Client::cancel_feedback(const std::string& action_id, const Feedback& feedback) {
    return post("cancelAction", action_id, feedback.details,
                [&](const auto& details) { return feedback_body(action_id, feedback, details); });
}

Result<void> Client::confirm(const std::string& action_id, bool yes, const std::string& reason) {
    return post("confirmationBase", action_id, {reason},
                [&](const auto& details) { return confirmation_body(yes, details); });
}

Result<void> Client::attributes(const std::map<std::string, std::string>& values) {
    auto data = nlohmann::json::object();
    for (const auto& [key, value] : values)
        data[clean_attribute(key)] = clean_attribute(value);
    if (data.empty()) return {};  // hawkBit refuses an empty object
    TRY(send(with_body("PUT", base_url(address_) + "/configData", text_of({{"mode", "replace"}, {"data", data}}))));
    return {};
}

}  // namespace davit::ddi
