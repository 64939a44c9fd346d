#include "agent/probe/device_probe.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/file.h"

#include "tests/unit/common/loopback_server.h"
#include "tests/unit/common/support.h"

namespace davit {
namespace {

using test::FailsWith;
using test::LoopbackServer;
using test::Works;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Listens on 127.0.0.1 without ever accepting: the kernel answers.
class Listener {
public:
    Listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
        port_ = ntohs(address.sin_port);
    }
    void open() { EXPECT_EQ(::listen(fd_.get(), 8), 0); }
    [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

private:
    Fd fd_;
    int port_ = 0;
};

class DeviceProbeTest : public ::testing::Test {
protected:
    /// A runtime that runs @p script instead of anything in a container; "$4" is the PID file, "$5" the app, the
    /// command follows.
    void runtime_does(const std::string& script) {
        const auto path = root_ / "runtime";
        ASSERT_THAT(file::write_atomically(path, "#!/bin/sh\n" + script, 0755), Works());
        probe_ = DeviceProbe(DAVIT_HTTP_PROGRAM, path, root_.path());
    }

    test::TemporaryDirectory root_;
    DeviceProbe probe_{DAVIT_HTTP_PROGRAM, "/nonexistent", root_.path()};
};

HealthCheck http(std::string url, Milliseconds timeout = Milliseconds{3'000}) {
    HealthCheck check;
    check.http = std::move(url);
    check.timeout = timeout;
    return check;
}

HealthCheck tcp(std::string address) {
    HealthCheck check;
    check.tcp = std::move(address);
    return check;
}

HealthCheck exec(std::vector<std::string> argv, Milliseconds timeout = Milliseconds{30'000}) {
    HealthCheck check;
    check.exec = std::move(argv);
    check.timeout = timeout;
    return check;
}

TEST_F(DeviceProbeTest, AnAppWithoutACheckIsHealthy) {
    EXPECT_THAT(probe_.probe("hello", HealthCheck{}), Works());
}

TEST_F(DeviceProbeTest, AnAnswerOf200Or3xxIsHealthy) {
    const LoopbackServer good([](const std::string&) { return LoopbackServer::reply(200, "ok"); });
    EXPECT_THAT(probe_.probe("hello", http(good.url("/health"))), Works());
    const LoopbackServer moved(
        [](const std::string&) { return LoopbackServer::reply(302, "", "Location: /login\r\n"); });
    EXPECT_THAT(probe_.probe("hello", http(moved.url("/health"))), Works());
}

TEST_F(DeviceProbeTest, SaysWhatTheAppAnswered) {
    const LoopbackServer server([](const std::string&) { return LoopbackServer::reply(500, "broken"); });

    EXPECT_THAT(probe_.probe("hello", http(server.url("/health"))),
                FailsWith(Code::AppFailed, "GET " + server.url("/health") + " answered 500"));
}

TEST_F(DeviceProbeTest, AnAppThatDoesNotAnswerInTimeIsUnhealthy) {
    const LoopbackServer server([](const std::string&) { return LoopbackServer::Reply{}; });

    EXPECT_THAT(probe_.probe("hello", http(server.url(), Milliseconds{50})),
                FailsWith(Code::AppFailed, HasSubstr(server.url())));
}

TEST_F(DeviceProbeTest, AnAppThatListensIsHealthyForTcp) {
    Listener app;
    app.open();

    EXPECT_THAT(probe_.probe("hello", tcp(app.address())), Works());
}

TEST_F(DeviceProbeTest, SaysThatNobodyListens) {
    const Listener app;  // has the port and refuses

    EXPECT_THAT(probe_.probe("hello", tcp(app.address())),
                FailsWith(Code::AppFailed, "tcp " + app.address() + ": Connection refused"));
}

TEST_F(DeviceProbeTest, AnAddressWithoutAPortIsRefused) {
    EXPECT_THAT(probe_.probe("hello", tcp("localhost")),
                FailsWith(Code::InvalidInput, "tcp 'localhost': expected host:port"));
}

TEST_F(DeviceProbeTest, ACommandRunsInTheContainerOfTheApp) {
    runtime_does("[ \"$1\" = exec ] && [ \"$4\" = hello ] && [ \"$5\" = check ] && [ \"$6\" = 'a b' ]\n");

    EXPECT_THAT(probe_.probe("hello", exec({"check", "a b"})), Works());
}

TEST_F(DeviceProbeTest, SaysHowTheCommandFailed) {
    runtime_does("echo noise >&2; echo 'the disk is on fire' >&2; exit 4\n");

    EXPECT_THAT(probe_.probe("hello", exec({"check", "-v"})),
                FailsWith(Code::AppFailed, "check -v: exit code 4: the disk is on fire"));
}

TEST_F(DeviceProbeTest, ACommandThatHangsIsKilledInTheContainerToo) {
    // The hung command is no child of the runtime's process, as in a container. It holds the write end of a FIFO: end
    // of file is its end.
    const auto fifo = root_ / "alive";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    const Fd alive(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    runtime_does("setsid sh -c 'echo $$ > \"$1\"; exec sleep 1000 > " + fifo.string() + "' - \"$3.new\" &\n" +
                 "until [ -s \"$3.new\" ]; do :; done; mv \"$3.new\" \"$3\"; wait\n");

    const auto result = probe_.probe("hello", exec({"hang"}, Milliseconds{1'000}));

    EXPECT_THAT(result, FailsWith(Code::AppFailed, AllOf(StartsWith("hang: "), HasSubstr("did not end within 1 s"))));
    pollfd event{alive.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&event, 1, 10'000), 1) << "the command still runs";
    EXPECT_TRUE(event.revents & POLLHUP);
    EXPECT_FALSE(file::exists(root_ / "hello.probe.pid"));
}

}  // namespace
}  // namespace davit
