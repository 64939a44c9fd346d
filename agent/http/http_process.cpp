#include "agent/http/http_process.h"

#include "agent/http/messages.h"

namespace davit::http {

namespace {

/// davit-http keeps the request's own time-out; this much later it must be stuck.
constexpr Milliseconds kGrace{5'000};

}  // namespace

HttpProcess::HttpProcess(Path program, Options options) : program_(std::move(program)), options_(std::move(options)) {}

Result<Response> HttpProcess::send(const Request& request) {
    if (!partner_) partner_ = TRY(process::Partner::start({.argv = {program_.string()}}));
    const auto line =
        partner_->ask(to_line(options_, request), request.timeout.value_or(options_.total_timeout) + kGrace);
    if (!line) {
        partner_.reset();
        return fail(Code::Network, line.error().message);
    }
    return read_answer(*line);
}

}  // namespace davit::http
