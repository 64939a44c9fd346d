#pragma once
/// What davitd and davit-http say to each other: one JSON object per line. Private to agent/http.
///
/// To davit-http: `{"options":{…},"request":{"method":…,"url":…,"headers":[…],"body":…,"timeout_ms":…}}`.
/// Back: `{"response":{"status":…,"headers":{…},"body":…}}` or `{"error":{"code":"Network","message":…}}`. Bytes of a
/// server that are not UTF-8 become U+FFFD: nothing that davitd reads has any.

#include <string>
#include <string_view>

#include "common/http.h"

namespace davit::http {

struct Question {
    Options options;
    Request request;
};

std::string to_line(const Options& options, const Request& request);
std::string to_line(const Result<Response>& answer);

/// Errors: Defect: the other side is broken.
Result<Question> read_question(std::string_view line);
/// The answer of the server, or the error that davit-http met. Errors: those, and Defect.
Result<Response> read_answer(std::string_view line);

}  // namespace davit::http
