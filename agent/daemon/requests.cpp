#include "agent/daemon/requests.h"

#include <format>

#include "agent/local.h"
#include "agent/systemd/unit_state.h"
#include "common/clock.h"
#include "common/log.h"

namespace davit {

AgentBus::Handlers Requests::handlers() {
    return {.status = [this]() -> const Status& { return parts_.status; },
            .history = [this](int limit) { return history(limit); },
            .check = [this] { return check(); },
            .generations = [this] { return generations(); },
            .apps = [this] { return apps(); },
            .rollback = [this](std::uint64_t generation) { return roll_back(generation); },
            .install = [this](const std::vector<std::string>& places,
                              Downgrade downgrade) { return install(places, downgrade); },
            .remove = [this](const std::string& app) { return remove(app); },
            .cancel = [this] { return cancel(); },
            .app = [this](AppVerb verb, const std::string& app,
                          AgentBus::Reply reply) { order(verb, app, std::move(reply)); },
            .asking = [this] { return parts_.gate.asking(); },
            .answer = [this](const std::string& id, bool yes,
                             const std::string& reason) { return parts_.gate.answer(id, yes, reason); },
            .inhibitors = [this] { return inhibitors(); },
            .inhibit = [this](InhibitorStatus wanted) { return inhibit(std::move(wanted)); },
            .release = [this](std::uint64_t id) { return parts_.gate.release(id); },
            .later = parts_.later};
}

Result<std::vector<HistoryEntry>> Requests::history(int limit) const {
    auto journal = TRY(Journal::open(parts_.paths.state / "state.db"));
    return journal.history(limit);
}

Result<std::vector<Generations::Named>> Requests::generations() const {
    const auto generations = TRY(Generations::open(parts_.paths.state));
    return generations.named();
}

bool Requests::check() {
    if (parts_.config.hawkbit.url.empty()) return false;
    parts_.link.push(CheckNow{});
    return true;
}

std::vector<AppView> Requests::apps() const {
    std::vector<AppView> out;
    for (const auto& app : parts_.status.apps)
        out.push_back({app, how_it_ended_last(file::read(parts_.paths.last_end(app.name)).value_or(""))});
    return out;
}

Result<std::string> Requests::roll_back(std::uint64_t generation) {
    TRY(is_free());
    const auto generations = TRY(Generations::open(parts_.paths.state));
    return deploy(TRY(rollback_deployment(generations, generation, system_clock().wall_ms())));
}

Result<std::string> Requests::remove(const std::string& app) {
    TRY(is_free());
    const auto generations = TRY(Generations::open(parts_.paths.state));
    return deploy(TRY(removal_deployment(generations, app, system_clock().wall_ms())));
}

Result<std::string> Requests::cancel() {
    auto id = TRY(parts_.turns.local());
    if (parts_.cancellation.request(id)) return id;
    return fail(Code::AlreadyExists,
                std::format("too late: deployment {} is switching to the new apps, or watching them", id));
}

Result<std::string> Requests::deploy(Deployment deployment) {
    auto id = deployment.id;
    parts_.hand_on(Offer{.deployment = std::move(deployment), .refused = {}});
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

Result<std::string> Requests::install(const std::vector<std::string>& places, Downgrade downgrade) {
    TRY(is_free());
    if (places.empty()) return fail(Code::InvalidInput, "nothing to install is named");
    Install task{.id = local_id(system_clock().wall_ms()), .origins = {}, .downgrade = downgrade};
    for (const auto& place : places)
        task.origins.push_back(TRY(parse_origin(place)));
    auto id = task.id;
    parts_.hand_on(std::move(task));
    return id;
}

/// Also between two deployments this waits for its turn, so that none begins in the middle of it.
void Requests::order(AppVerb verb, const std::string& app, AgentBus::Reply reply) {
    if (const auto free = is_free(); !free) return reply(std::unexpected(free.error()));
    parts_.hand_on(
        AppOrder{.id = std::format("order-{}", ++orders_), .verb = verb, .app = app, .done = std::move(reply)});
}

Result<void> Requests::is_free() const {
    if (const auto refusal = parts_.turns.refusal(parts_.status.deployment)) return fail(Code::AlreadyExists, *refusal);
    return {};
}

}  // namespace davit
