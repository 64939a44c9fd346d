#pragma once
/// HTTP(S) by libcurl, with time-outs, over one kept connection. The only member of the rooms that includes libcurl; a
/// library of its own (davit_http_client), so that davitd does not load it.

#include <memory>

#include "common/http.h"

namespace davit::http {

/// One client, one connection cache.
/// Redirects are never followed (a token must not travel to another host); headers with credentials never reach a log.
class Client : public Sender {
public:
    explicit Client(Options options);
    ~Client() override;
    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;

    [[nodiscard]] Result<Response> send(const Request& request) override;

private:
    struct Handle;
    std::unique_ptr<Handle> handle_;
    Options options_;
};

/// scheme://host[:port] of an http or https URL, in lower case and without the default port; empty if it is none. For
/// "is this the same origin?".
std::string origin(std::string_view url);

}  // namespace davit::http
