// davitctl status --watch, and the waiting of install, remove and rollback.

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <format>

#include <nlohmann/json.hpp>

#include "agent/ctl/bar.h"
#include "agent/ctl/output.h"
#include "agent/ctl/verbs.h"
#include "common/clock.h"

namespace davit::ctl {
namespace {

using Json = nlohmann::json;

constexpr Milliseconds kEvery{200};
/// davitd may be restarted in the middle of a deployment, and goes on with it.
constexpr Milliseconds kPatience{30'000};

std::size_t columns() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

/// Lines that replace each other on a terminal, or follow each other elsewhere.
class Display {
public:
    void show(const Json& status) {
        if (status.value("deployment_id", "").empty()) return;
        if (::isatty(STDOUT_FILENO) == 0) return show_plain(plain_line(status));
        std::string text = back();
        const auto lines = live_lines(status, columns());
        for (const auto& line : lines)
            text += line + "\x1b[K\n";
        print(text + "\x1b[J");
        shown_ = lines.size();
    }
    /// The result takes the place of the bars.
    void clear() {
        if (shown_ > 0) print(back() + "\x1b[J");
        shown_ = 0;
    }

private:
    void show_plain(const std::string& line) {
        if (line != last_) print(line + "\n");
        last_ = line;
    }
    [[nodiscard]] std::string back() const { return shown_ == 0 ? "" : std::format("\x1b[{}A", shown_); }

    std::size_t shown_ = 0;
    std::string last_;
};

Result<std::optional<Json>> find_ended(AgentClient& agent, const std::string& id) {
    constexpr unsigned kNewest = 20;
    for (auto& deployment : TRY(agent.history(kNewest)))
        if (deployment.value("id", "") == id) return std::move(deployment);
    return std::nullopt;
}

/// The agent's status, asked for again while davitd is being restarted.
Result<Json> patient_status(AgentClient& agent) {
    const auto give_up = system_clock().now() + kPatience;
    for (;;) {
        auto status = agent.status();
        if (status || status.error().code != Code::Network || system_clock().now() > give_up) return status;
        system_clock().sleep(kEvery, {});
    }
}

}  // namespace

Result<Json> follow(AgentClient& agent, const std::string& id, Output output) {
    Display display;
    for (;;) {
        // In this order: what has ended is in the history before it leaves the status.
        const auto status = TRY(patient_status(agent));
        if (auto ended = TRY(find_ended(agent, id))) {
            display.clear();
            return std::move(*ended);
        }
        const auto now = status.value("deployment_id", "");
        if (now.empty())
            return fail(
                Code::Interrupted,
                std::format("deployment {} was lost: davitd was restarted before it began; nothing was changed", id));
        if (now == id && output == Output::Text) display.show(status);
        system_clock().sleep(kEvery, {});
    }
}

Result<void> watch(AgentClient& agent) {
    bool said = false;
    for (;;) {
        const auto id = TRY(patient_status(agent)).value("deployment_id", "");
        if (!id.empty()) {
            const auto ended = TRY(follow(agent, id, Output::Text));
            if (!ended.value("success", false)) return fail(Code::System, ended.value("message", ""));
            print(ended.value("message", "") + "\n");
            return {};
        }
        if (!said) print("No deployment is under way; waiting for one.\n");
        said = true;
        system_clock().sleep(kEvery, {});
    }
}

}  // namespace davit::ctl
