#include "containers/launch/runtime.h"

#include <sys/wait.h>
#include <unistd.h>

#include <format>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/containers/support.h"

namespace davit {
namespace {

using testing::HasSubstr;

/// A PID that no process has.
pid_t dead_pid() {
    const pid_t pid = fork();
    if (pid == 0) _exit(0);
    waitpid(pid, nullptr, 0);
    return pid;
}

class RuntimeTest : public testing::Test {
protected:
    void SetUp() override {
        std::filesystem::create_directory(root_ / "state");
        program_does(std::format("rm -r {}/state/$3", root_.string()));
    }

    /// The runtime writes down how it was called, then runs @p script.
    void program_does(std::string_view script) const {
        test::write(root_ / "runtime", std::format("#!/bin/sh\necho \"$@\" >{}/called\n{}\n", root_.string(), script));
        std::filesystem::permissions(root_ / "runtime", std::filesystem::perms(0755));
    }

    void container(std::string_view state) const { test::write(root_ / "state/hello/state.json", state); }
    [[nodiscard]] bool exists() const { return std::filesystem::exists(root_ / "state/hello"); }
    [[nodiscard]] std::string called() const { return file::read(root_ / "called").value_or(""); }

    const Path root_ = test::fresh_directory();
    const Runtime runtime_{(root_ / "runtime").string(), root_ / "state"};
};

TEST_F(RuntimeTest, DoesNothingWhenNothingIsLeft) {
    EXPECT_TRUE(runtime_.forget("hello"));
    EXPECT_EQ(called(), "");
}

TEST_F(RuntimeTest, RemovesADeadContainersStateWithoutStartingTheRuntime) {
    container(std::format(R"({{"id": "hello", "init_process_pid": {}}})", dead_pid()));
    EXPECT_TRUE(runtime_.forget("hello"));
    EXPECT_FALSE(exists());
    EXPECT_EQ(called(), "");
}

TEST_F(RuntimeTest, LetsTheRuntimeDeleteAContainerThatMayLive) {
    for (const auto& state : {std::format(R"({{"init_process_pid": {}}})", getpid()), std::string(R"({"pid": 1})"),
                              std::string("damaged"), std::string(R"({"init_process_pid": -1})"), std::string("[]")}) {
        container(state);
        EXPECT_TRUE(runtime_.forget("hello")) << state;
        EXPECT_FALSE(exists()) << state;
        EXPECT_EQ(called(), "delete --force hello\n") << state;
        std::filesystem::remove(root_ / "called");
    }
}

TEST_F(RuntimeTest, SaysWhatTheRuntimeSaidWhenItCannotDelete) {
    program_does("echo cannot kill >&2; exit 1");
    container("{}");
    const auto forgotten = runtime_.forget("hello");
    ASSERT_FALSE(forgotten);
    EXPECT_THAT(forgotten.error().message, HasSubstr("left the container behind (exit code 1): cannot kill"));
}

TEST_F(RuntimeTest, NamesARuntimeThatIsNotInstalled) {
    const auto error = Runtime("no-such-runtime", "/none").exec_run("hello", "/bundle", {});
    EXPECT_THAT(error.message, HasSubstr("cannot start the container runtime 'no-such-runtime'"));
}

TEST_F(RuntimeTest, BecomesTheRuntimeWithoutSystemdsSocket) {
    program_does(std::format("echo \"socket=$NOTIFY_SOCKET\" >>{}/called", root_.string()));
    const pid_t child = fork();
    if (child == 0) {
        setenv("NOTIFY_SOCKET", "/run/systemd/notify", 1);
        (void)runtime_.exec_run("hello", "/bundle", {"--detach"});
        _exit(99);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(called(), "run --bundle /bundle --detach hello\nsocket=\n");
}

}  // namespace
}  // namespace davit
