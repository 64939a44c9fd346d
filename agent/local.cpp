#include "agent/local.h"

#include <algorithm>
#include <format>
#include <utility>

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
    return back_to(target, current, local_id(now_ms));
}

Result<Deployment> removal_deployment(const Generations& generations, const std::string& app, std::int64_t now_ms) {
    const auto current = TRY(generations.current()).value_or(Generation{});
    const auto* installed = current.find(app);
    if (!installed)
        return fail(Code::NotFound, std::format("no app '{}' is installed; 'davitctl apps' lists those that are", app));
    Deployment deployment{
        .id = local_id(now_ms), .parts = {part_of(*installed)}, .download_only = false, .local = true};
    deployment.parts.front().remove = true;
    return deployment;
}

Result<Origin> parse_origin(const std::string& text) {
    constexpr std::string_view kExpected =
        "expected a file of 'davit app export', a directory with a repository, or REPOSITORY-URL#APP[@COMMIT]";
    const bool is_url = text.starts_with("http://") || text.starts_with("https://") || text.starts_with("file:///");
    if (!is_url && !text.starts_with('/')) return fail(Code::InvalidInput, std::format("'{}': {}", text, kExpected));
    Origin origin{.url = (is_url ? "" : "file://") + text, .ref = {}, .commit = {}};
    const auto hash = origin.url.rfind('#');
    if (hash == std::string::npos || (!is_url && file::exists(text))) return origin;  // a name may hold a '#'
    origin.ref = origin.url.substr(hash + 1);
    origin.url.resize(hash);
    if (const auto at = origin.ref.find('@'); at != std::string::npos) {
        origin.commit = origin.ref.substr(at + 1);
        origin.ref.resize(at);
        if (origin.commit.size() != 64 || origin.commit.find_first_not_of("0123456789abcdef") != std::string::npos)
            return fail(Code::InvalidInput,
                        std::format("'{}': '{}' is not a commit id (64 hex digits)", text, origin.commit));
    }
    if (origin.ref.empty()) return fail(Code::InvalidInput, std::format("'{}': {}", text, kExpected));
    return origin;
}

std::string local_id(std::int64_t now_ms) {
    return std::format("local-{}", now_ms);
}

std::string_view name(AppVerb verb) {
    switch (verb) {
        case AppVerb::Start:
            return "start";
        case AppVerb::Stop:
            return "stop";
        case AppVerb::Restart:
            return "restart";
    }
    std::unreachable();
}

}  // namespace davit
