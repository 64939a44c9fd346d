#include "agent/daemon/requests.h"

#include "agent/local.h"
#include "common/clock.h"
#include "common/log.h"

namespace davit {

AgentBus::Handlers Requests::handlers() {
    return {.status = [this]() -> const Status& { return parts_.status; },
            .history = [this](int limit) { return history(limit); },
            .check = [this] { return check(); },
            .generations = [this] { return generations(); },
            .rollback = [this](std::uint64_t generation) { return roll_back(generation); },
            .asking = [this] { return parts_.gate.asking(); },
            .answer = [this](const std::string& id, bool yes,
                             const std::string& reason) { return parts_.gate.answer(id, yes, reason); },
            .inhibitors = [this] { return inhibitors(); },
            .inhibit = [this](InhibitorStatus wanted) { return inhibit(std::move(wanted)); },
            .release = [this](std::uint64_t id) { return parts_.gate.release(id); },
            .later = parts_.later};
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

std::vector<InhibitorStatus> Requests::inhibitors() {
    std::vector<InhibitorStatus> out;
    const auto now = system_clock().now();
    for (const auto& one : parts_.gate.inhibitors()) {
        const auto left = std::chrono::ceil<Milliseconds>(one.until - now);
        out.push_back({.id = one.id, .who = one.who, .why = one.why, .strong = one.strong, .left = left});
    }
    return out;
}

/// Whoever forgets to release it, or hangs, must not keep a device from its updates for ever.
Result<std::uint64_t> Requests::inhibit(InhibitorStatus wanted) {
    constexpr Milliseconds kUsual = std::chrono::hours(24), kLongest = std::chrono::hours(7 * 24);
    if (wanted.why.empty()) return fail(Code::InvalidInput, "say why: whoever waits will want to know");
    if (wanted.left == Milliseconds::zero()) wanted.left = kUsual;
    if (wanted.left > kLongest || wanted.left < Milliseconds::zero())
        return fail(Code::InvalidInput, "an inhibitor lasts 7 days at most");
    log::notice("{} holds off updates{}: {}", wanted.who, wanted.strong ? ", forced ones too" : "", wanted.why);
    return parts_.gate.inhibit({.who = std::move(wanted.who),
                                .why = std::move(wanted.why),
                                .strong = wanted.strong,
                                .until = system_clock().now() + wanted.left});
}

Result<void> Requests::is_free() const {
    if (const auto refusal = parts_.turns.refusal(parts_.status.deployment)) return fail(Code::AlreadyExists, *refusal);
    return {};
}

}  // namespace davit
