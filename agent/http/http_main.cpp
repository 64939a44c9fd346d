// davit-http: sends the requests that come on standard input, a line each, and answers each with a line (messages.h).
// Started by davitd, not by people; ends when davitd closes its end.

#include <iostream>
#include <optional>
#include <string>

#include "agent/http/messages.h"
#include "common/http_client.h"

namespace {

using namespace davit;

/// Keeps the connection from one request to the next.
class Requests {
public:
    Result<http::Response> answer(const std::string& line) {
        const auto question = TRY(http::read_question(line));
        if (!client_) client_.emplace(question.options);  // davitd never changes them
        return client_->send(question.request);
    }

private:
    std::optional<http::Client> client_;
};

}  // namespace

int main() {
    std::ios::sync_with_stdio(false);
    Requests requests;
    for (std::string line; std::getline(std::cin, line);) {
        std::cout << http::to_line(requests.answer(line)) << std::endl;
        if (!std::cout) break;
    }
    return 0;
}
