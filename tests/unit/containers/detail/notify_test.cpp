#include "containers/detail/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <format>
#include <string>

#include <gtest/gtest.h>

#include "common/fd.h"
#include "tests/unit/containers/support.h"

namespace davit {
namespace {

class NotifyTest : public testing::Test {
protected:
    void TearDown() override { unsetenv("NOTIFY_SOCKET"); }

    /// A listening socket as systemd's, under @p name ("@…" is abstract), which $NOTIFY_SOCKET then names.
    static Fd listen_as(const std::string& name) {
        sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
        std::memcpy(address.sun_path, name.data(), name.size());
        if (name[0] == '@') address.sun_path[0] = '\0';
        Fd listener(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        EXPECT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
        setenv("NOTIFY_SOCKET", name.c_str(), 1);
        return listener;
    }

    static std::string received(const Fd& listener) {
        char buffer[100];
        const auto size = recv(listener.get(), buffer, sizeof buffer, 0);
        return size < 0 ? "" : std::string(buffer, static_cast<std::size_t>(size));
    }
};

TEST_F(NotifyTest, ReachesASocketInTheFileSystem) {
    const auto listener = listen_as(std::format("/tmp/davit-notify-{}", getpid()));
    EXPECT_TRUE(notify("READY=1"));
    EXPECT_EQ(received(listener), "READY=1");
    unlink(std::getenv("NOTIFY_SOCKET"));
}

TEST_F(NotifyTest, ReachesAnAbstractSocket) {
    const auto listener = listen_as(std::format("@davit-notify-{}", getpid()));
    EXPECT_TRUE(notify("STATUS=a\nREADY=1"));
    EXPECT_EQ(received(listener), "STATUS=a\nREADY=1");
}

TEST_F(NotifyTest, DoesNothingWithoutSystemd) {
    unsetenv("NOTIFY_SOCKET");
    EXPECT_FALSE(notify("READY=1"));
    setenv("NOTIFY_SOCKET", "/none/socket", 1);
    EXPECT_FALSE(notify("READY=1"));
    setenv("NOTIFY_SOCKET", std::string(200, 'x').c_str(), 1);
    EXPECT_FALSE(notify("READY=1"));
}

}  // namespace
}  // namespace davit
