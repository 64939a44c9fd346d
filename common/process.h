#pragma once
/// Child processes: run one to its end, or keep one and watch its output.

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "common/fd.h"
#include "common/result.h"

namespace davit::process {

struct Command {
    std::vector<std::string> argv = {};       ///< argv[0] is looked up in PATH unless it has a slash
    std::vector<std::string> extra_env = {};  ///< "NAME=value", added to this process's environment
    std::string input = {};                   ///< given on standard input (an unnamed file); empty: /dev/null
};

struct Exit {
    int code = -1;    ///< exit status, or -1 when a signal ended it
    int signal = 0;   ///< the signal that ended it, or 0
    std::string out;  ///< standard output, at most 1 MiB kept
    std::string err;  ///< standard error, the last 64 KiB kept

    [[nodiscard]] bool ok() const { return code == 0; }
    /// "exit code 3" or "killed by signal 9".
    [[nodiscard]] std::string describe() const;
};

/// Runs @p command to its end. After @p timeout its process group gets SIGKILL and
/// the error is Code::System "… did not end within 5 s". Descendants that outlive the child are left alone.
/// The child dies with the calling thread, so with this process at the latest (PR_SET_PDEATHSIG), and gets no
/// descriptor but 0, 1, 2.
Result<Exit> run(const Command& command, std::chrono::milliseconds timeout);

/// Runs @p command and gives each line of its standard output to @p on_line as it comes. When no line comes for @p
/// stall, or @p stop is requested, the whole process group gets SIGKILL.
/// @return how it ended, `err` filled, `out` empty. Errors: Code::Network "no progress for 60 s"; Code::Canceled;
/// Code::System when it cannot start.
Result<Exit> watch(const Command& command, std::chrono::milliseconds stall, std::stop_token stop,
                   const std::function<void(std::string_view)>& on_line);

}  // namespace davit::process
