#include "tests/crash/driver/fake_system.h"

#include <algorithm>
#include <format>
#include <fstream>

#include <nlohmann/json.hpp>

#include "containers/manifest.h"

namespace davit::crash {

FakeSystem::FakeSystem(Path state, Path file, std::map<std::string, std::string> faults)
    : state_(std::move(state)), file_(std::move(file)), faults_(std::move(faults)) {
    load();
}

void FakeSystem::load() {
    if (!file::exists(file_)) return;
    const auto json = nlohmann::json::parse(file::read(file_).value());
    units_ = json.at("units").get<std::set<std::string>>();
    for (const auto& [app, one] : json.at("running").items())
        running_[app] = {.commit = one.at("commit"), .label = one.at("label"), .is_ready = one.at("ready")};
}

/// Durable in the sense of a process that is killed: that is what happens to the one it is in.
Result<void> FakeSystem::save(const std::string& deed) const {
    auto running = nlohmann::json::object();
    for (const auto& [app, one] : running_)
        running[app] = {{"commit", one.commit}, {"label", one.label}, {"ready", one.is_ready}};
    const nlohmann::json out = {{"units", units_}, {"running", std::move(running)}};
    TRY(file::write_atomically(file_, out.dump(1)));
    std::ofstream(file_.native() + ".deeds", std::ios::app) << deed << "\n";
    return {};
}

bool FakeSystem::has_fault(const std::string& label, std::string_view fault) const {
    const auto found = faults_.find(label);
    return found != faults_.end() && found->second == fault;
}

Result<FakeSystem::Running> FakeSystem::start(const std::string& app) const {
    const auto link = TRY(file::read_link(state_ / "current/apps" / app));
    if (!link) return fail(Code::AppFailed, app + " is not in the current generation");
    const auto text = TRY(file::read(state_ / "current/apps" / app / "davit.json"));
    const auto manifest = TRY(parse_manifest(text));
    const auto label = app + " " + manifest.version;
    const bool is_ready = !has_fault(label, "never-ready") && !has_fault(label, "blocks-the-way");
    return Running{.commit = link->filename(), .label = label, .is_ready = is_ready};
}

void FakeSystem::boot() {
    units_.clear();
    running_.clear();
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(state_ / "current/apps", none)) {
        const auto app = entry.path().filename().string();
        units_.insert(app);
        if (auto running = start(app)) running_[app] = std::move(*running);
    }
    save("boot").value();
}

Result<void> FakeSystem::delete_replaced(const std::vector<Bundle>& apps) const {
    for (const auto& app : apps) {
        const auto link = TRY(file::read_link(state_ / "current/apps" / app.manifest.name));
        if (!link || link->filename() == app.directory.filename()) continue;
        const auto checkout = app.directory.parent_path() / link->filename();
        TRY(file::remove_tree(checkout));
        TRY(file::sync_directory(checkout.parent_path()));
    }
    return {};
}

Result<void> FakeSystem::prepare(const std::vector<Bundle>& apps) {
    if (careless_) TRY(delete_replaced(apps));
    for (const auto& app : apps)
        units_.insert(app.manifest.name);
    return save("reload");
}

Result<void> FakeSystem::restart(const std::string& app, Milliseconds start_timeout, std::stop_token) {
    if (!units_.contains(app)) return fail(Code::System, "there is no unit of " + app);
    const auto running = TRY(start(app));
    running_[app] = running;
    TRY(save("start " + running.label));
    if (running.is_ready) return {};
    if (has_fault(running.label, "blocks-the-way")) TRY(file::make_directories(state_ / "current.new/by-mistake"));
    return fail(Code::AppFailed, std::format("{} did not become READY within {}", app, in_seconds(start_timeout)));
}

Result<void> FakeSystem::stop(const std::string& app, std::stop_token) {
    running_.erase(app);
    return save("stop " + app);
}

Result<Apps::State> FakeSystem::state(const std::string& app) {
    State state{.exists = units_.contains(app)};
    const auto found = running_.find(app);
    if (found == running_.end()) return state;
    if (has_fault(found->second.label, "unreadable")) return fail(Code::System, "systemd does not answer");
    state.active = found->second.is_ready;
    state.failed = !found->second.is_ready;
    if (state.failed) state.reason = "took too long";
    state.running_commit = found->second.commit;
    return state;
}

Result<void> FakeSystem::forget_all_but(const std::vector<std::string>& keep) {
    std::erase_if(units_, [&](const std::string& unit) { return !std::ranges::contains(keep, unit); });
    return save("forget");
}

Result<void> FakeSystem::probe(const std::string& app, const HealthCheck&) {
    const auto found = running_.find(app);
    if (found == running_.end() || has_fault(found->second.label, "unhealthy"))
        return fail(Code::AppFailed, std::format("GET {} answered 500", app));
    return {};
}

}  // namespace davit::crash
