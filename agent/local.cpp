#include "agent/local.h"

#include <algorithm>
#include <format>

namespace davit {
namespace {

Part part_of(const AppVersion& app) {
    return {.app = app.name,
            .version = app.version,
            .commit = app.commit,
            .ref = app.ref,
            .repository = "",
            .remove = false,
            .downgrade = true,
            .legacy = app.legacy};
}

Result<Generation> choose(const Generations& generations, Generations::Number number) {
    if (number == 0) {
        if (auto previous = TRY(generations.previous())) return *previous;
        return fail(Code::NotFound, "there is no previous generation to go back to");
    }
    for (auto& named : TRY(generations.named()))
        if (named.generation.number == number) return named.generation;
    return fail(Code::NotFound, std::format("there is no generation {}; 'davitctl generations' lists them", number));
}

}  // namespace

Deployment back_to(const Generation& target, const Generation& current, std::string id) {
    Deployment deployment{.id = std::move(id), .parts = {}, .download_only = false, .local = true};
    for (const auto& app : target.apps)
        deployment.parts.push_back(part_of(app));
    for (const auto& app : current.apps) {
        if (target.find(app.name)) continue;
        auto part = part_of(app);
        part.remove = true;
        deployment.parts.push_back(std::move(part));
    }
    std::ranges::sort(deployment.parts, {}, &Part::app);
    return deployment;
}

Result<Deployment> rollback_deployment(const Generations& generations, Generations::Number number,
                                       std::int64_t now_ms) {
    const auto target = TRY(choose(generations, number));
    const auto current = TRY(generations.current()).value_or(Generation{});
    if (target.number == current.number)
        return fail(Code::AlreadyExists, std::format("generation {} is current", current.number));
    return back_to(target, current, std::format("local-{}", now_ms));
}

}  // namespace davit
