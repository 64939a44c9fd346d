#include "agent/generations.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <format>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "agent/legacy_json.h"
#include "common/json.h"
#include "common/log.h"

namespace davit {
namespace {

constexpr std::array<std::string_view, 4> kRoles = {"current", "previous", "held", "factory"};
constexpr std::string_view kTemporary = ".tmp-";
constexpr std::string_view kFile = "generation.json";
constexpr std::string_view kCopy = "generation.copy.json";

std::optional<Generations::Number> to_number(std::string_view text) {
    Generations::Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string to_json(const Generation& generation) {
    auto apps = nlohmann::json::array();
    for (const auto& app : generation.apps) {
        apps.push_back({{"name", app.name},
                        {"version", app.version},
                        {"commit", app.commit},
                        {"ref", app.ref},
                        {"legacy", legacy_to_json(app.legacy)}});
    }
    const nlohmann::json out = {{"os", generation.os}, {"apps", std::move(apps)}};
    return out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<Generation> from_json(std::string_view text, std::string source) {
    const auto value = TRY(json::parse(text, source));
    const json::Reader reader(value, std::move(source));
    Generation generation;
    generation.os = TRY(reader.need_string("os"));
    for (const auto& entry : TRY(reader.get_array("apps"))) {
        auto& app = generation.apps.emplace_back();
        app.name = TRY(entry.need_string("name"));
        app.version = TRY(entry.need_string("version"));
        app.commit = TRY(entry.need_string("commit"));
        app.ref = TRY(entry.need_string("ref"));
        app.legacy = TRY(legacy_from_json(entry));
    }
    return generation;
}

}  // namespace

const AppVersion* Generation::find(std::string_view app) const {
    const auto found = std::ranges::find(apps, app, &AppVersion::name);
    return found == apps.end() ? nullptr : &*found;
}

Result<Generations> Generations::open(const Path& state) {
    TRY(file::make_directories(state, 0700));
    TRY(file::make_directories(state / "generations"));
    TRY(file::make_directories(state / "checkouts"));
    return Generations(state);
}

Path Generations::directory(Number n) const {
    return state_ / "generations" / std::to_string(n);
}

Result<std::optional<Generations::Number>> Generations::role(std::string_view name) const {
    const auto target = TRY(file::read_link(state_ / name));
    if (!target) return std::nullopt;
    const auto number = to_number(target->filename().native());
    if (!number || *target != Path("generations") / target->filename()) {
        return fail(Code::Corrupt, std::format("'{}' points to '{}', which is no generation", (state_ / name).native(),
                                               target->native()));
    }
    return number;
}

Result<std::optional<Generation>> Generations::load_role(std::string_view name) const {
    const auto number = TRY(role(name));
    if (!number) return std::nullopt;
    return TRY(load(*number));
}

Result<std::optional<Generation>> Generations::current() const {
    return load_role("current");
}
Result<std::optional<Generation>> Generations::previous() const {
    return load_role("previous");
}

Result<std::vector<Generations::Named>> Generations::named() const {
    std::map<Number, std::vector<std::string>> roles;
    for (const auto name : kRoles) {
        if (const auto number = TRY(role(name))) roles[*number].emplace_back(name);
    }
    std::vector<Named> out;
    for (auto& [number, names] : roles)
        out.push_back({.generation = TRY(load(number)), .roles = std::move(names)});
    return out;
}

Result<Generation> Generations::load(Number n) const {
    auto generation = read(n, kFile);
    if (generation) return generation;
    auto copy = read(n, kCopy);
    return copy ? copy : generation;
}

Result<Generation> Generations::read(Number n, std::string_view name) const {
    const Path path = directory(n) / name;
    const auto damaged = [&](const Error& error) {
        return Error{Code::Corrupt, std::format("generation {} is damaged: {}", n, error.message)};
    };
    const auto text = TRY(file::read(path).transform_error(damaged));
    auto generation = TRY(from_json(text, path.native()).transform_error(damaged));
    generation.number = n;
    return generation;
}

Result<void> Generations::mend(Number n) const {
    const auto generation = TRY(load(n));
    for (const auto name : {kFile, kCopy}) {
        const auto found = read(n, name);
        if (found) continue;
        // A generation of an older Davit has no copy yet: nothing to tell anybody.
        if (file::exists(directory(n) / name)) log::warning("{}; it is written anew", found.error().message);
        TRY(file::write_durably(directory(n) / name, to_json(generation)));
    }
    return {};
}

Result<std::vector<Generations::Number>> Generations::numbers() const {
    std::vector<Number> out;
    for (const auto& name : TRY(file::list(state_ / "generations"))) {
        if (const auto number = to_number(name)) out.push_back(*number);
    }
    return out;
}

Result<Generations::Number> Generations::next_number() {
    const Path last = state_ / "generations" / "last";
    Number highest = 0;
    if (file::exists(last)) {
        const auto text = TRY(file::read(last));
        highest = to_number(text).value_or(0);
    }
    for (const auto number : TRY(numbers()))
        highest = std::max(highest, number);
    TRY(file::write_durably(last, std::to_string(highest + 1)));
    return highest + 1;
}

Result<Generations::Number> Generations::prepare(std::vector<AppVersion> apps) {
    std::ranges::sort(apps, {}, &AppVersion::name);
    for (const auto& app : apps) {
        if (!file::exists(state_ / "checkouts" / app.name / app.commit)) {
            return fail(Code::NotFound,
                        std::format("app '{}' {} is not checked out (commit {})", app.name, app.version, app.commit));
        }
    }
    const Number number = TRY(next_number());
    const Path temporary = state_ / "generations" / std::format("{}{}", kTemporary, number);
    TRY(file::remove_tree(temporary));
    TRY(write(temporary, Generation{.number = number, .apps = std::move(apps)}));
    // Not fsync of each: a long link keeps its target in a block of its own, which no fsync can name.
    TRY(file::sync_filesystem(temporary));
    TRY(file::rename(temporary, directory(number)));  // from here on the name means: complete
    TRY(file::sync_directory(state_ / "generations"));
    return number;
}

Result<void> Generations::write(const Path& directory, const Generation& generation) const {
    const Path links = directory / "apps";
    TRY(file::make_directories(links));
    for (const auto& app : generation.apps) {
        TRY(file::symlink(Path("../../../checkouts") / app.name / app.commit, links / app.name));
    }
    TRY(file::write_atomically(directory / kCopy, to_json(generation)));
    return file::write_atomically(directory / kFile, to_json(generation));
}

Result<void> Generations::set_role(std::string_view name, Number n) {
    if (TRY(role(name)) == n) return {};
    const Path link = state_ / name;
    const Path next = state_ / std::format("{}.new", name);
    TRY(file::remove_if_there(next));  // left by a crash between the next two lines
    TRY(file::symlink(Path("generations") / std::to_string(n), next));
    TRY(file::rename(next, link));        // the switch: readers see the old or the new set
    return file::sync_directory(state_);  // ... and so does the next boot
}

Result<void> Generations::switch_to(Number n) {
    TRY(load(n));  // never point to what is not there
    return set_role("current", n);
}

Result<void> Generations::remember_previous(Number n) {
    if (TRY(role("current")) == n) return {};
    return set_role("previous", n);
}

Result<void> Generations::hold(Number n) {
    return set_role("held", n);
}

Result<void> Generations::release_held() {
    if (!TRY(role("held"))) return {};
    TRY(file::remove_if_there(state_ / "held"));
    return file::sync_directory(state_);
}

Result<std::vector<AppVersion>> Generations::apps_in_use() const {
    std::vector<AppVersion> out;
    for (const auto name : kRoles) {
        const auto generation = TRY(load_role(name));
        if (!generation) continue;
        for (const auto& app : generation->apps) {
            if (!std::ranges::contains(out, app)) out.push_back(app);
        }
    }
    return out;
}

Result<void> Generations::collect_garbage() {
    std::set<Number> named;
    for (const auto name : kRoles) {
        if (const auto number = TRY(role(name))) named.insert(*number);
    }
    for (const auto number : named)
        TRY(mend(number));
    TRY(remove_temporary_names());
    for (const auto number : TRY(numbers())) {
        if (!named.contains(number)) TRY(file::remove_tree(directory(number)));
    }
    return remove_unused_checkouts();
}

Result<void> Generations::remove_temporary_names() const {
    for (const auto name : kRoles)
        TRY(file::remove_if_there(state_ / std::format("{}.new", name)));
    for (const auto& name : TRY(file::list(state_ / "generations"))) {
        if (name.starts_with(kTemporary)) TRY(file::remove_tree(state_ / "generations" / name));
    }
    return {};
}

Result<void> Generations::remove_unused_checkouts() const {
    const auto in_use = TRY(apps_in_use());
    const Path checkouts = state_ / "checkouts";
    for (const auto& app : TRY(file::list(checkouts))) {
        bool empty = true;
        for (const auto& commit : TRY(file::list(checkouts / app))) {
            const auto uses = [&](const AppVersion& used) { return used.name == app && used.commit == commit; };
            if (std::ranges::any_of(in_use, uses)) {
                empty = false;
            } else {
                TRY(file::remove_tree(checkouts / app / commit));
            }
        }
        if (empty) TRY(file::remove_tree(checkouts / app));
    }
    return {};
}

}  // namespace davit
