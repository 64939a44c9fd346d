#include "containers/manifest.h"

#include <algorithm>
#include <charconv>
#include <format>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "containers/detail/rules.h"

namespace davit {
namespace {

using json::Reader;
using Rule = rules::Objection (*)(std::string_view);

constexpr Milliseconds kLongest = std::chrono::hours(24);

Result<void> check(const Reader& place, std::string_view text, Rule rule) {
    if (const auto objection = rule(text)) return fail(place.error(*objection));
    return {};
}

Result<std::optional<std::string>> get_checked(const Reader& from, std::string_view member, Rule rule) {
    auto text = TRY(from.get_string(member));
    if (!text) return std::nullopt;
    if (const auto objection = rule(*text)) return fail(from.error_at(member, *objection));
    return text;
}

Result<std::string> need_checked(const Reader& from, std::string_view member, Rule rule) {
    auto text = TRY(from.need_string(member));
    if (const auto objection = rule(text)) return fail(from.error_at(member, *objection));
    return text;
}

Result<std::vector<std::string>> get_checked_list(const Reader& from, std::string_view member, Rule rule) {
    std::vector<std::string> out;
    for (const auto& element : TRY(from.get_array(member))) {
        auto text = TRY(element.as_string());
        TRY(check(element, text, rule));
        out.push_back(std::move(text));
    }
    return out;
}

/// @param least 0 where "none at all" makes sense
Result<void> read_duration(const Reader& from, std::string_view member, Milliseconds least, Milliseconds& into) {
    const auto text = TRY(from.get_string(member));
    if (!text) return {};
    const auto duration = parse_duration(*text);
    if (!duration) return fail(from.error_at(member, duration.error().message));
    if (*duration < least || *duration > kLongest) {
        return fail(from.error_at(member, std::format("{} is not between {} and 24h", *text, to_string(least))));
    }
    into = *duration;
    return {};
}

/// One of a few words; @p into stays as it is when the member is absent.
template <typename T>
Result<void> read_choice(const Reader& from, std::string_view member,
                         std::initializer_list<std::pair<std::string_view, T>> choices, T& into) {
    const auto text = TRY(from.get_string(member));
    if (!text) return {};
    std::string expected;
    for (const auto& [word, value] : choices) {
        if (word == *text) {
            into = value;
            return {};
        }
        expected += std::format("{}\"{}\"", expected.empty() ? "" : " or ", word);
    }
    return fail(from.error_at(member, std::format("expected {}, got {}", expected, rules::quoted(*text))));
}

Result<void> read_start(const Reader& root, Manifest& manifest) {
    const auto start = TRY(root.get_object("start"));
    if (!start) return {};
    TRY(start->refuse_unknown({"type", "timeout"}));
    TRY(read_choice(*start, "type",
                    {{"notify", StartType::Notify}, {"running", StartType::Running}, {"oneshot", StartType::Oneshot}},
                    manifest.start));
    return read_duration(*start, "timeout", Milliseconds(100), manifest.start_timeout);
}

Result<void> read_health(const Reader& root, HealthCheck& health) {
    const auto place = TRY(root.get_object("health"));
    if (!place) return {};
    TRY(place->refuse_unknown(
        {"http", "tcp", "exec", "start_delay", "every", "timeout", "failures", "stays_up", "watchdog"}));
    health.http = TRY(get_checked(*place, "http", rules::http_url));
    health.tcp = TRY(get_checked(*place, "tcp", rules::host_and_port));
    health.exec = TRY(get_checked_list(*place, "exec", rules::argument));
    if (place->has("exec") && (health.exec.empty() || health.exec[0].empty())) {
        return fail(place->error_at("exec", "names no program"));
    }
    if (int{health.http.has_value()} + int{health.tcp.has_value()} + int{!health.exec.empty()} > 1) {
        return fail(place->error("has more than one of 'http', 'tcp' and 'exec'"));
    }
    TRY(read_duration(*place, "start_delay", Milliseconds(0), health.start_delay));
    TRY(read_duration(*place, "every", Milliseconds(100), health.every));
    TRY(read_duration(*place, "timeout", Milliseconds(100), health.timeout));
    TRY(read_duration(*place, "stays_up", Milliseconds(0), health.stays_up));
    if (place->has("watchdog")) {
        health.watchdog.emplace();
        TRY(read_duration(*place, "watchdog", Milliseconds(500), *health.watchdog));
    }
    const auto failures = TRY(place->get_integer("failures", {.least = 1, .most = 1000}));
    health.failures = static_cast<int>(failures.value_or(health.failures));
    return {};
}

Result<std::vector<std::string>> read_relation(const Reader& root, std::string_view member, std::string_view own_name) {
    auto names = TRY(get_checked_list(root, member, rules::app_name));
    if (std::ranges::contains(names, own_name)) return fail(root.error_at(member, "names the app itself"));
    return names;
}

Result<void> read_resources(const Reader& root, Resources& resources) {
    const auto place = TRY(root.get_object("resources"));
    if (!place) return {};
    TRY(place->refuse_unknown({"memory", "cpu", "tasks"}));
    resources.memory = TRY(get_checked(*place, "memory", rules::memory));
    resources.cpu = TRY(get_checked(*place, "cpu", rules::cpu));
    resources.tasks = TRY(place->get_integer("tasks", {.least = 1}));
    return {};
}

Result<std::vector<Volume>> read_volumes(const Reader& root) {
    std::vector<Volume> volumes;
    for (const auto& place : TRY(root.get_array("volumes"))) {
        TRY(place.expect_object());
        TRY(place.refuse_unknown({"name", "path"}));
        auto name = TRY(need_checked(place, "name", rules::app_name));
        auto path = TRY(need_checked(place, "path", rules::mount_point));
        for (const auto& other : volumes) {
            if (other.name == name)
                return fail(place.error_at("name", std::format("{} is used twice", rules::quoted(name))));
            if (other.path == path)
                return fail(place.error_at("path", std::format("{} is used twice", rules::quoted(path))));
        }
        volumes.push_back({std::move(name), std::move(path)});
    }
    return volumes;
}

Result<std::vector<std::string>> read_capabilities(const Reader& root) {
    std::set<std::string> names;
    for (const auto& place : TRY(root.get_array("capabilities"))) {
        const auto text = TRY(place.as_string());
        auto name = rules::capability(text);
        if (!name) return fail(place.error(std::format("Linux has no capability {}", rules::quoted(text))));
        names.insert(std::move(*name));
    }
    return std::vector(names.begin(), names.end());
}

Result<void> read_user(const Reader& place, ProcessSpec& process) {
    const auto text = TRY(place.get_string("user"));
    if (!text) return {};
    const auto* const end = text->data() + text->size();
    const auto uid = std::from_chars(text->data(), end, process.uid);
    const bool colon = uid.ec == std::errc{} && uid.ptr != end && *uid.ptr == ':';
    const auto gid = colon ? std::from_chars(uid.ptr + 1, end, process.gid)
                           : std::from_chars_result{end, std::errc::invalid_argument};
    // 4294967295 is (uid_t)-1, which chown and setuid read as "leave it as it is".
    constexpr auto kNobody = std::uint32_t{0xffff'ffff};
    if (gid.ec != std::errc{} || gid.ptr != end || process.uid == kNobody || process.gid == kNobody) {
        return fail(place.error_at("user", std::format("expected \"uid:gid\" as numbers, such as \"1000:1000\", got {}",
                                                       rules::quoted(*text))));
    }
    return {};
}

Result<std::map<std::string, std::string>> read_env(const Reader& process) {
    std::map<std::string, std::string> env;
    const auto place = TRY(process.get_object("env"));
    if (!place) return env;
    for (const auto& name : place->members()) {
        if (const auto objection = rules::env_name(name)) return fail(place->error(*objection));
        env[name] = TRY(need_checked(*place, name, rules::argument));
    }
    return env;
}

Result<std::optional<ProcessSpec>> read_process(const Reader& root) {
    const auto place = TRY(root.get_object("process"));
    if (!place) return std::nullopt;
    TRY(place->refuse_unknown({"args", "env", "user", "cwd"}));
    ProcessSpec process;
    process.args = TRY(get_checked_list(*place, "args", rules::argument));
    if (process.args.empty() || process.args[0].empty()) return fail(place->error_at("args", "names no program"));
    process.env = TRY(read_env(*place));
    TRY(read_user(*place, process));
    if (auto cwd = TRY(get_checked(*place, "cwd", rules::absolute_path))) process.cwd = std::move(*cwd);
    return process;
}

Result<void> read_identity(const Reader& root, Manifest& manifest) {
    if (const auto schema = TRY(root.need_integer("schema")); schema != 1) {
        return fail(Code::Unsupported,
                    root.error_at("schema", std::format("this Davit reads schema 1, not {}", schema)).message);
    }
    manifest.name = TRY(need_checked(root, "name", rules::app_name));
    manifest.version = TRY(need_checked(root, "version", rules::version));
    manifest.sequence = TRY(root.get_integer("sequence", {.least = 0})).value_or(0);
    return {};
}

}  // namespace

std::string_view name(StartType start) {
    switch (start) {
        case StartType::Notify:
            return "notify";
        case StartType::Running:
            return "running";
        case StartType::Oneshot:
            return "oneshot";
    }
    std::unreachable();
}

std::optional<StartType> start_type_named(std::string_view text) {
    for (const auto start : {StartType::Notify, StartType::Running, StartType::Oneshot})
        if (name(start) == text) return start;
    return std::nullopt;
}

Result<Manifest> parse_manifest(std::string_view text) {
    const auto document = TRY(json::parse(text, "davit.json", json::Comments::Allow));
    const Reader root(document, "davit.json");
    TRY(root.expect_object());

    Manifest manifest;
    TRY(read_identity(root, manifest));
    TRY(root.refuse_unknown({"schema", "name", "version", "sequence", "start", "health", "restart", "autostart",
                             "stop_timeout", "after", "wants", "requires", "resources", "volumes", "network", "devices",
                             "capabilities", "process"}));
    TRY(read_start(root, manifest));
    TRY(read_health(root, manifest.health));
    if (manifest.health.watchdog && manifest.start != StartType::Notify) {
        return fail(root.error_at("health.watchdog", "needs start.type \"notify\": only such an app talks to systemd"));
    }
    TRY(read_choice(root, "restart",
                    {{"on-failure", Restart::OnFailure}, {"always", Restart::Always}, {"never", Restart::Never}},
                    manifest.restart));
    if (manifest.start == StartType::Oneshot && manifest.restart == Restart::Always) {
        return fail(root.error_at("restart", "\"always\" does not go with start.type \"oneshot\""));
    }
    manifest.autostart = TRY(root.get_boolean("autostart")).value_or(true);
    TRY(read_duration(root, "stop_timeout", Milliseconds(100), manifest.stop_timeout));
    manifest.after = TRY(read_relation(root, "after", manifest.name));
    manifest.wants = TRY(read_relation(root, "wants", manifest.name));
    manifest.requires_ = TRY(read_relation(root, "requires", manifest.name));
    TRY(read_resources(root, manifest.resources));
    manifest.volumes = TRY(read_volumes(root));
    TRY(read_choice(root, "network", {{"host", true}, {"none", false}}, manifest.host_network));
    manifest.devices = TRY(get_checked_list(root, "devices", rules::device_node));
    manifest.capabilities = TRY(read_capabilities(root));
    manifest.process = TRY(read_process(root));
    return manifest;
}

Manifest legacy_manifest(std::string_view name, std::string_view version, const LegacyOptions& options) {
    Manifest manifest;
    manifest.name = name;
    manifest.version = version;
    manifest.start = options.notify ? StartType::Notify : StartType::Running;
    manifest.autostart = options.autostart;
    manifest.start_timeout = options.timeout.value_or(manifest.start_timeout);
    return manifest;
}

Result<void> check_app_name(std::string_view name) {
    if (const auto objection = rules::app_name(name)) return fail(Code::InvalidInput, *objection);
    return {};
}

}  // namespace davit
