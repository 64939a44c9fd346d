#include "agent/http/http_process.h"

#include <gmock/gmock.h>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include "tests/unit/common/loopback_server.h"
#include "tests/unit/common/support.h"

namespace davit::http {
namespace {

using namespace std::chrono_literals;
using test::FailsWith;
using test::LoopbackServer;
using test::Works;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

/// Whatever proxy the machine's environment names is not for these tests' own servers.
[[maybe_unused]] const int kNoProxy = ::setenv("no_proxy", "*", 1);

/// The PIDs of this process's children, as the kernel knows them.
std::vector<int> children() {
    std::ifstream list("/proc/self/task/" + std::to_string(::gettid()) + "/children");
    std::vector<int> pids;
    for (int pid = 0; list >> pid;)
        pids.push_back(pid);
    return pids;
}

LoopbackServer::Reply ok(const std::string&) {
    return LoopbackServer::reply(200, "hello", "X-Thing: a\r\n");
}

class HttpProcessTest : public testing::Test {
protected:
    HttpProcess http_{DAVIT_HTTP_PROGRAM, {.user_agent = "davitd/1"}};
};

TEST_F(HttpProcessTest, GivesWhatTheServerAnswers) {
    const LoopbackServer server(ok);
    const auto response =
        http_.send({.method = "PUT", .url = server.url("/a"), .headers = {"B: c"}, .body = "{}"}).value();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "hello");
    EXPECT_EQ(response.headers.at("x-thing"), "a");
    EXPECT_THAT(server.requests().at(0), AllOf(HasSubstr("PUT /a "), HasSubstr("B: c\r\n"), HasSubstr("davitd/1")));
}

TEST_F(HttpProcessTest, GivesTheErrorsOfTheOtherSide) {
    EXPECT_THAT(http_.send({.url = "http://127.0.0.1:1/x"}), FailsWith(Code::Network, HasSubstr("connection refused")));
    EXPECT_THAT(http_.send({.url = "gopher://host"}), FailsWith(Code::InvalidInput, HasSubstr("not a valid http")));
}

TEST_F(HttpProcessTest, OneProcessAndOneConnectionServeManyRequests) {
    const LoopbackServer server(ok);
    EXPECT_THAT(children(), IsEmpty());
    for (int i = 0; i < 3; ++i)
        ASSERT_THAT(http_.send({.url = server.url()}), Works());
    EXPECT_THAT(children(), SizeIs(1));
    EXPECT_EQ(server.connections(), 1);
}

TEST(HttpProcess, IsGoneWithItsOwner) {
    const LoopbackServer server(ok);
    ASSERT_THAT(HttpProcess(DAVIT_HTTP_PROGRAM, {}).send({.url = server.url()}), Works());
    EXPECT_THAT(children(), IsEmpty());
}

TEST_F(HttpProcessTest, ANewOneTakesThePlaceOfOneThatWasKilled) {
    const LoopbackServer server(ok);
    ASSERT_THAT(http_.send({.url = server.url()}), Works());
    ASSERT_EQ(::kill(children().at(0), SIGKILL), 0);
    EXPECT_THAT(http_.send({.url = server.url()}), FailsWith(Code::Network, HasSubstr("killed by signal 9")));
    EXPECT_THAT(http_.send({.url = server.url()}), Works());
}

TEST_F(HttpProcessTest, SecretsAreNotInWhatOthersSeeOfIt) {
    const LoopbackServer server(ok);
    ASSERT_THAT(http_.send({.url = server.url(), .headers = {"Authorization: TargetToken s3cret"}}), Works());
    for (const auto* file : {"cmdline", "environ"}) {
        const auto seen = file::read("/proc/" + std::to_string(children().at(0)) + "/" + file).value();
        EXPECT_THAT(seen, Not(HasSubstr("s3cret"))) << file;
    }
}

TEST(HttpProcess, SaysWhatCannotBeStarted) {
    EXPECT_THAT(HttpProcess("/nonexistent/davit-http", {}).send({.url = "http://127.0.0.1:1/"}),
                FailsWith(Code::NotFound, HasSubstr("/nonexistent/davit-http")));
}

}  // namespace
}  // namespace davit::http
