#include "agent/daemon/requests.h"

#include "agent/local.h"
#include "common/clock.h"

namespace davit {

AgentBus::Handlers Requests::handlers() {
    return {.status = [this]() -> const Status& { return parts_.status; },
            .history = [this](int limit) { return history(limit); },
            .check = [this] { return check(); },
            .generations = [this] { return generations(); },
            .rollback = [this](std::uint64_t generation) { return roll_back(generation); }};
}

Result<std::vector<HistoryEntry>> Requests::history(int limit) const {
    auto journal = TRY(Journal::open(parts_.state / "state.db"));
    return journal.history(limit);
}

Result<std::vector<Generations::Named>> Requests::generations() const {
    const auto generations = TRY(Generations::open(parts_.state));
    return generations.named();
}

bool Requests::check() {
    if (parts_.config.hawkbit.url.empty()) return false;
    parts_.link.push(CheckNow{});
    return true;
}

Result<std::string> Requests::roll_back(std::uint64_t generation) {
    TRY(is_free());
    const auto generations = TRY(Generations::open(parts_.state));
    auto deployment = TRY(rollback_deployment(generations, generation, system_clock().wall_ms()));
    auto id = deployment.id;
    parts_.deploy(std::move(deployment));
    return id;
}

Result<void> Requests::is_free() const {
    if (const auto refusal = parts_.turns.refusal(parts_.status.deployment)) return fail(Code::AlreadyExists, *refusal);
    return {};
}

}  // namespace davit
