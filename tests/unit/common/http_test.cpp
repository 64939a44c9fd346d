#include "common/http_client.h"

#include <gmock/gmock.h>
#include <cstdlib>

#include "common/file.h"
#include "common/process.h"
#include "tests/unit/common/loopback_server.h"
#include "tests/unit/common/support.h"

namespace davit::http {
namespace {

using namespace std::chrono_literals;
using test::FailsWith;
using test::Gives;
using test::LoopbackServer;
using test::Works;
using testing::AllOf;
using testing::Contains;
using testing::EndsWith;
using testing::Field;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::StartsWith;
using Reply = LoopbackServer::Reply;

/// Whatever proxy the machine's environment names is not for these tests' own servers.
[[maybe_unused]] const int kNoProxy = ::setenv("no_proxy", "*", 1);

/// Longer than a DNS label may be: no resolver needs to be asked, so the answer does not depend on the machine's
/// network.
const std::string kNoHost(64, 'x');

/// A server that gives every request the same reply.
std::function<Reply(const std::string&)> always(const Reply& reply) {
    return [reply](const std::string&) { return reply; };
}

Result<Response> get(const std::string& url, Options options = {}) {
    return Client(std::move(options)).send({.url = url});
}

TEST(Http, GivesStatusHeadersAndBody) {
    const LoopbackServer server(
        always(LoopbackServer::reply(200, "hello", "X-Some-Thing:  a b \r\nx-some-thing: last\r\n")));
    const auto response = get(server.url("/a?b=c")).value();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "hello");
    EXPECT_THAT(response.headers, Contains(Pair("x-some-thing", "last")));
    EXPECT_THAT(server.requests().at(0), StartsWith("GET /a?b=c HTTP/1.1\r\n"));
}

TEST(Http, SendsMethodHeadersAndBody) {
    const LoopbackServer server(always(LoopbackServer::reply(201, "")));
    Client client({.user_agent = "davit/1"});
    ASSERT_THAT(
        client.send(
            {.method = "PUT", .url = server.url(), .headers = {"Content-Type: application/json"}, .body = "{}"}),
        Works());
    const auto request = server.requests().at(0);
    EXPECT_THAT(request, AllOf(StartsWith("PUT / "), EndsWith("\r\n\r\n{}"),
                               HasSubstr("Content-Type: application/json\r\n"), HasSubstr("User-Agent: davit/1\r\n")));
    EXPECT_THAT(request, Not(HasSubstr("Expect:")));
}

TEST(Http, SendsAnEmptyBodyForPost) {
    const LoopbackServer server(always(LoopbackServer::reply(200, "")));
    ASSERT_THAT(Client({}).send({.method = "POST", .url = server.url()}), Works());
    EXPECT_THAT(server.requests().at(0), AllOf(StartsWith("POST / "), HasSubstr("Content-Length: 0\r\n")));
}

TEST(Http, KeepsItsConnectionAndForgetsThePreviousRequest) {
    const LoopbackServer server(always(LoopbackServer::reply(200, "x")));
    Client client({});
    ASSERT_THAT(client.send({.method = "POST", .url = server.url(), .headers = {"X-Secret: 1"}, .body = "body"}),
                Works());
    ASSERT_THAT(client.send({.url = server.url()}), Works());
    ASSERT_THAT(client.send({.method = "DELETE", .url = server.url()}), Works());
    EXPECT_EQ(server.connections(), 1);
    EXPECT_THAT(server.requests().at(1), AllOf(StartsWith("GET / "), Not(HasSubstr("X-Secret")), EndsWith("\r\n\r\n")));
    EXPECT_THAT(server.requests().at(2), StartsWith("DELETE / "));
}

TEST(Http, HeadHasNoBodyToWaitFor) {
    const LoopbackServer server(always({"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"}));
    EXPECT_THAT(Client({}).send({.method = "HEAD", .url = server.url()}), Works());
}

TEST(Http, AnyStatusIsAnAnswer) {
    const LoopbackServer server(always(LoopbackServer::reply(503, "later")));
    EXPECT_THAT(get(server.url()), Gives(AllOf(Field(&Response::status, 503), Field(&Response::body, "later"))));
}

TEST(Http, NeverFollowsARedirect) {
    const LoopbackServer elsewhere(always(LoopbackServer::reply(200, "stolen")));
    const LoopbackServer server(always(LoopbackServer::reply(302, "", "Location: " + elsewhere.url() + "\r\n")));
    EXPECT_THAT(get(server.url()), Gives(Field(&Response::status, 302)));
    EXPECT_EQ(elsewhere.connections(), 0);
}

TEST(Http, SaysThatTheConnectionWasRefused) {
    std::string url;
    {
        const LoopbackServer closed(always({}));
        url = closed.url("/x");
    }
    EXPECT_THAT(get(url), FailsWith(Code::Network, "GET " + url + ": connection refused"));
}

TEST(Http, SaysThatAHostNameIsUnknown) {
    EXPECT_THAT(get("http://" + kNoHost + "/"),
                FailsWith(Code::Network, HasSubstr(kNoHost + "/: could not resolve the host name")));
}

TEST(Http, GivesUpOnAServerThatDoesNotAnswerInTime) {
    const LoopbackServer server(always({}));
    EXPECT_THAT(get(server.url(), {.total_timeout = 200ms}),
                FailsWith(Code::Network, HasSubstr("timed out after 0.2 s")));
    EXPECT_THAT(Client({}).send({.url = server.url(), .timeout = 100ms}),
                FailsWith(Code::Network, HasSubstr("timed out after 0.1 s")));
}

TEST(Http, GivesUpOnAnAnswerThatStopsInTheMiddle) {
    const LoopbackServer server(always({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"}));
    EXPECT_THAT(get(server.url(), {.total_timeout = 200ms}), FailsWith(Code::Network, HasSubstr("timed out")));
}

TEST(Http, NoticesAServerThatHangsUp) {
    const LoopbackServer silent(always({"", Reply::Then::Close}));
    EXPECT_THAT(get(silent.url()), FailsWith(Code::Network, HasSubstr("closed the connection without an answer")));
    const LoopbackServer halfway(always({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", Reply::Then::Close}));
    EXPECT_THAT(get(halfway.url()), FailsWith(Code::Network, HasSubstr("the connection broke")));
}

TEST(Http, NoticesAServerThatSpeaksSomethingElse) {
    const LoopbackServer server(always({"220 mail.example ESMTP\r\n", Reply::Then::Close}));
    EXPECT_THAT(get(server.url()), FailsWith(Code::Network, HasSubstr("does not speak HTTP")));
}

TEST(Http, RefusesAnswersThatAreTooLarge) {
    const LoopbackServer server(always(LoopbackServer::reply(200, std::string(1001, 'x'))));
    EXPECT_THAT(get(server.url(), {.max_body = 1001}), Works());
    EXPECT_THAT(get(server.url(), {.max_body = 1000}),
                FailsWith(Code::InvalidInput, HasSubstr("larger than 1000 bytes")));
}

TEST(Http, RefusesAnEndlessAnswerWithoutALength) {
    const LoopbackServer server([](const std::string&) -> Reply {
        return {"HTTP/1.1 200 OK\r\n\r\n" + std::string(4'000'000, 'x'), Reply::Then::Close};
    });
    EXPECT_THAT(get(server.url(), {.max_body = 1'000'000}), FailsWith(Code::InvalidInput, HasSubstr("larger than")));
}

TEST(Http, RefusesOtherUrls) {
    for (const char* bad :
         {"", "nonsense", "file:///etc/passwd", "ftp://host/", "http://", "http://host:port/", "//host/"}) {
        EXPECT_THAT(get(bad), FailsWith(Code::InvalidInput, HasSubstr("not a valid http or https URL"))) << bad;
    }
}

TEST(Http, RefusesAHeaderThatSmugglesAnother) {
    EXPECT_THAT(Client({}).send({.url = "http://127.0.0.1:1/", .headers = {"Authorization: a\r\nX: y"}}),
                FailsWith(Code::InvalidInput, AllOf(HasSubstr("line break"), Not(HasSubstr("Authorization")))));
}

TEST(Http, KeepsSecretsOfTheUrlOutOfItsMessages) {
    EXPECT_THAT(get("http://user:pass@" + kNoHost + "/path?token=secret#part"),
                FailsWith(Code::Network, StartsWith("GET http://" + kNoHost + "/path: ")));
    EXPECT_THAT(get("htp://user:pa@ss@host/?token=secret"),
                FailsWith(Code::InvalidInput, StartsWith("GET htp://host/: ")));
}

/// openssl's own server with a certificate that only its own file vouches for.
class HttpsTest : public testing::Test {
protected:
    void SetUp() override { make_certificate("20200101000000Z", "20900101000000Z"); }

    void make_certificate(const std::string& from, const std::string& to) const {
        const process::Command make{.argv = {"openssl",
                                             "req",
                                             "-x509",
                                             "-newkey",
                                             "ec",
                                             "-pkeyopt",
                                             "ec_paramgen_curve:prime256v1",
                                             "-nodes",
                                             "-not_before",
                                             from,
                                             "-not_after",
                                             to,
                                             "-subj",
                                             "/CN=davit test",
                                             "-addext",
                                             "subjectAltName=IP:127.0.0.1",
                                             "-keyout",
                                             key,
                                             "-out",
                                             certificate}};
        const auto made = process::run(make, 30s);
        ASSERT_TRUE(made && made->ok()) << (made ? made->err : made.error().message);
    }

    /// Calls @p test with the port while the server runs.
    void with_server(const std::function<void(int port)>& test) const {
        const process::Command serve{
            .argv = {"openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key, "-www"}};
        std::stop_source stop;
        bool tested = false;
        const auto ended = process::watch(serve, 30s, stop.get_token(), [&](std::string_view line) {
            if (tested || !line.starts_with("ACCEPT ")) return;
            tested = true;
            test(std::stoi(std::string(line.substr(line.rfind(':') + 1))));
            stop.request_stop();
        });
        EXPECT_TRUE(tested) << "openssl s_server did not start";
    }

    const test::TemporaryDirectory dir;
    const std::string key = dir / "key.pem", certificate = dir / "certificate.pem";
};

TEST_F(HttpsTest, RefusesACertificateThatNobodyVouchesFor) {
    with_server([](int port) {
        EXPECT_THAT(get(std::format("https://127.0.0.1:{}/", port)),
                    FailsWith(Code::Network, HasSubstr("certificate is not trusted (self-signed certificate); an "
                                                       "authority of your own is named with ca_file")));
    });
}

TEST_F(HttpsTest, TrustsTheAuthorityItWasGiven) {
    with_server([this](int port) {
        EXPECT_THAT(get(std::format("https://127.0.0.1:{}/", port), {.ca_file = certificate}),
                    Gives(Field(&Response::status, 200)));
    });
}

TEST_F(HttpsTest, SuspectsTheClockWhenACertificateIsOfAnotherTime) {
    make_certificate("20800101000000Z", "20900101000000Z");
    with_server([this](int port) {
        EXPECT_THAT(
            get(std::format("https://127.0.0.1:{}/", port), {.ca_file = certificate}),
            FailsWith(Code::Network, AllOf(HasSubstr("not yet valid"), HasSubstr("the clock of this device says 20"))));
    });
}

TEST_F(HttpsTest, RefusesACertificateForAnotherName) {
    with_server([this](int port) {
        EXPECT_THAT(get(std::format("https://localhost:{}/", port), {.ca_file = certificate}),
                    FailsWith(Code::Network, AllOf(HasSubstr("certificate is not trusted"), HasSubstr("localhost"))));
    });
}

TEST_F(HttpsTest, NamesACaFileThatItCannotUse) {
    with_server([](int port) {
        EXPECT_THAT(get(std::format("https://127.0.0.1:{}/", port), {.ca_file = "/absent.pem"}),
                    FailsWith(Code::InvalidInput, HasSubstr("CA file '/absent.pem'")));
    });
}

TEST(Https, SaysThatTheServerSpeaksNoTls) {
    const LoopbackServer server(always(LoopbackServer::reply(200, "")));
    const auto url = std::format("https://127.0.0.1:{}/", server.port());
    EXPECT_THAT(get(url, {.total_timeout = 300ms}), FailsWith(Code::Network, HasSubstr(url)));
}

struct StatusCase {
    int status;
    std::string body;
    Code code;
};

TEST(StatusError, IsNoneForSuccessAndNotModified) {
    for (const int status : {200, 201, 204, 304})
        EXPECT_EQ(status_error({status, "", {}}, "GET x"), std::nullopt) << status;
}

TEST(StatusError, TellsWhatACallerCanDecideOn) {
    const std::string quota = R"({"errorCode":"hawkbit.server.error.quota.tooManyEntries","message":"too many"})";
    const StatusCase cases[] = {
        {400, "", Code::ServerRefused}, {401, "", Code::Unauthorized},  {403, "", Code::Unauthorized},
        {403, quota, Code::Quota},      {404, "", Code::NotFound},      {405, "", Code::ServerRefused},
        {408, "", Code::Network},       {409, "", Code::AlreadyExists}, {410, "", Code::Gone},
        {429, "", Code::Quota},         {500, "", Code::Network},       {503, "", Code::Network},
        {302, "", Code::ServerRefused}};
    for (const auto& c : cases) {
        const auto error = status_error({c.status, c.body, {}}, "GET x");
        ASSERT_TRUE(error.has_value()) << c.status;
        EXPECT_EQ(error->code, c.code) << c.status;
        EXPECT_THAT(error->message, StartsWith(std::format("GET x: the server answered {}", c.status)));
    }
}

TEST(StatusError, QuotesHawkbitsMessage) {
    EXPECT_EQ(status_error(
                  {404,
                   R"({"errorCode":"hawkbit.server.error.repo.entityNotFound","message":"Target 'd1' is\nnot there"})",
                   {}},
                  "GET x")
                  ->message,
              "GET x: the server answered 404 (not found): Target 'd1' is not there");
}

TEST(StatusError, CutsALongMessage) {
    const auto error = status_error({400, R"({"message":")" + std::string(5000, 'x') + R"("})", {}}, "GET x");
    EXPECT_THAT(error->message, testing::SizeIs(testing::Lt(360u)));
}

TEST(StatusError, DoesNotQuoteOtherBodies) {
    for (const char* body : {"<html>proxy</html>", "[1]", "{\"message\": 7}", "null", "{", "\"text\""}) {
        EXPECT_EQ(status_error({502, body, {}}, "GET x")->message, "GET x: the server answered 502 (bad gateway)")
            << body;
    }
}

TEST(PercentEncode, KeepsOnlyUnreservedCharacters) {
    EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
    EXPECT_EQ(percent_encode("a/b c?d%ä&="), "a%2Fb%20c%3Fd%25%C3%A4%26%3D");
}

TEST(Origin, IsSchemeHostAndPortInOneForm) {
    EXPECT_EQ(origin("HTTPS://user:pw@Host.Example:443/a?b"), "https://host.example");
    EXPECT_EQ(origin("http://host:8080/a"), "http://host:8080");
    EXPECT_EQ(origin("http://[::1]:80/"), "http://[::1]");
    EXPECT_EQ(origin("https://host:80/"), "https://host:80");
}

TEST(Origin, IsEmptyForWhatIsNoHttpUrl) {
    for (const char* bad : {"", "host", "ftp://host/", "file:///x", "http://", "/path"})
        EXPECT_EQ(origin(bad), "") << bad;
}

}  // namespace
}  // namespace davit::http
