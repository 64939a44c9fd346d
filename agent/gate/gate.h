#pragma once
/// Everybody's word on when a deployment may go on: the server's terms, the device's rules, what people at the device
/// said, and who holds it off.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/engine/seams.h"
#include "common/clock.h"

namespace davit {

/// Somebody who does not want apps to be switched now.
struct Inhibitor {
    std::uint64_t id = 0;
    std::string who;  ///< "backup (pid 812)"
    std::string why;
    bool strong = false;    ///< holds off what the server forces, too
    MonotonicTime until{};  ///< forgotten then, whatever happens
};

/// The worker asks, all other threads tell. Lives in memory only: after a restart the server says its terms again at
/// the next poll, people are asked again, and inhibitors, which live as long as their owner's connection, are made
/// again by their owners. Thread-safe.
class Gate : public Permission {
public:
    Gate(Config::Rules rules, Clock& clock) : rules_(rules), clock_(clock) {}

    /// The server offers deployment @p id: what was said before was about another one. A server that was restored from
    /// a backup uses its ids twice.
    void offered(const std::string& id);
    /// What the server says now about deployment @p id.
    void terms(const std::string& id, Terms terms);

    /// The answer of a person. Error: NotFound when deployment @p id does not wait for one.
    Result<void> answer(const std::string& id, bool yes, std::string reason);
    /// The deployment that waits for a person's answer; empty: none.
    [[nodiscard]] std::string asking() const;

    /// @return its id
    std::uint64_t inhibit(Inhibitor inhibitor);
    /// @return false: there is none (any more)
    bool release(std::uint64_t id);
    [[nodiscard]] std::vector<Inhibitor> inhibitors();

    Answer ask(const Deployment& deployment, Step step, bool confirmed) override;
    void wait(const Answer& answer, std::stop_token stop) override;

private:
    struct Said {
        std::string id;
        bool yes = false;
        std::string reason;
    };
    Answer begin(const Deployment& deployment);
    Answer download(const Deployment& deployment, bool confirmed);
    Answer switch_over(const Deployment& deployment, bool confirmed);
    Answer soft(const Config::Soft& rule, const Deployment& deployment, bool confirmed, std::string_view what);
    Answer ask_people(const Deployment& deployment, std::string_view what);
    [[nodiscard]] std::optional<Answer> held_off(bool only_strong);
    [[nodiscard]] Terms terms_of(const Deployment& deployment) const;
    void forget_expired();
    void changed();

    const Config::Rules rules_;
    Clock& clock_;
    mutable std::mutex mutex_;
    std::condition_variable_any told_;
    std::uint64_t version_ = 0;  ///< counts what was told
    std::optional<std::pair<std::string, Terms>> terms_;
    std::optional<Said> said_;
    std::string asking_;
    std::vector<Inhibitor> inhibitors_;
    std::uint64_t last_inhibitor_ = 0;
};

}  // namespace davit
