#pragma once
/// A child process that is kept and asked: one line to it, one line back. It must read the line to its end before it
/// answers.

#include <memory>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/process.h"

namespace davit::process {

class Child;

/// Owns the child: the destructor kills it (it holds nothing that a kill could tear) and reaps it. The child dies with
/// the thread that started it. Not thread-safe.
class Partner {
public:
    /// Command::input is not used: standard input is the line to the child.
    static Result<Partner> start(const Command& command);
    Partner(Partner&&) noexcept;
    Partner& operator=(Partner&&) noexcept;
    ~Partner();

    /// Sends @p line (without its newline) and waits for the line that answers it, of any length. After an error the
    /// child is gone.
    /// Errors: Network "… did not answer within 5 s"; Interrupted "… ended: exit code 3" with its last words.
    Result<std::string> ask(std::string_view line, Milliseconds timeout);

private:
    Partner(std::string name, std::unique_ptr<Child> child, Fd to);
    bool send(std::string_view text, MonotonicTime deadline);  ///< false: too late
    Error ended();
    Error give_up(Milliseconds timeout);

    std::string name_;
    std::unique_ptr<Child> child_;  ///< null after an error
    Fd to_;  ///< our end of its standard input, a socket: a write to a dead child is an error, not a SIGPIPE
    std::string heard_, err_;
};

}  // namespace davit::process
