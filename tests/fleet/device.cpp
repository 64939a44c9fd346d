#include "tests/fleet/device.h"

#include <format>

#include "agent/link/attributes.h"
#include "common/http_client.h"
#include "common/log.h"

namespace davit::fleet {
namespace {

constexpr EngineOptions kEngineOptions{.first_retry = Milliseconds{1'000}, .longest_retry = Milliseconds{10'000}};
/// After the engine could not go on at all.
constexpr Milliseconds kAfterDefect{2'000};

}  // namespace

Result<std::unique_ptr<Device>> Device::start(Config::Hawkbit server, const Path& state, const Behaviour& behaviour,
                                              Statistics& statistics, Traffic& traffic) {
    TRY(file::make_directories(state));
    const auto database = state / "state.db";
    auto journal = TRY(Journal::open(database));
    auto outbox = TRY(Outbox::open(database));
    auto generations = TRY(Generations::open(state));
    const auto active = TRY(journal.active());
    return std::unique_ptr<Device>(new Device(std::move(journal), std::move(generations), std::move(server),
                                              std::move(outbox), state, behaviour, statistics, traffic, active));
}

Device::Device(Journal journal, Generations generations, Config::Hawkbit server, Outbox outbox, const Path& state,
               const Behaviour& behaviour, Statistics& statistics, Traffic& traffic,
               const std::optional<JournalEntry>& active)
    : name_(server.controller_id),
      state_(state),
      statistics_(statistics),
      journal_(std::move(journal)),
      generations_(std::move(generations)),
      simulation_(name_, state, behaviour, system_clock()),
      engine_({.journal = journal_,
               .generations = generations_,
               .content = simulation_,
               .apps = simulation_,
               .probe = simulation_,
               .permission = gate_,
               .observer = *this,
               .clock = system_clock(),
               .cancellation = cancellation_},
              kEngineOptions),
      link_(
          std::move(server), std::move(outbox), events_,
          {.offer = [this](Offer offer) { offers_.push(std::move(offer)); },
           .status = [this](const ServerStatus& now) { reached_ = now.reached; },
           .cancel = [this](const std::string& id) { return cancellation_.request(id); },
           .terms = [this](const std::string& id, Terms terms) { gate_.terms(id, terms); }},
          [this, &traffic](http::Options options) {
              return std::make_unique<Counting>(std::make_unique<http::Client>(std::move(options)), traffic, requests_);
          },
          system_clock(), active ? std::optional(active->deployment.id) : std::nullopt),
      worker_thread_([this](std::stop_token stop) { work(stop); }),
      link_thread_([this](std::stop_token stop) {
          const log::Field field("DEVICE", name_);
          link_.run(stop);
      }) {}

Device::~Device() {
    request_stop();
}

void Device::request_stop() {
    worker_thread_.request_stop();
    link_thread_.request_stop();
}

/// As agent/daemon/worker does it.
void Device::work(std::stop_token stop) {
    const log::Field field("DEVICE", name_);
    tell_attributes();
    if (const auto resumed = engine_.resume(stop); !resumed && resumed.error().code != Code::Canceled)
        log::error("cannot resume: {}", resumed.error().message);
    while (const auto offer = offers_.pop(stop)) {
        const auto done = carry_out(*offer, stop);
        if (done || done.error().code == Code::Canceled) continue;
        log::error("deployment {} could not be carried on: {}", offer->deployment.id, done.error().message);
        system_clock().sleep(kAfterDefect, stop);
        events_.push(ResultReady{offer->deployment.id, false});
    }
}

Result<void> Device::carry_out(const Offer& offer, std::stop_token stop) {
    if (!offer.refused) return engine_.run(offer.deployment, stop);
    const Outcome outcome{.success = false, .message = offer.refused->message, .cause = cause(offer.refused->code)};
    TRY(journal_.refuse(offer.deployment, outcome, system_clock().wall_ms()));
    finished(offer.deployment, outcome);
    return {};
}

void Device::tell_attributes() {
    const auto current = generations_.current();
    const auto generation = current ? current->value_or(Generation{}) : Generation{};
    // Facts of this machine would be the same for all: there is nothing below this root.
    events_.push(Attributes{device_attributes(state_, generation.apps, {{"fleet", "simulated"}})});
}

void Device::entered(const Deployment& deployment, const Plan&, Phase phase, const std::string& message) {
    {
        const std::lock_guard lock(mutex_);
        under_way_ = std::format("deployment {}: {}", deployment.id, davit::name(phase));
    }
    events_.push(ProgressMessage{deployment.id, message, is_waiting(phase)});
}

void Device::finished(const Deployment& deployment, const Outcome& outcome) {
    statistics_.ended(deployment, outcome);
    {
        const std::lock_guard lock(mutex_);
        under_way_.clear();
    }
    ++ended_;
    tell_attributes();
    events_.push(ResultReady{deployment.id, outcome.denied()});
}

bool Device::is_at_work() const {
    const std::lock_guard lock(mutex_);
    return !under_way_.empty();
}

std::string Device::busy_with() const {
    {
        const std::lock_guard lock(mutex_);
        if (!under_way_.empty()) return under_way_;
    }
    auto outbox = Outbox::open(state_ / "state.db");
    if (!outbox) return outbox.error().message;
    const auto item = outbox->next();
    if (!item) return item.error().message;
    return *item ? std::format("result of deployment {} is not delivered", (*item)->deployment_id) : "";
}

}  // namespace davit::fleet
