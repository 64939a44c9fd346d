#include "agent/http/messages.h"

#include <nlohmann/json.hpp>

#include "common/json.h"

namespace davit::http {

namespace {

constexpr std::string_view kName = "davit-http";

std::string dump(const nlohmann::json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<Options> read_options(const json::Reader& from) {
    Options options;
    options.ca_file = TRY(from.get_string("ca_file"));
    options.connect_timeout = std::chrono::milliseconds(TRY(from.need_integer("connect_timeout_ms")));
    options.total_timeout = std::chrono::milliseconds(TRY(from.need_integer("total_timeout_ms")));
    options.user_agent = TRY(from.need_string("user_agent"));
    options.max_body = static_cast<std::size_t>(TRY(from.need_integer("max_body", {.least = 0})));
    return options;
}

Result<Request> read_request(const json::Reader& from) {
    Request request;
    request.method = TRY(from.need_string("method"));
    request.url = TRY(from.need_string("url"));
    request.headers = TRY(from.get_strings("headers"));
    request.body = TRY(from.need_string("body"));
    if (const auto timeout = TRY(from.get_integer("timeout_ms"))) request.timeout = std::chrono::milliseconds(*timeout);
    return request;
}

Result<Response> read_response(const json::Reader& from) {
    Response response;
    response.status = static_cast<int>(TRY(from.need_integer("status", {.least = 0, .most = 999})));
    response.body = TRY(from.need_string("body"));
    const auto headers = TRY(from.need_object("headers"));
    for (const auto& name : headers.members())
        response.headers[name] = TRY(headers.need_string(name));
    return response;
}

/// What one of the two says is never the server's or the user's mistake.
Error defect(const Error& error) {
    return {Code::Defect, error.message};
}

Result<Question> question_in(const nlohmann::json& document) {
    const json::Reader reader(document, std::string(kName));
    return Question{.options = TRY(read_options(TRY(reader.need_object("options")))),
                    .request = TRY(read_request(TRY(reader.need_object("request"))))};
}

/// The outer error: not a message. The inner: what the message says.
Result<Result<Response>> answer_in(const nlohmann::json& document) {
    const json::Reader reader(document, std::string(kName));
    if (const auto error = TRY(reader.get_object("error"))) {
        const auto code = TRY(error->need_string("code"));
        return Result<Response>(fail(code_named(code).value_or(Code::Defect), TRY(error->need_string("message"))));
    }
    return Result<Response>(TRY(read_response(TRY(reader.need_object("response")))));
}

}  // namespace

std::string to_line(const Options& options, const Request& request) {
    nlohmann::json json{
        {"options",
         {{"connect_timeout_ms", options.connect_timeout.count()},
          {"total_timeout_ms", options.total_timeout.count()},
          {"user_agent", options.user_agent},
          {"max_body", options.max_body}}},
        {"request",
         {{"method", request.method}, {"url", request.url}, {"headers", request.headers}, {"body", request.body}}}};
    if (options.ca_file) json["options"]["ca_file"] = *options.ca_file;
    if (request.timeout) json["request"]["timeout_ms"] = request.timeout->count();
    return dump(json);
}

std::string to_line(const Result<Response>& answer) {
    if (!answer) return dump({{"error", {{"code", name(answer.error().code)}, {"message", answer.error().message}}}});
    return dump({{"response", {{"status", answer->status}, {"headers", answer->headers}, {"body", answer->body}}}});
}

Result<Question> read_question(std::string_view line) {
    const auto document = TRY(json::parse(line, kName).transform_error(defect));
    return question_in(document).transform_error(defect);
}

Result<Response> read_answer(std::string_view line) {
    const auto document = TRY(json::parse(line, kName).transform_error(defect));
    return TRY(answer_in(document).transform_error(defect));
}

}  // namespace davit::http
