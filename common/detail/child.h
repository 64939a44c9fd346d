#pragma once
/// One child process: what run, watch and Partner share. Private to common/.

#include <sys/types.h>
#include <functional>
#include <string_view>
#include <utility>

#include "common/clock.h"
#include "common/fd.h"
#include "common/process.h"

namespace davit::process {

using OnOutput = std::function<void(std::string_view)>;

/// A started child. Killed with its group and reaped at the latest by the destructor.
class Child {
public:
    /// @param input its standard input
    static Result<Child> start(const Command& command, const Fd& input);

    Child(Child&& other) noexcept
        : pid_(std::exchange(other.pid_, -1)),
          ended_(std::move(other.ended_)),
          out_(std::move(other.out_)),
          err_(std::move(other.err_)) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    Child& operator=(Child&&) = delete;
    ~Child() {
        if (pid_ > 0) kill_and_reap();
    }

    enum class End { Exited, Late, Stopped };
    /// Hands on output until the child ends, @p deadline (which @p on_out may move) is over, or @p wake becomes
    /// readable.
    End follow(const MonotonicTime& deadline, int wake, const OnOutput& on_out, const OnOutput& on_err);
    Exit reap();
    void kill_and_reap();

private:
    Child(pid_t pid, Fd ended, Fd out, Fd err)
        : pid_(pid), ended_(std::move(ended)), out_(std::move(out)), err_(std::move(err)) {}
    static void pass_on(Fd& from, const OnOutput& to);
    static void drain(Fd& from, const OnOutput& to);

    pid_t pid_;
    Fd ended_;  ///< pidfd
    Fd out_, err_;
};

/// Now and @p duration, however long.
MonotonicTime after(Milliseconds duration);
/// The end of what a child said on standard error, for Exit::err.
void keep_last(std::string& kept, std::string_view chunk);
/// "; its last words: '…'": what a child that had to be killed said on standard error; empty if nothing.
std::string last_words(std::string_view err);

}  // namespace davit::process
