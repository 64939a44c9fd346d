#include "tests/fleet/simulation.h"

#include <charconv>
#include <format>
#include <functional>

#include "common/file.h"

namespace davit::fleet {
namespace {

constexpr std::uint64_t kSize = 1'000'000;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

}  // namespace

std::int64_t sequence_of(std::string_view version) {
    while (!version.empty() && !is_digit(version.back()))
        version.remove_suffix(1);
    auto start = version.size();
    while (start > 0 && is_digit(version[start - 1]))
        --start;
    std::int64_t number = 0;
    std::from_chars(version.data() + start, version.data() + version.size(), number);
    return number;
}

Simulation::Simulation(std::string device, Path state, const Behaviour& behaviour, Clock& clock)
    : device_(std::move(device)),
      state_(std::move(state)),
      behaviour_(behaviour),
      clock_(clock),
      random_(static_cast<unsigned>(std::hash<std::string>{}(device_) ^ behaviour.seed)) {}

Result<void> Simulation::takes(Milliseconds time, std::stop_token stop) {
    if (clock_.sleep(time, std::move(stop))) return {};
    return fail(Code::Canceled, "stopped");
}

bool Simulation::is_unlucky(const std::string& commit) const {
    const auto draw = std::hash<std::string>{}(std::format("{} {} {}", behaviour_.seed, device_, commit));
    return static_cast<int>(draw % 100) < behaviour_.app_failures;
}

Result<Content::Cost> Simulation::inspect(const Part& part, std::stop_token stop) {
    if (stop.stop_requested()) return fail(Code::Canceled, "stopped");
    if (fetched_.contains(part.commit)) return Cost{.complete = true, .known = true};
    return Cost{.complete = false, .known = true, .missing_bytes = kSize, .missing_wire = kSize / 2};
}

Result<void> Simulation::pull(const Part& part, std::stop_token stop, const OnProgress& progress) {
    TRY(takes(behaviour_.fetch_time / 2, stop));
    progress(kSize / 4);
    if (std::uniform_int_distribution<int>(0, 99)(random_) < behaviour_.network_failures)
        return fail(Code::Network, std::format("app '{}': connection refused (simulated)", part.app));
    TRY(takes(behaviour_.fetch_time / 2, stop));
    progress(kSize / 2);
    fetched_.insert(part.commit);
    return {};
}

Result<void> Simulation::checkout(const Part& part, std::stop_token) {
    if (!fetched_.contains(part.commit)) return fail(Code::NotFound, "not fetched: " + part.commit);
    return file::make_directories(state_ / "checkouts" / part.app / part.commit);
}

Result<Bundle> Simulation::bundle(const AppVersion& app) {
    Bundle bundle{.directory = state_ / "checkouts" / app.name / app.commit, .manifest = {}};
    if (!file::exists(bundle.directory)) return fail(Code::NotFound, "no checkout " + bundle.directory.native());
    bundle.manifest.name = app.name;
    bundle.manifest.version = app.version;
    bundle.manifest.sequence = sequence_of(app.version);
    bundle.manifest.health.stays_up = behaviour_.stays_up;
    return bundle;
}

Result<void> Simulation::keep_only(const std::vector<AppVersion>& keep, std::stop_token) {
    std::set<std::string> kept;
    for (const auto& app : keep)
        kept.insert(app.commit);
    std::erase_if(fetched_, [&](const std::string& commit) { return !kept.contains(commit); });
    return {};
}

Result<std::uint64_t> Simulation::free_bytes() {
    return 1'000 * kSize;
}

Result<void> Simulation::prepare(const std::vector<Bundle>&) {
    return {};
}

Result<std::string> Simulation::current_commit(const std::string& app) const {
    const auto generations = TRY(Generations::open(state_));
    const auto current = TRY(generations.current());
    const auto* version = current ? current->find(app) : nullptr;
    if (version == nullptr) return fail(Code::System, app + " is not in the current generation");
    return version->commit;
}

Result<void> Simulation::restart(const std::string& app, Milliseconds start_timeout, std::stop_token stop) {
    const auto commit = TRY(current_commit(app));
    running_.erase(app);
    TRY(takes(behaviour_.start_time, std::move(stop)));
    if (is_unlucky(commit)) {
        return fail(Code::AppFailed, std::format("{} did not become READY within {}", app, to_string(start_timeout)));
    }
    running_[app] = commit;
    return {};
}

Result<void> Simulation::stop(const std::string& app, std::stop_token) {
    running_.erase(app);
    return {};
}

Result<Apps::State> Simulation::state(const std::string& app) {
    const auto running = running_.find(app);
    if (running == running_.end()) return State{.exists = true, .failed = true, .reason = "ended with exit code 1"};
    return State{.exists = true, .active = true, .running_commit = running->second};
}

Result<void> Simulation::forget_all_but(const std::vector<std::string>&) {
    return {};
}

Result<void> Simulation::probe(const std::string&, const HealthCheck&) {
    return {};
}

}  // namespace davit::fleet
