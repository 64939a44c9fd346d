#include "tests/unit/agent/engine/world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <format>

#include "common/log.h"

namespace davit::test {
namespace {

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words)
        out += (out.empty() ? "" : ", ") + word;
    return out;
}

/// One life of davitd.
struct Davitd {
    Journal journal;
    Generations generations;
    Engine engine;

    explicit Davitd(World& world)
        : journal(world.journal()),
          generations(Generations::open(world.state).value()),
          engine({.journal = journal,
                  .generations = generations,
                  .content = world.device,
                  .apps = world.device,
                  .probe = world.device,
                  .permission = world.device,
                  .observer = world.device,
                  .clock = world.clock,
                  .cancellation = world.cancellation},
                 world.options) {}
};

}  // namespace

World::World() {
    log::set_sink([](log::Level, std::string_view, const log::Fields&) {});
    file::make_directories(state).value();
}

Result<void> World::try_to_deploy(const Deployment& deployment, std::stop_token stop) {
    return Davitd(*this).engine.run(deployment, std::move(stop));
}

Result<void> World::resume(std::stop_token stop) {
    return Davitd(*this).engine.resume(std::move(stop));
}

Outcome World::deploy(const std::vector<Part>& parts, const std::string& id) {
    EXPECT_THAT(try_to_deploy({.id = id, .parts = parts}), Works());
    const auto entry = journal().find(id).value();
    return entry ? entry->outcome : Outcome{.message = "there is no outcome"};
}

std::vector<std::string> World::labels(const std::optional<Generation>& generation) {
    if (!generation) return {"nothing"};
    std::vector<std::string> out;
    for (const auto& app : generation->apps)
        out.push_back(app.name + " " + app.version);
    return out;
}

std::vector<std::string> World::deliver() {
    auto outbox = Outbox::open(state / "state.db").value();
    std::vector<std::string> out;
    while (const auto item = outbox.next().value()) {
        out.push_back(item->deployment_id);
        outbox.delivered(item->row).value();
    }
    return out;
}

std::string World::describe() {
    std::string out;
    auto journal = this->journal();
    const auto history = journal.history(10).value();
    for (const auto& entry : history)
        out += testing::PrintToString(entry.outcome) + "\n";
    out += std::format("under way: {}\n", journal.active().value().has_value());
    out += std::format("results: {}\n", joined(deliver()));
    out += std::format("running: {}\n", joined(device.running()));
    out += std::format("current: {}\nprevious: {}\n", joined(current()), joined(previous()));
    out += std::format("units: {}\nrepository: {}\n", joined(device.units()), joined(device.commits()));
    out += std::format("generations: {}\n", file::list(state / "generations").value().size());
    const auto apps = file::list(state / "checkouts").value();
    for (const auto& app : apps) {
        out += std::format("checkouts of {}: {}\n", app, joined(file::list(state / "checkouts" / app).value()));
    }
    return out;
}

}  // namespace davit::test
