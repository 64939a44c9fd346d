#pragma once
/// HTTP in a process of its own: `davit-http`, which is there only while there is something to ask.
///
/// davitd waits for minutes between two polls. What speaks TLS (libcurl, the crypto libraries and what they bring
/// along) would be more than half of its memory, and is what reads the bytes of strangers: it lives, and can crash,
/// elsewhere. Credentials travel on the child's standard input only.

#include <optional>

#include "common/file.h"
#include "common/http.h"
#include "common/partner.h"

namespace davit::http {

/// Starts davit-http with the first request and keeps it, and its connection, until it is destroyed; a new one takes
/// the place of one that died. The child also ends with the thread that sent the first request.
class HttpProcess : public Sender {
public:
    HttpProcess(Path program, Options options);

    /// As Sender::send. Also Code::Network when davit-http hangs or ends without an answer, and what starting it may
    /// give.
    [[nodiscard]] Result<Response> send(const Request& request) override;

private:
    Path program_;
    Options options_;
    std::optional<process::Partner> partner_;
};

}  // namespace davit::http
