#include "agent/daemon/worker.h"

#include <algorithm>

#include "agent/content/ostree_content.h"
#include "agent/daemon/app_orders.h"
#include "agent/link/attributes.h"
#include "agent/probe/device_probe.h"
#include "agent/systemd/systemd_apps.h"
#include "common/log.h"

namespace davit {
namespace {

/// After the engine could not go on at all (its journal cannot be written): as often as a person would try.
constexpr Milliseconds kAfterDefect{30'000};
/// Progress on D-Bus: no more often than an eye can follow.
constexpr Milliseconds kProgressEvery{250};

}  // namespace

/// Tells D-Bus and hawkBit what the engine does.
class Worker::Reporter final : public Observer {
public:
    explicit Reporter(Worker& worker) : worker_(worker) {}

    void entered(const Deployment& deployment, const Plan& plan, Phase phase, const std::string& message) override {
        if (status_.id != deployment.id) {
            status_ = {.id = deployment.id};
            steps_ = {};
        }
        status_.phase = name(phase);
        status_.message = message;
        follow(plan);
        worker_.outputs_.deployment(status_);
        worker_.outputs_.link.push(ProgressMessage{deployment.id, message, is_waiting(phase)});
    }
    void progress(const Deployment&, const std::string& app, std::uint64_t bytes, std::uint64_t expected) override {
        for (auto& part : status_.parts) {
            if (part.app != app) continue;
            part.bytes = bytes;
            part.expected = expected;
        }
        const auto now = system_clock().now();
        if (const auto step = steps_.step(status_, now))
            worker_.outputs_.link.push(ProgressMessage{status_.id, *step, false});
        if (bytes > 0 && now - last_progress_ < kProgressEvery) return;
        last_progress_ = now;
        worker_.outputs_.deployment(status_);
    }
    void confirmed(const Deployment&) override { worker_.outputs_.link.push(ConfirmedHere{}); }
    void finished(const Deployment& deployment, const Outcome& outcome) override {
        status_ = {
            .id = deployment.id, .phase = std::string(name(Phase::Done)), .message = outcome.message, .parts = {}};
        worker_.outputs_.deployment(status_);
        worker_.publish_apps();
        worker_.outputs_.link.push(ResultReady{deployment.id, outcome.denied()});
    }

private:
    /// The parts as they are planned, with the bytes that are known already.
    void follow(const Plan& plan) {
        std::vector<PartStatus> parts;
        for (const auto& change : plan.changes) {
            PartStatus part{.app = change.part.app, .todo = change.todo()};
            const auto known = std::ranges::find(status_.parts, part.app, &PartStatus::app);
            if (known != status_.parts.end()) part = {part.app, part.todo, known->bytes, known->expected};
            parts.push_back(std::move(part));
        }
        status_.parts = std::move(parts);
    }

    Worker& worker_;
    DeploymentStatus status_;
    MonotonicTime last_progress_;
    Steps steps_;
};

Worker::Worker(const Config& config, const DaemonPaths& paths, Journal journal, Generations generations,
               Cancellation& cancellation, Permission& permission, Outputs outputs)
    : config_(config),
      paths_(paths),
      journal_(std::move(journal)),
      generations_(std::move(generations)),
      cancellation_(cancellation),
      permission_(permission),
      outputs_(std::move(outputs)) {}

/// What the worker works with.
struct Worker::Hands {
    OstreeContent& content;
    SystemdApps& apps;
    Reporter& reporter;
    Engine& engine;
};

void Worker::run(Queue<Task>& tasks, std::stop_token stop) {
    OstreeContent content(config_, paths_.device, paths_.libexec / "davit-ostree", paths_.root);
    SystemdApps apps({.paths = paths_.device, .libexec = paths_.libexec, .runtime = config_.runtime});
    DeviceProbe probe(paths_.libexec / "davit-http", config_.runtime);
    Reporter reporter(*this);
    Engine engine({.journal = journal_,
                   .generations = generations_,
                   .content = content,
                   .apps = apps,
                   .probe = probe,
                   .permission = permission_,
                   .observer = reporter,
                   .clock = system_clock(),
                   .cancellation = cancellation_},
                  {.first_retry = config_.download.first_retry,
                   .longest_retry = config_.download.longest_retry,
                   .download_deadline = config_.download.give_up_after});
    Hands hands{.content = content, .apps = apps, .reporter = reporter, .engine = engine};
    publish_apps();
    resume(hands, stop);
    while (const auto task = tasks.pop(stop)) {
        if (const auto* offer = std::get_if<Offer>(&*task)) {
            deploy(*offer, hands, stop);
        } else if (const auto* install = std::get_if<Install>(&*task)) {
            deploy(offer_of(*install, hands, stop), hands, stop);
        } else if (const auto* order = std::get_if<AppOrder>(&*task)) {
            order->done(carry_out(order->verb, order->app, generations_, content, apps, stop));
        }
    }
}

void Worker::resume(Hands& hands, std::stop_token stop) {
    while (!stop.stop_requested()) {
        const auto resumed = hands.engine.resume(stop);
        if (resumed || resumed.error().code == Code::Canceled) break;
        log::error("cannot resume the deployment under way, trying again in {}: {}", to_string(kAfterDefect),
                   resumed.error().message);
        system_clock().sleep(kAfterDefect, stop);
    }
}

void Worker::deploy(const Offer& offer, Hands& hands, std::stop_token stop) {
    const auto& deployment = offer.deployment;
    const log::Field action("DAVIT_ACTION", deployment.id);
    const auto done = try_to_deploy(offer, hands, stop);
    if (done || done.error().code == Code::Canceled) return;
    if (deployment.local) {  // whoever asked is there to ask again
        log::error("deployment {} could not be carried on: {}", deployment.id, done.error().message);
        hands.reporter.finished(deployment,
                                {.success = false, .message = done.error().message, .cause = cause(done.error().code)});
        return;
    }
    log::error("deployment {} could not be carried on, trying again in {}: {}", deployment.id, to_string(kAfterDefect),
               done.error().message);
    system_clock().sleep(kAfterDefect, stop);
    outputs_.link.push(ResultReady{deployment.id, false});  // the server offers it again
}

Result<void> Worker::try_to_deploy(const Offer& offer, Hands& hands, std::stop_token stop) {
    if (!offer.refused) return hands.engine.run(offer.deployment, stop);
    if (offer.refused->code == Code::Canceled && stop.stop_requested()) return fail(*offer.refused);
    const auto known = TRY(journal_.find(offer.deployment.id));
    if (known && known->deployment == offer.deployment) {
        TRY(journal_.report_again(offer.deployment.id));
        hands.reporter.finished(offer.deployment, known->outcome);
        return {};
    }
    const Outcome outcome{.success = false, .message = offer.refused->message, .cause = cause(offer.refused->code)};
    log::error("deployment {} is refused: {}", offer.deployment.id, outcome.message);
    TRY(journal_.refuse(offer.deployment, outcome, system_clock().wall_ms()));
    hands.reporter.finished(offer.deployment, outcome);
    return {};
}

Offer Worker::offer_of(const Install& install, Hands& hands, std::stop_token stop) {
    Offer offer{.deployment = {.id = install.id, .parts = {}, .download_only = false, .local = true}, .refused = {}};
    for (const auto& origin : install.origins) {
        hands.reporter.entered(offer.deployment, Plan{}, Phase::Received, "looking at " + origin.url);
        auto part = hands.content.look(origin, stop);
        if (!part) {
            offer.refused = part.error();
            break;
        }
        part->downgrade = install.downgrade == Downgrade::Allow;
        offer.deployment.parts.push_back(std::move(*part));
    }
    std::ranges::sort(offer.deployment.parts, {}, &Part::app);
    return offer;
}

void Worker::publish_apps() {
    const auto current = generations_.current();
    if (!current) return log::error("cannot read the current generation: {}", current.error().message);
    const auto generation = current->value_or(Generation{});
    outputs_.apps(generation.number, generation.apps);
    outputs_.link.push(Attributes{device_attributes(paths_.root, generation.apps, config_.attributes)});
}

}  // namespace davit
