#include "common/process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <fstream>

#include "common/file.h"
#include "tests/unit/common/support.h"

namespace davit::process {
namespace {

using namespace std::chrono_literals;
using test::FailsWith;
using test::Works;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto kLong = 60s;  // far more than any of these commands takes

Command shell(const std::string& script) {
    return {.argv = {"sh", "-c", script}};
}

/// Whether the process that @p pidfd stands for ends soon.
bool ends(const Fd& pidfd) {
    pollfd watched{pidfd.get(), POLLIN, 0};
    return ::poll(&watched, 1, 10'000) == 1;
}

Fd pidfd_of(std::string_view pid) {
    return Fd(static_cast<int>(::syscall(SYS_pidfd_open, std::stoi(std::string(pid)), 0)));
}

TEST(Run, GivesBothOutputsAndTheExitCode) {
    const auto exit = run(shell("echo out; echo err >&2; exit 3"), kLong).value();
    EXPECT_EQ(exit.out, "out\n");
    EXPECT_EQ(exit.err, "err\n");
    EXPECT_EQ(exit.code, 3);
    EXPECT_FALSE(exit.ok());
    EXPECT_EQ(exit.describe(), "exit code 3");
}

TEST(Run, TellsWhichSignalEndedTheChild) {
    const auto exit = run(shell("kill -9 $$"), kLong).value();
    EXPECT_EQ(exit.code, -1);
    EXPECT_EQ(exit.signal, SIGKILL);
    EXPECT_EQ(exit.describe(), "killed by signal 9");
}

TEST(Run, GivesTheInputAsStandardInput) {
    Command command = shell("wc -c");
    command.input.assign(1'000'000, 'x');
    EXPECT_THAT(run(command, kLong)->out, HasSubstr("1000000"));
}

TEST(Run, GivesAnEmptyStandardInputOtherwise) {
    EXPECT_EQ(run(shell("cat"), kLong)->out, "");
}

TEST(Run, DoesNotNeedAChildThatReadsItsInput) {
    Command command = shell("exit 0");
    command.input.assign(1'000'000, 'x');
    EXPECT_TRUE(run(command, kLong)->ok());
}

TEST(Run, AddsAndReplacesEnvironmentVariables) {
    ::setenv("DAVIT_TEST_INHERITED", "inherited", 1);
    ::setenv("DAVIT_TEST_REPLACED", "old", 1);
    Command command = shell("echo $DAVIT_TEST_INHERITED $DAVIT_TEST_REPLACED $DAVIT_TEST_ADDED");
    command.extra_env = {"DAVIT_TEST_REPLACED=new", "DAVIT_TEST_ADDED=added"};
    EXPECT_EQ(run(command, kLong)->out, "inherited new added\n");
}

TEST(Run, KeepsTheBeginningOfTheOutputAndTheEndOfTheErrors) {
    const auto exit =
        run(shell("echo first; head -c 3000000 /dev/zero; head -c 300000 /dev/zero >&2; echo last >&2"), kLong).value();
    EXPECT_TRUE(exit.ok());
    EXPECT_EQ(exit.out.size(), 1u << 20);
    EXPECT_TRUE(exit.out.starts_with("first\n"));
    EXPECT_EQ(exit.err.size(), 64u << 10);
    EXPECT_TRUE(exit.err.ends_with("last\n"));
}

TEST(Run, SaysThatAProgramIsMissing) {
    EXPECT_THAT(run({.argv = {"davit-no-such-program"}}, kLong),
                FailsWith(Code::NotFound, "cannot start 'davit-no-such-program': No such file or directory"));
    EXPECT_THAT(run({.argv = {"/etc/passwd"}}, kLong),
                FailsWith(Code::System, "cannot start '/etc/passwd': Permission denied"));
    EXPECT_THAT(run({}, kLong), FailsWith(Code::Defect, HasSubstr("without a program")));
}

TEST(Run, KillsWhatDoesNotEndInTimeAndQuotesItsLastWords) {
    EXPECT_THAT(run(shell("echo reading; echo waiting for godot >&2; sleep 60"), 500ms),
                FailsWith(Code::System, "'sh' did not end within 0.5 s; its last words: 'waiting for godot'"));
}

TEST(Run, KillsTheDescendantsOfWhatDoesNotEndInTime) {
    const test::TemporaryDirectory dir;
    const auto fifo = dir / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    const Fd reader(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    ASSERT_THAT(run(shell("sleep 60 > '" + fifo.string() + "' & wait"), 500ms),
                FailsWith(Code::System, HasSubstr("did not end")));
    pollfd watched{reader.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&watched, 1, 10'000), 1) << "the grandchild still holds the fifo open";
}

TEST(Run, DoesNotWaitForADescendantThatKeepsTheOutputOpen) {
    const auto exit = run(shell("sleep 60 & echo $!"), kLong).value();
    EXPECT_TRUE(exit.ok());
    const int descendant = std::stoi(exit.out);
    EXPECT_EQ(::kill(descendant, SIGKILL), 0) << "it is left alone";
}

TEST(Run, GivesTheChildNoOtherDescriptors) {
    const Fd leaky(::fcntl(STDERR_FILENO, F_DUPFD, 57));  // without close-on-exec, as a library might
    ASSERT_EQ(leaky.get(), 57);
    EXPECT_TRUE(run(shell("[ -e /proc/$$/fd/2 ] && [ ! -e /proc/$$/fd/57 ]"), kLong)->ok());
}

TEST(Run, GivesTheChildTheUsualSignals) {
    sigset_t blocked, before;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
    const auto old = ::signal(SIGPIPE, SIG_IGN);
    const auto terminated = run(shell("kill -TERM $$; exit 3"), kLong);
    const auto piped = run(shell("kill -PIPE $$; exit 3"), kLong);
    ::signal(SIGPIPE, old);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    EXPECT_EQ(terminated->signal, SIGTERM);
    EXPECT_EQ(piped->signal, SIGPIPE);
}

TEST(Run, WorksWhenTheStandardStreamsAreClosed) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::close(0);
        ::close(1);
        ::close(2);
        Command command = shell("cat; echo err >&2");
        command.input = "in";
        const auto exit = run(command, kLong);
        ::_exit(exit && exit->out == "in" && exit->err == "err\n" ? 0 : 1);
    }
    int status = -1;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST(Run, TheChildDiesWithThisProcess) {
    const test::TemporaryDirectory dir;
    const auto fifo = dir / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    const pid_t parent = ::fork();
    if (parent == 0) {
        std::ignore = run(shell("echo $$ > '" + fifo.string() + "'; exec sleep 60"), kLong);
        ::_exit(1);
    }
    std::string pid;
    std::getline(std::ifstream(fifo), pid);
    const Fd child = pidfd_of(pid);
    ::kill(parent, SIGKILL);
    ::waitpid(parent, nullptr, 0);
    EXPECT_TRUE(ends(child));
}

class WatchTest : public testing::Test {
protected:
    std::vector<std::string> lines;
    std::function<void(std::string_view)> collect = [this](std::string_view line) { lines.emplace_back(line); };
};

TEST_F(WatchTest, HandsOnEachLineAndTellsHowItEnded) {
    const auto exit =
        watch(shell("echo one; echo; printf 'two\\nunfinished'; echo why >&2; exit 4"), kLong, {}, collect).value();
    EXPECT_THAT(lines, ElementsAre("one", "", "two", "unfinished"));
    EXPECT_EQ(exit.code, 4);
    EXPECT_EQ(exit.err, "why\n");
    EXPECT_EQ(exit.out, "");
}

TEST_F(WatchTest, HandsOnALineWhileTheChildStillRuns) {
    const test::TemporaryDirectory dir;
    const auto fifo = dir / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    // The child ends only when it has been answered.
    const auto exit = watch(shell("echo ready; read answer < '" + fifo.string() + "'; echo $answer"), kLong, {},
                            [&](std::string_view line) {
                                if (line == "ready") std::ofstream(fifo) << "go on\n";
                                collect(line);
                            });
    ASSERT_THAT(exit, Works());
    EXPECT_THAT(lines, ElementsAre("ready", "go on"));
}

TEST_F(WatchTest, CutsLinesThatNeverEnd) {
    ASSERT_THAT(watch(shell("head -c 200000 /dev/zero"), kLong, {}, collect), Works());
    EXPECT_EQ(lines.size(), 4u);
    EXPECT_EQ(lines[0].size(), 64u << 10);
}

TEST_F(WatchTest, KillsTheWholeGroupWhenItStalls) {
    Fd grandchild;
    const auto exit = watch(shell("sleep 60 & echo $!; echo connecting >&2; wait"), 500ms, {},
                            [&](std::string_view line) { grandchild = pidfd_of(line); });
    EXPECT_THAT(exit, FailsWith(Code::Network, "no progress for 0.5 s; its last words: 'connecting'"));
    EXPECT_TRUE(ends(grandchild));
}

TEST_F(WatchTest, TakesEveryLineAsProgress) {
    EXPECT_THAT(watch(shell("for i in 1 2 3 4 5; do echo $i; sleep 0.3; done"), 1200ms, {}, collect), Works())
        << "1.5 s in all, never 1.2 s of silence";
}

TEST_F(WatchTest, DoesNotTakeErrorOutputAsProgress) {
    EXPECT_THAT(watch(shell("while :; do echo busy >&2; sleep 0.05; done"), 300ms, {}, collect),
                FailsWith(Code::Network, HasSubstr("no progress for 0.3 s")));
}

TEST_F(WatchTest, KillsTheWholeGroupWhenStopped) {
    std::stop_source stop;
    Fd grandchild;
    const auto exit = watch(shell("sleep 60 & echo $!; wait"), kLong, stop.get_token(), [&](std::string_view line) {
        grandchild = pidfd_of(line);
        stop.request_stop();
    });
    EXPECT_THAT(exit, FailsWith(Code::Canceled, "'sh' was stopped"));
    EXPECT_TRUE(ends(grandchild));
}

TEST_F(WatchTest, StartsNothingAfterAStop) {
    const test::TemporaryDirectory dir;
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THAT(watch(shell("touch '" + (dir / "started").string() + "'"), kLong, stop.get_token(), collect),
                FailsWith(Code::Canceled, HasSubstr("stopped")));
    EXPECT_FALSE(file::exists(dir / "started"));
}

TEST_F(WatchTest, SaysThatAProgramIsMissing) {
    EXPECT_THAT(watch({.argv = {"davit-no-such-program"}}, kLong, {}, collect),
                FailsWith(Code::NotFound, HasSubstr("davit-no-such-program")));
}

}  // namespace
}  // namespace davit::process
