#include "common/partner.h"

#include <gmock/gmock.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fd.h"
#include "tests/unit/common/support.h"

namespace davit::process {
namespace {

using namespace std::chrono_literals;
using test::FailsWith;
using test::Gives;
using testing::AllOf;
using testing::HasSubstr;

constexpr auto kLong = 60s;  // far more than any of these needs

Result<Partner> shell(const std::string& script) {
    return Partner::start({.argv = {"sh", "-c", script}});
}

TEST(Partner, AnswersLineByLine) {
    auto echo = shell("while read -r line; do echo \"<$line>\"; done").value();
    EXPECT_THAT(echo.ask("one", kLong), Gives("<one>"));
    EXPECT_THAT(echo.ask("", kLong), Gives("<>"));
    EXPECT_THAT(echo.ask("three", kLong), Gives("<three>"));
}

TEST(Partner, LongLinesGoBothWays) {
    auto echo = shell("IFS= read -r line; echo \"$line\"").value();
    const std::string line(500'000, 'x');  // more than sockets and pipes hold
    const auto answer = echo.ask(line, kLong);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->size(), line.size());
    EXPECT_TRUE(*answer == line);
}

TEST(Partner, IsNotWaitedForForEver) {
    auto silent = shell("cat >/dev/null; sleep 1000").value();
    EXPECT_THAT(silent.ask("hello", 50ms), FailsWith(Code::Network, HasSubstr("did not answer within")));
}

TEST(Partner, ThatReadsNothingIsNotWaitedForEither) {
    auto deaf = shell("exec sleep 1000").value();
    EXPECT_THAT(deaf.ask(std::string(8u << 20, 'x'), 50ms), FailsWith(Code::Network, HasSubstr("did not answer")));
}

TEST(Partner, SaysHowItEnded) {
    auto dying = shell("read -r line; echo 'out of ideas' >&2; exit 3").value();
    EXPECT_THAT(dying.ask("hello", kLong),
                FailsWith(Code::Interrupted, AllOf(HasSubstr("exit code 3"), HasSubstr("out of ideas"))));
}

TEST(Partner, ThatIsDeadAlreadyIsAnErrorNotASignal) {
    auto dead = shell("exit 0").value();
    EXPECT_THAT(dead.ask("hello", kLong), FailsWith(Code::Interrupted, HasSubstr("exit code 0")));
    EXPECT_THAT(dead.ask("hello", kLong), FailsWith(Code::Interrupted, HasSubstr("has ended")));
}

TEST(Partner, ThatCannotBeStartedIsAnError) {
    EXPECT_THAT(Partner::start({.argv = {"/nonexistent/program"}}),
                FailsWith(Code::NotFound, HasSubstr("/nonexistent/program")));
}

TEST(Partner, EndsWithItsOwner) {
    Fd ended;
    {
        auto partner = shell("read -r line; echo $$; exec sleep 1000").value();
        const auto pid = std::stoi(partner.ask("who are you?", kLong).value());
        ended = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
        ASSERT_TRUE(ended);
    }
    pollfd watched{ended.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&watched, 1, 0), 1);  // killed and reaped by now
}

}  // namespace
}  // namespace davit::process
