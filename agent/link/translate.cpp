#include "agent/link/translate.h"

#include <algorithm>
#include <array>
#include <set>

namespace davit {
namespace {

constexpr std::size_t kCommitLength = 64;

bool is_commit_id(std::string_view text) {
    return text.size() == kCommitLength &&
           std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Error error(const ddi::Chunk& chunk, const std::string& what) {
    return {Code::InvalidInput, "software module '" + chunk.name + "' " + chunk.version + ": " + what};
}

/// FullMetalUpdate's publishers write 1/0, ours true/false.
Result<std::optional<bool>> boolean(const ddi::Chunk& chunk, std::string_view key) {
    const auto value = chunk.meta(key);
    if (!value) return std::nullopt;
    if (*value == "1" || *value == "true" || *value == "True" || *value == "yes") return true;
    if (*value == "0" || *value == "false" || *value == "False" || *value == "no") return false;
    return fail(error(chunk, "metadata '" + std::string(key) + "' is '" + *value + "', expected true or false"));
}

Result<std::optional<Milliseconds>> duration(const ddi::Chunk& chunk, std::string_view key) {
    const auto value = chunk.meta(key);
    if (!value) return std::nullopt;
    const auto parsed = parse_duration(*value);
    if (!parsed) return fail(error(chunk, "metadata '" + std::string(key) + "': " + parsed.error().message));
    return *parsed;
}

std::optional<std::string> first_of(const ddi::Chunk& chunk, std::initializer_list<std::string_view> keys) {
    for (const auto key : keys) {
        if (auto value = chunk.meta(key)) return value;
    }
    return std::nullopt;
}

Result<std::optional<LegacyOptions>> legacy_options(const ddi::Chunk& chunk) {
    const auto notify = TRY(boolean(chunk, "notify"));
    const auto autostart = TRY(boolean(chunk, "autostart"));
    const auto timeout = TRY(duration(chunk, "timeout"));
    if (!notify && !autostart && !timeout) return std::nullopt;
    return LegacyOptions{.notify = notify.value_or(false), .autostart = autostart.value_or(true), .timeout = timeout};
}

Result<bool> is_removal(const ddi::Chunk& chunk) {
    const auto remove = TRY(boolean(chunk, "remove"));
    if (remove) return *remove;
    return TRY(boolean(chunk, "autoremove")).value_or(false);
}

Result<Part> app_part(const ddi::Chunk& chunk) {
    if (const auto named = check_app_name(chunk.name); !named) return fail(error(chunk, named.error().message));
    Part part{.app = chunk.name, .version = chunk.version};
    part.remove = TRY(is_removal(chunk));
    part.ref = chunk.meta("ref").value_or(chunk.name);
    part.repository = chunk.meta("repo").value_or("");
    part.downgrade = TRY(boolean(chunk, "downgrade")).value_or(false);
    part.legacy = TRY(legacy_options(chunk));
    const auto commit = first_of(chunk, {"commit", "rev"});
    if (!commit && !part.remove)
        return fail(
            error(chunk, "has no metadata 'commit'; publish it with 'davit publish', or add it, visible to targets"));
    if (commit && !is_commit_id(*commit))
        return fail(error(chunk, "metadata 'commit' is '" + *commit + "', expected 64 lower-case hex digits"));
    part.commit = commit.value_or("");
    return part;
}

Result<Part> translate_chunk(const ddi::Chunk& chunk) {
    if (chunk.part == "bApp") return app_part(chunk);
    if (chunk.part == "os") {
        return fail(Code::Unsupported, "software module '" + chunk.name + "' " + chunk.version +
                                           ": OS updates are not supported by this version of Davit");
    }
    return fail(
        error(chunk, "its type arrives as part '" + chunk.part + "', expected 'bApp' (type application) or 'os'"));
}

When when(ddi::Mode mode) {
    switch (mode) {
        case ddi::Mode::Forced:
            return When::Now;
        case ddi::Mode::Attempt:
            return When::WhenAllowed;
        case ddi::Mode::Skip:
            break;
    }
    return When::NotYet;
}

bool is_download_only(const ddi::Deployment& offered) {
    return offered.update == ddi::Mode::Skip && offered.window_open.value_or(true);
}

}  // namespace

Terms terms_of(const ddi::Deployment& offered) {
    return {.download = when(offered.download), .update = is_download_only(offered) ? When::Now : when(offered.update)};
}

Result<Deployment> translate(const ddi::Deployment& offered) {
    if (offered.chunks.empty()) return fail(Code::InvalidInput, "the distribution set has no software module");
    Deployment deployment{
        .id = offered.id, .parts = {}, .download_only = is_download_only(offered), .terms = terms_of(offered)};
    std::set<std::string> seen;
    for (const auto& chunk : offered.chunks) {
        auto part = TRY(translate_chunk(chunk));
        if (!seen.insert(part.app).second) return fail(error(chunk, "the distribution set names this app twice"));
        deployment.parts.push_back(std::move(part));
    }
    // hawkBit hands chunks out in no fixed order; ours is by name, so that the same set is the same deployment.
    std::ranges::sort(deployment.parts, {}, &Part::app);
    return deployment;
}

}  // namespace davit
