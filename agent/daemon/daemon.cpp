#include "agent/daemon/daemon.h"

#include <systemd/sd-daemon.h>

#include <cstdlib>
#include <format>
#include <thread>

#include "agent/bus/agent_bus.h"
#include "agent/daemon/loop.h"
#include "agent/daemon/requests.h"
#include "agent/daemon/worker.h"
#include "agent/gate/gate.h"
#include "agent/http/http_process.h"
#include "agent/systemd/app_states.h"
#include "common/log.h"

namespace davit {
namespace {

/// Everything that the three threads share: queues, and the status that only the main thread touches.
struct Daemon {
    const DaemonPaths& paths;
    std::unique_ptr<Loop> loop;
    std::unique_ptr<AgentBus> bus;
    Status status;
    Turns turns;
    Queue<Task> tasks;
    Cancellation cancellation;
    Gate gate;
    Queue<LinkEvent> link_events;

    /// Everything for the worker passes here, on the main thread, so that there is one order.
    void hand_on_offer(Offer offer) {
        const auto& id = offer.deployment.id;
        // Unless it begins at once, the server should know what it waits for.
        if (const auto wait = turns.wait(status.deployment)) link_events.push(ProgressMessage{id, *wait});
        take_turn(id, Turns::From::Server, "received");
        tasks.push(std::move(offer));
    }
    void hand_on_local(Task task) {
        if (auto* order = std::get_if<AppOrder>(&task)) {
            turns.take_order(order->id, std::format("the {} of app '{}'", name(order->verb), order->app));
            order->done = [this, id = order->id, reply = std::move(order->done)](Result<std::string> done) {
                loop->post([this, id, reply, done = std::move(done)] {
                    turns.ended(id);
                    reply(done);
                });
            };
        } else {
            const auto* offer = std::get_if<Offer>(&task);
            take_turn(offer ? offer->deployment.id : std::get<Install>(task).id, Turns::From::Device,
                      "asked for at the device");
        }
        tasks.push(std::move(task));
    }
    void take_turn(const std::string& id, Turns::From from, std::string what) {
        turns.take(id, from, std::move(what));
        if (status.deployment.id.empty()) status.deployment = turns.first();
    }

    [[nodiscard]] Worker::Outputs worker_outputs() {
        return {
            .deployment =
                [this](DeploymentStatus now) { loop->post([this, now = std::move(now)] { deployment_changed(now); }); },
            .apps =
                [this](std::uint64_t number, std::vector<AppVersion> apps) {
                    loop->post([this, number, apps = std::move(apps)] {
                        status.generation = number;
                        status.apps = apps;
                    });
                },
            .link = link_events};
    }

    [[nodiscard]] Link::Outputs link_outputs() {
        return {
            .offer =
                [this](Offer offer) {
                    gate.offered(offer.deployment.id);
                    loop->post([this, offer = std::move(offer)] { hand_on_offer(offer); });
                },
            .status = [this](ServerStatus now) { loop->post([this, now = std::move(now)] { status.server = now; }); },
            .cancel = [this](const std::string& id) { return cancellation.request(id); },
            .terms = [this](const std::string& id, Terms terms) { gate.terms(id, terms); },
            .conditions = [this] { return states_of_troubled_apps(paths.device, system_clock().now()); }};
    }

    void deployment_changed(const DeploymentStatus& now) {
        const bool phase_is_new = now.id != status.deployment.id || now.phase != status.deployment.phase;
        status.deployment = now;
        if (phase_is_new) bus->phase_changed(now);
        sd_notifyf(0, "STATUS=%s",
                   now.phase == "done" ? "Idle." : ("Deployment " + now.id + ": " + now.phase + ".").c_str());
        if (now.phase != "done") return;
        turns.ended(now.id);
        status.deployment = turns.first();
    }
};

Result<void> make_state_directory(const Path& state) {
    // Everything below holds other people's setuid programs and the apps' data: nobody but root may walk in.
    return file::make_directories(state, 0700);
}

}  // namespace

Result<void> run_daemon(const Config& config, const DaemonPaths& paths) {
    TRY(make_state_directory(paths.device.state));
    const auto database = paths.device.state / "state.db";
    auto journal = TRY(Journal::open_or_renew(database));
    auto outbox = TRY(Outbox::open(database));
    auto generations = TRY(Generations::open(paths.device.state));
    const auto active = TRY(journal.active());
    const bool is_servers = active && !active->deployment.local;
    const auto under_way = is_servers ? std::optional(active->deployment.id) : std::nullopt;

    Daemon daemon{.paths = paths,
                  .loop = TRY(Loop::create()),
                  .bus = {},
                  .status = {},
                  .turns = {},
                  .tasks = {},
                  .cancellation = {},
                  .gate = {config.rules, system_clock()},
                  .link_events = {}};
    daemon.status.server.url = config.hawkbit.url;
    if (active) {
        daemon.turns.take(active->deployment.id, active->deployment.local ? Turns::From::Device : Turns::From::Server,
                          "going on after a restart");
        daemon.status.deployment = daemon.turns.first();
    }
    Requests requests({.config = config,
                       .paths = paths.device,
                       .status = daemon.status,
                       .link = daemon.link_events,
                       .hand_on = [&daemon](Task task) { daemon.hand_on_local(std::move(task)); },
                       .turns = daemon.turns,
                       .cancellation = daemon.cancellation,
                       .gate = daemon.gate,
                       .later = [&daemon](std::function<void()> work) { daemon.loop->post(std::move(work)); }});
    daemon.bus = TRY(AgentBus::create(daemon.loop->event(), requests.handlers()));

    Worker worker(config, paths, std::move(journal), std::move(generations), daemon.cancellation, daemon.gate,
                  daemon.worker_outputs());
    std::jthread worker_thread([&](std::stop_token stop) { worker.run(daemon.tasks, stop); });
    std::optional<Link> link;
    std::jthread link_thread;
    if (config.hawkbit.url.empty()) {
        log::notice("no hawkBit server is configured (hawkbit.url): the apps run, nothing new will come");
    } else {
        link.emplace(
            config.hawkbit, std::move(outbox), daemon.link_events, daemon.link_outputs(),
            [&](http::Options options) {
                return std::make_unique<http::HttpProcess>(paths.libexec / "davit-http", std::move(options));
            },
            system_clock(), under_way);
        link_thread = std::jthread([&](std::stop_token stop) { link->run(stop); });
    }

    sd_notify(0, "READY=1\nSTATUS=Idle.");
    const auto ended = daemon.loop->run();
    sd_notify(0, "STOPPING=1");
    worker_thread.request_stop();
    worker_thread.join();
    if (!ended) return ended;
    // The link may be waiting 30 s for an answer; all that it could lose is in the outbox.
    std::_Exit(EXIT_SUCCESS);
}

}  // namespace davit
