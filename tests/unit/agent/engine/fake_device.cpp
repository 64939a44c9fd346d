#include "tests/unit/agent/engine/fake_device.h"

#include <algorithm>
#include <format>

namespace davit::test {
namespace {

std::unexpected<Error> stopped() {
    return fail(Code::Canceled, "stopped");
}

}  // namespace

Part Release::part() const {
    return {
        .app = manifest.name, .version = manifest.version, .commit = commit(), .ref = manifest.name, .repository = {}};
}

AppVersion Release::version() const {
    return {.name = manifest.name, .version = manifest.version, .commit = commit(), .ref = manifest.name, .legacy = {}};
}

Release app(std::string name, std::string version) {
    Release release;
    release.manifest.name = std::move(name);
    release.manifest.version = std::move(version);
    release.manifest.health.http = "http://127.0.0.1:8080/health";
    return release;
}

Part removal(const std::string& name) {
    return {.app = name, .version = "", .commit = "", .ref = name, .remove = true};
}

Part FakeDevice::publishes(const Release& release) {
    published_[release.commit()] = release;
    return release.part();
}

void FakeDevice::has(const std::vector<Release>& apps) {
    auto generations = Generations::open(state_).value();
    std::vector<AppVersion> versions;
    for (const auto& app : apps) {
        publishes(app);
        fetched_.insert(app.commit());
        file::make_directories(state_ / "checkouts" / app.manifest.name / app.commit()).value();
        units_.insert(app.manifest.name);
        versions.push_back(app.version());
    }
    generations.switch_to(generations.prepare(versions).value()).value();
    reboots();
}

/// What davit-units and systemd do at boot: units of the current generation, every app that starts by itself.
void FakeDevice::reboots() {
    running_.clear();
    down_.clear();
    units_.clear();
    const auto current = Generations::open(state_).value().current().value();
    if (!current) return;
    for (const auto& app : current->apps) {
        units_.insert(app.name);
        if (release(app.commit).manifest.autostart) run(app.name);
    }
}

Manifest FakeDevice::manifest_of(const AppVersion& app) const {
    auto manifest = release(app.commit).manifest;
    if (app.legacy) manifest.start = app.legacy->notify ? StartType::Notify : StartType::Running;
    return manifest;
}

void FakeDevice::run(const std::string& app) {
    const auto current = Generations::open(state_).value().current().value();
    const auto& version = *current->find(app);
    down_.erase(app);
    running_[app] = {.commit = version.commit,
                     .since = clock_.now(),
                     .is_ready = !faults_[release(version.commit).label()].never_ready,
                     .as = manifest_of(version).start};
}

void FakeDevice::user_starts(const std::string& app) {
    run(app);
}
void FakeDevice::user_stops(const std::string& app) {
    down(app, false);
}
void FakeDevice::crashes(const std::string& app) {
    down(app, true);
}

void FakeDevice::down(const std::string& app, bool failed) {
    running_.erase(app);
    down_[app] = {.since = clock_.now(), .failed = failed};
}

/// As systemd does it for Requires=: those that run are started again.
void FakeDevice::restart_dependants(const std::string& app) {
    const auto current = Generations::open(state_).value().current().value();
    for (const auto& other : current->apps) {
        const auto& needs = release(other.commit).manifest.requires_;
        if (!running_.contains(other.name) || !std::ranges::contains(needs, app)) continue;
        run(other.name);
        note("restart " + release(other.commit).label());
        restart_dependants(other.name);
    }
}

std::vector<std::string> FakeDevice::running() const {
    std::vector<std::string> out;
    for (const auto& [name, app] : running_) {
        if (app.is_ready) out.push_back(release(app.commit).label());
    }
    return out;
}

int FakeDevice::times(const std::string& deed) const {
    return static_cast<int>(std::ranges::count(did_, deed));
}

std::optional<std::string> FakeDevice::current_commit(const std::string& app) const {
    const auto current = Generations::open(state_).value().current().value();
    const auto* version = current ? current->find(app) : nullptr;
    return version ? std::optional(version->commit) : std::nullopt;
}

Result<Content::Cost> FakeDevice::inspect(const Part& part, std::stop_token stop) {
    return call([&]() -> Result<Cost> {
        ++inspections;
        if (stop.stop_requested()) return stopped();
        if (!published_.contains(part.commit))
            return fail(Code::NotFound, std::format("the server has no commit {}", part.commit));
        const auto& release = this->release(part.commit);
        if (!release.is_signed)
            return fail(Code::Untrusted, std::format("app '{}': no signature by a trusted key", part.app));
        if (fetched_.contains(part.commit)) return Cost{.complete = true, .known = true};
        return Cost{
            .complete = false, .known = true, .missing_bytes = release.bytes, .missing_wire = release.bytes / 2};
    });
}

Result<void> FakeDevice::pull(const Part& part, std::stop_token stop, const OnProgress& progress) {
    return call([&]() -> Result<void> {
        if (stop.stop_requested()) return stopped();
        const auto& release = this->release(part.commit);
        progress(release.bytes / 4);
        if (failing_fetches > 0) {
            --failing_fetches;
            return fail(Code::Network, std::format("app '{}': connection refused", part.app));
        }
        progress(release.bytes / 2);
        fetched_.insert(part.commit);
        note("pull " + release.label());
        return {};
    });
}

Result<void> FakeDevice::checkout(const Part& part, std::stop_token stop) {
    return call([&]() -> Result<void> {
        if (stop.stop_requested()) return stopped();
        if (!fetched_.contains(part.commit)) return fail(Code::NotFound, "not fetched: " + part.commit);
        return file::make_directories(state_ / "checkouts" / part.app / part.commit);
    });
}

Result<Bundle> FakeDevice::bundle(const AppVersion& app) {
    return call([&]() -> Result<Bundle> {
        const auto directory = state_ / "checkouts" / app.name / app.commit;
        if (!file::exists(directory)) return fail(Code::NotFound, "no checkout " + directory.native());
        const auto& release = this->release(app.commit);
        if (release.policy_refuses) return fail(Code::PolicyRefused, *release.policy_refuses);
        return Bundle{.directory = directory, .manifest = manifest_of(app), .legacy = app.legacy.has_value()};
    });
}

Result<void> FakeDevice::keep_only(const std::vector<AppVersion>& keep, std::stop_token) {
    return call([&]() -> Result<void> {
        if (keep_only_fails) return fail(*keep_only_fails);
        std::set<std::string> kept;
        for (const auto& app : keep)
            kept.insert(app.commit);
        std::erase_if(fetched_, [&](const std::string& commit) { return !kept.contains(commit); });
        return {};
    });
}

Result<std::uint64_t> FakeDevice::free_bytes() {
    return call([&]() -> Result<std::uint64_t> { return free; });
}

Result<void> FakeDevice::prepare(const std::vector<Bundle>& apps) {
    return call([&]() -> Result<void> {
        if (reload_fails) return fail(*std::exchange(reload_fails, std::nullopt));
        for (const auto& app : apps)
            units_.insert(app.manifest.name);
        return {};
    });
}

Result<void> FakeDevice::restart(const std::string& app, Milliseconds start_timeout, std::stop_token stop) {
    return call([&]() -> Result<void> {
        if (stop.stop_requested()) return stopped();
        if (goes_down) return fail(Code::Canceled, "the device is shutting down");
        if (!units_.contains(app)) return fail(Code::System, "no unit for " + app);
        const auto commit = current_commit(app);
        if (!commit) return fail(Code::System, app + " is not in the current generation");
        const auto& release = this->release(*commit);
        run(app);
        note("start " + release.label());
        restart_dependants(app);
        if (running_.at(app).is_ready) return {};
        clock_.passes(start_timeout);
        return fail(Code::AppFailed, std::format("{} did not become READY within {}", app, to_string(start_timeout)));
    });
}

Result<void> FakeDevice::stop(const std::string& app, std::stop_token stop) {
    return call([&]() -> Result<void> {
        if (stop.stop_requested()) return stopped();
        if (!running_.contains(app)) return {};
        down(app, false);
        note("stop " + app);
        return {};
    });
}

Result<Apps::State> FakeDevice::state(const std::string& app) {
    return call([&]() -> Result<State> {
        if (goes_down) return fail(Code::Canceled, "the device is shutting down");
        return state_of(app);
    });
}

Apps::State FakeDevice::state_of(const std::string& app) {
    State state{.exists = units_.contains(app)};
    if (const auto found = down_.find(app); found != down_.end()) {
        state.failed = found->second.failed;
        state.stopped = !found->second.failed;
        state.ended_at = found->second.since;
        if (state.failed) state.reason = "ended with exit code 3";
    }
    if (!running_.contains(app)) return state;
    const auto& running = running_.at(app);
    const auto& fault = fault_of(running);
    const auto up = clock_.now() - running.since;
    state.running_commit = running.commit;
    state.active = running.is_ready;
    state.running_start = running.as;
    state.started_at = running.since;
    if (!running.is_ready && up >= release(running.commit).manifest.start_timeout) {
        state.failed = true;
        state.reason = "took too long";
    }
    if (fault.dies_after && up >= *fault.dies_after) {
        state.restarts = 1;
        state.reason = "ended with exit code 3";
    }
    if (fault.ends_after && up >= *fault.ends_after) state.active = false;
    return state;
}

Result<void> FakeDevice::forget_all_but(const std::vector<std::string>& keep) {
    return call([&]() -> Result<void> {
        std::erase_if(units_, [&](const std::string& app) { return !std::ranges::contains(keep, app); });
        return {};
    });
}

Result<void> FakeDevice::probe(const std::string& app, const HealthCheck& check) {
    return call([&]() -> Result<void> {
        note("probe " + app);
        auto& fault = fault_of(running_.at(app));
        if (!fault.unhealthy && fault.sick_probes == 0) return {};
        if (fault.sick_probes > 0) --fault.sick_probes;
        return fail(Code::AppFailed, std::format("GET {} answered 500", check.http.value_or("")));
    });
}

Permission::Answer FakeDevice::ask(const Deployment&, Permission::Step step, bool confirmed) {
    return call([&] { return says ? says(step, confirmed) : Answer{}; });
}

void FakeDevice::wait(const Answer&, std::stop_token) {
    if (before_call) before_call();
    ++waits_;
    if (after_call) after_call();
}

void FakeDevice::confirmed(const Deployment& deployment) {
    if (before_call) before_call();
    confirmed_.push_back(deployment.id);
}

void FakeDevice::entered(const Deployment&, const Plan&, Phase phase, const std::string& message) {
    if (before_call) before_call();
    told_.push_back(std::format("{}: {}", name(phase), message));
    if (when_told) when_told();
}

void FakeDevice::progress(const Deployment&, const std::string& app, std::uint64_t bytes, std::uint64_t expected) {
    progress_.push_back(std::format("{} {} of {}", app, bytes, expected));
}

void FakeDevice::finished(const Deployment& deployment, const Outcome&) {
    if (before_call) before_call();
    finished_.push_back(deployment.id);
}

}  // namespace davit::test
