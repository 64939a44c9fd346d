#pragma once
/// davitctl's view of the system bus: davitd's answers and systemd's, as JSON values.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/clock.h"
#include "common/result.h"

namespace davit {

/// One connection to the system bus. Errors everywhere: Network "davitd is not running …", Unauthorized "… needs root".
class AgentClient {
public:
    static Result<AgentClient> connect();
    ~AgentClient();
    AgentClient(AgentClient&&) noexcept;
    AgentClient& operator=(AgentClient&&) noexcept;

    [[nodiscard]] Result<nlohmann::json> status();
    /// Each with what systemd says about its unit: `state`, `sub_state`, `pid`, `restarts`, `since_ms`.
    [[nodiscard]] Result<nlohmann::json> apps();
    [[nodiscard]] Result<nlohmann::json> history(unsigned limit);
    [[nodiscard]] Result<nlohmann::json> generations();
    [[nodiscard]] Result<void> check();
    // These three return the id of the deployment that has begun.
    /// @param generation 0: the previous one
    [[nodiscard]] Result<std::string> rollback(std::uint64_t generation);
    [[nodiscard]] Result<std::string> install(const std::vector<std::string>& places, bool downgrade);
    [[nodiscard]] Result<std::string> remove(const std::string& app);
    /// @return the id of the deployment that ends now
    [[nodiscard]] Result<std::string> cancel();
    // These three return a sentence when it is done, which may take minutes.
    [[nodiscard]] Result<std::string> start(const std::string& app);
    [[nodiscard]] Result<std::string> stop(const std::string& app);
    [[nodiscard]] Result<std::string> restart(const std::string& app);

    /// A person's answer to the deployment that waits for one.
    [[nodiscard]] Result<void> answer(const std::string& deployment, bool yes, const std::string& reason);
    /// Holds until this connection ends. @param at_most zero: davitd's usual
    [[nodiscard]] Result<void> inhibit(const std::string& who, const std::string& why, Milliseconds at_most,
                                       bool strong);

private:
    struct Bus;
    explicit AgentClient(std::unique_ptr<Bus> bus);
    std::unique_ptr<Bus> bus_;
};

}  // namespace davit
