#include "agent/probe/device_probe.h"

#include <csignal>
#include <format>

#include "agent/http/http_process.h"
#include "agent/probe/tcp.h"
#include "common/file.h"
#include "common/process.h"
#include "common/text.h"

namespace davit {
namespace {

constexpr std::size_t kLongestOutput = 200;  // of a failed command, in the message

std::string joined(const std::vector<std::string>& argv) {
    std::string line;
    for (const auto& word : argv)
        line += (line.empty() ? "" : " ") + word;
    return cut(one_line(line), kLongestOutput);
}

/// What a failed command said: the last line of its standard error, or else of its output.
std::string last_words(const process::Exit& exit) {
    std::string_view text = exit.err.empty() ? exit.out : exit.err;
    while (text.ends_with('\n'))
        text.remove_suffix(1);
    text = text.substr(text.rfind('\n') + 1);  // npos + 1 == 0
    return text.empty() ? "" : ": " + cut(one_line(text), kLongestOutput);
}

/// Ends the process inside the container that @p pid_file names. The runtime's own process is only its messenger:
/// killing that leaves it running.
void kill_named_by(const Path& pid_file) {
    const auto text = file::read(pid_file);
    const auto pid = text ? std::atoi(text->c_str()) : 0;
    if (pid > 1) ::kill(pid, SIGKILL);
}

}  // namespace

DeviceProbe::DeviceProbe(Path http, std::string runtime, Path run)
    : http_(std::move(http)), runtime_(std::move(runtime)), run_(std::move(run)) {}

Result<void> DeviceProbe::probe(const std::string& app, const HealthCheck& check) {
    if (check.http) return probe_http(*check.http, check.timeout);
    if (check.tcp) return connect_tcp(*check.tcp, check.timeout);
    if (!check.exec.empty()) return probe_exec(app, check);
    return {};
}

Result<void> DeviceProbe::probe_http(const std::string& url, Milliseconds timeout) {
    const auto answer = http::HttpProcess(http_, {.user_agent = "davitd"})
                            .send({.url = url, .headers = {}, .body = {}, .timeout = timeout});
    if (!answer) return fail(Code::AppFailed, answer.error().message);
    if (answer->status >= 200 && answer->status < 400) return {};
    return fail(Code::AppFailed, std::format("GET {} answered {}", url, answer->status));
}

Result<void> DeviceProbe::probe_exec(const std::string& app, const HealthCheck& check) {
    const Path pid_file = run_ / (app + ".probe.pid");
    std::vector<std::string> argv{runtime_, "exec", "--pid-file", pid_file, app};
    argv.insert(argv.end(), check.exec.begin(), check.exec.end());
    const auto exit = process::run({.argv = std::move(argv), .extra_env = {}, .input = {}}, check.timeout);
    if (!exit) kill_named_by(pid_file);
    TRY(file::remove_if_there(pid_file));
    const auto command = joined(check.exec);
    if (!exit) return fail(Code::AppFailed, std::format("{}: {}", command, exit.error().message));
    if (exit->ok()) return {};
    return fail(Code::AppFailed, std::format("{}: {}{}", command, exit->describe(), last_words(*exit)));
}

}  // namespace davit
