// crash_driver: davitd without D-Bus and hawkBit, for the tests that break it. One JSON object on standard input says
// what its life is to be; one on standard output says what became of it. What is real: engine, journal, generations,
// the content and its davit-ostree. What is not: systemd and the apps (fake_system.h), and time.
//
//   {"verb": "publish", "world": DIR}
//   {"verb": "table"}
//   {"verb": "live", "world": DIR, "state": DIR, "ostree": FILE, "boot": BOOL, "faults": {…}, "says": {…}, "orders":
//   {…}, "steps":
//       [{"resume": true} | {"offer": DEPLOYMENT} | {"deliver": true} | {"restart_log": true} | {"mark": TEXT} |
//       {"wrong": ORDER} | {"remove": PATH}, …]}

#include <dlfcn.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "agent/content/ostree_content.h"
#include "agent/engine/engine.h"
#include "common/log.h"
#include "tests/crash/driver/fake_system.h"
#include "tests/crash/driver/look.h"
#include "tests/crash/driver/publish.h"
#include "tests/crash/driver/watch.h"
#include "tests/crash/driver/words.h"
#include "tests/unit/agent/engine/fake_clock.h"

namespace davit::crash {
namespace {

using Json = nlohmann::json;

Json table() {
    auto rows = Json::array();
    for (const auto& row : transitions())
        rows.push_back({{"phase", name(row.phase)}, {"event", name(row.event)}, {"next", name(row.next)}});
    auto seams = Json::array();
    for (int seam = 0; seam != static_cast<int>(Seam::End); ++seam)
        seams.push_back({{"name", name(static_cast<Seam>(seam))}, {"fails", can_fail(static_cast<Seam>(seam))}});
    return {{"transitions", std::move(rows)}, {"seams", std::move(seams)}};
}

/// The page that the shim looks at; it is preloaded, so it is asked for by name.
Control& control(const Path& file, const Path& state, const Json& orders) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ::ftruncate(fd, 4096) != 0) ::abort();
    void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    if (page == MAP_FAILED) ::abort();
    auto& out = *static_cast<Control*>(page);
    out.driver = ::getpid();
    out.kill_at_operation = orders.value("kill_at_operation", 0u);
    out.kill_at_journal_sync = orders.value("kill_at_journal_sync", 0u);
    out.kill_before_journal_write = orders.value("kill_before_journal_write", 0u);
    out.fail_at_operation = orders.value("fail_at_operation", 0u);
    out.error = orders.value("errno", EIO);
    out.lasting = orders.value("lasting", false);
    state.native().copy(out.state, sizeof out.state - 1);
    using Attach = void(const char*);
    auto* const attach = reinterpret_cast<Attach*>(::dlsym(RTLD_DEFAULT, "davit_crash_attach"));
    if (attach) attach(file.c_str());
    ::setenv(kControlVariable, file.c_str(), 1);  // for davit-ostree
    return out;
}

Orders orders_from(const Json& json) {
    Orders out;
    out.visit = json.value("visit", out.visit);
    out.told = json.value("told", out.told);
    out.operations = json.value("operations", out.operations);
    out.kill_at_call = json.value("kill_at_call", out.kill_at_call);
    out.fail_at_call = json.value("fail_at_call", out.fail_at_call);
    out.afterwards = json.value("afterwards", out.afterwards);
    out.lasting = json.value("lasting", out.lasting);
    out.code = code_named(json.value("code", "System")).value();
    out.cancel = json.value("cancel", "");
    out.hide = json.value("hide", "");
    if (json.contains("mark")) out.mark = json.at("mark").get<std::string>();
    return out;
}

Config config() {
    Config out;
    out.download.reserve = 0;
    return out;
}

DevicePaths paths(const Path& state, const Path& world) {
    DevicePaths out;
    out.state = state;
    out.run = world / "run";
    out.units = world / "units";
    return out;
}

/// One life of davitd.
class Life {
public:
    Life(const Json& job, Json& out)
        : job_(job),
          out_(out),
          world_(job.at("world").get<std::string>()),
          state_(job.at("state").get<std::string>()),
          orders_(job.value("orders", Json::object())),
          control_(control(world_ / "control", state_, orders_)),
          watch_(orders_from(orders_), control_,
                 {.cancel = [this](const std::string& id) { cancellation_.request(id); },
                  .hide = [this] { move("", ".hidden"); },
                  .show = [this] { move(".hidden", ""); }}),
          system_(state_, world_ / "system.json",
                  job.value("faults", Json::object()).get<std::map<std::string, std::string>>()),
          words_(job.value("says", Json::object()).get<std::map<std::string, std::string>>()) {
        log::set_level(log::Level::Debug);
        log::set_sink([this](log::Level level, std::string_view message, const log::Fields& fields) {
            hear(level, message, fields);
        });
    }

    Result<void> run() {
        if (job_.value("boot", false)) system_.boot();
        auto journal = TRY(Journal::open(state_ / "state.db"));
        auto generations = TRY(Generations::open(state_));
        OstreeContent content(config(), paths(state_, world_), job_.at("ostree").get<std::string>(), world_ / "root");
        WatchedContent watched_content(content, watch_);
        WatchedApps apps(system_, watch_);
        WatchedProbe probe(system_, watch_);
        WatchedPermission permission(words_, watch_);
        EngineOptions options;
        options.download_deadline = Milliseconds{60'000};
        Engine engine({.journal = journal,
                       .generations = generations,
                       .content = watched_content,
                       .apps = apps,
                       .probe = probe,
                       .permission = permission,
                       .observer = watch_,
                       .clock = clock_,
                       .cancellation = cancellation_},
                      options);
        for (const auto& step : job_.at("steps"))
            note(take(step, engine));
        note(deliver());
        out_["journal_syncs"] = control_.journal_syncs.load();
        out_["look"] = TRY(look(journal, generations));
        return {};
    }

    void finish() {
        out_["visits"] = watch_.trace();
        out_["operations"] = control_.operations.load();
        log::set_sink([](log::Level, std::string_view, const log::Fields&) {});
    }

private:
    /// What describes the current generation, which is there twice.
    void move(const std::string& from, const std::string& to) const {
        for (const auto* name : {"generation.json", "generation.copy.json"}) {
            const auto description = (state_ / "current" / name).native();
            if (file::exists(description + from)) file::rename(description + from, description + to).value();
        }
    }

    Result<void> take(const Json& step, Engine& engine) {
        if (step.contains("mark")) watch_.mark(step.at("mark").get<std::string>());
        if (step.contains("wrong")) go_wrong(step.at("wrong").get<std::string>());
        if (step.contains("restart_log")) return restart_log();
        if (step.contains("remove")) return file::remove_tree(step.at("remove").get<std::string>());
        if (step.contains("resume")) return resume(engine);
        if (step.contains("deliver")) return deliver();
        if (step.contains("offer")) return offer(TRY(deployment_from_json(step.at("offer").dump())), engine);
        return {};
    }

    /// From here on everything is done in a wrong order.
    void go_wrong(std::string_view how) {
        control_.no_syncfs = how == "no-syncfs";
        control_.no_syncfs_in_davitd = how == "no-syncfs-in-davitd";
        control_.no_directory_sync = how == "no-directory-sync";
        control_.unlink_first = how == "unlink-first";
        if (how == "delete-first") system_.delete_first();
    }

    Result<void> resume(Engine& engine) {
        const auto before = std::chrono::steady_clock::now();
        const auto resumed = engine.resume({});
        const auto took = std::chrono::steady_clock::now() - before;
        out_["resume_ms"] = std::chrono::duration_cast<Milliseconds>(took).count();
        return resumed;
    }

    /// A server offers what it has no result for.
    Result<void> offer(const Deployment& deployment, Engine& engine) {
        TRY(deliver());
        if (is_reported(deployment.id)) return {};
        watch_.next_deployment();
        watch_.mark("offered " + deployment.id);
        return engine.run(deployment, {});
    }

    /// What the link does. The server has it before it is forgotten here.
    Result<void> deliver() {
        auto outbox = TRY(Outbox::open(state_ / "state.db"));
        while (const auto item = TRY(outbox.next())) {
            const Json report = {{"id", item->deployment_id},
                                 {"success", item->outcome.success},
                                 {"message", item->outcome.message},
                                 {"cause", item->outcome.cause}};
            std::ofstream(world_ / "reports", std::ios::app) << report.dump() << std::endl;
            watch_.mark("reported " + report.dump());
            TRY(outbox.delivered(item->row));
        }
        return {};
    }

    [[nodiscard]] bool is_reported(const std::string& id) const {
        std::ifstream reports(world_ / "reports");
        for (std::string line; std::getline(reports, line);)
            if (const auto report = Json::parse(line); report.at("id") == id && report.at("cause") != "confirmed")
                return true;
        return false;
    }

    /// What happens to the journal's log after a thousand pages: from here on it is written over from its beginning, so
    /// that syncing it makes nothing else durable by chance.
    Result<void> restart_log() {
        sqlite3* db = nullptr;
        const bool done = sqlite3_open((state_ / "state.db").c_str(), &db) == SQLITE_OK &&
                          sqlite3_exec(db, "PRAGMA wal_checkpoint(RESTART)", nullptr, nullptr, nullptr) == SQLITE_OK;
        sqlite3_close(db);
        if (!done) return fail(Code::System, "cannot start the journal's log anew");
        return {};
    }

    void note(const Result<void>& result) {
        if (!result)
            out_["errors"].push_back({{"code", name(result.error().code)}, {"message", result.error().message}});
    }

    void hear(log::Level level, std::string_view message, const log::Fields& fields) {
        const std::map<std::string, std::string> about(fields.begin(), fields.end());
        if (about.contains("DAVIT_EVENT"))
            watch_.left(phase_from_name(about.at("DAVIT_PHASE")).value(), about.at("DAVIT_EVENT"));
        if (level != log::Level::Debug) std::cerr << message << "\n";
    }

    const Json& job_;
    Json& out_;
    Path world_, state_;
    Json orders_;
    Control& control_;
    Cancellation cancellation_;
    test::FakeClock clock_;
    Watch watch_;
    FakeSystem system_;
    Words words_;
};

Json live(const Json& job) {
    Json out = {{"errors", Json::array()}};
    Life life(job, out);
    const auto lived = life.run();
    if (!lived) out["errors"].push_back({{"code", name(lived.error().code)}, {"message", lived.error().message}});
    life.finish();
    return out;
}

Json run(const Json& job) {
    const std::string verb = job.at("verb");
    if (verb == "table") return table();
    if (verb == "live") return live(job);
    if (verb != "publish") return {{"errors", {"unknown verb " + verb}}};
    const auto parts = publish(job.at("world").get<std::string>());
    if (!parts) return {{"errors", {parts.error().message}}};
    return {{"parts", *parts}, {"deployment", Json::parse(to_json(Deployment{}))}};
}

}  // namespace
}  // namespace davit::crash

int main() {
    const std::string text(std::istreambuf_iterator<char>(std::cin), {});
    std::cout << davit::crash::run(nlohmann::json::parse(text)).dump() << std::endl;
}
