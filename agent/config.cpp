#include "agent/config.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "common/json.h"

namespace davit {
namespace {

using Json = nlohmann::json;

Result<void> merge_file(Json& into, const Path& file) {
    const auto text = TRY(file::read(file));
    auto value = TRY(json::parse(text, file.string(), json::Comments::Allow));
    if (!value.is_object()) return fail(Code::InvalidInput, file.string() + ": expected an object");
    into.merge_patch(value);
    return {};
}

std::vector<Path> config_files(const Path& root) {
    std::vector<Path> files = {root / "usr/lib/davit/davitd.json", root / "etc/davit/davitd.json"};
    const auto directory = root / "etc/davit/davitd.d";
    for (const auto& entry : file::list(directory).value_or(std::vector<std::string>{})) {
        if (entry.ends_with(".json")) files.push_back(directory / entry);
    }
    std::erase_if(files, [](const Path& file) { return !file::exists(file); });
    return files;
}

void warn_of_unknown(std::vector<std::string>& warnings, const json::Reader& reader,
                     std::initializer_list<std::string_view> known) {
    for (const auto& member : reader.members()) {
        if (std::ranges::find(known, member) == known.end())
            warnings.push_back(reader.error_at(member, "unknown setting, ignored").message);
    }
}

Result<void> read_duration(const json::Reader& reader, std::string_view member, Milliseconds& into) {
    const auto text = TRY(reader.get_string(member));
    if (!text) return {};
    const auto duration = parse_duration(*text);
    if (!duration) return fail(reader.error_at(member, duration.error().message));
    if (*duration <= Milliseconds::zero()) return fail(reader.error_at(member, "must be more than zero"));
    into = *duration;
    return {};
}

Result<void> read_string(const json::Reader& reader, std::string_view member, std::string& into) {
    if (auto text = TRY(reader.get_string(member))) into = std::move(*text);
    return {};
}

Result<std::optional<Path>> read_path(const json::Reader& reader, std::string_view member) {
    const auto text = TRY(reader.get_string(member));
    if (!text) return std::nullopt;
    if (!text->starts_with('/')) return fail(reader.error_at(member, "must be an absolute path"));
    return Path(*text);
}

Result<void> check_url(const json::Reader& reader, std::string_view member, const std::string& url,
                       std::initializer_list<std::string_view> schemes) {
    if (url.empty() || std::ranges::any_of(
                           schemes, [&](auto scheme) { return url.starts_with(scheme) && url.size() > scheme.size(); }))
        return {};
    return fail(reader.error_at(member, "expected a URL that starts with http:// or https://"));
}

Result<void> read_hawkbit(const json::Reader& reader, Config& config) {
    warn_of_unknown(config.warnings, reader,
                    {"url", "tenant", "controller_id", "target_token_file", "gateway_token_file", "ca_file", "timeout",
                     "longest_retry"});
    auto& hawkbit = config.hawkbit;
    TRY(read_string(reader, "url", hawkbit.url));
    TRY(check_url(reader, "url", hawkbit.url, {"http://", "https://"}));
    TRY(read_string(reader, "tenant", hawkbit.tenant));
    TRY(read_string(reader, "controller_id", hawkbit.controller_id));
    hawkbit.target_token_file = TRY(read_path(reader, "target_token_file"));
    hawkbit.gateway_token_file = TRY(read_path(reader, "gateway_token_file"));
    if (hawkbit.target_token_file && hawkbit.gateway_token_file) {
        return fail(
            reader.error("has both target_token_file and gateway_token_file; keep the one that the server expects"));
    }
    if (!hawkbit.url.empty() && !hawkbit.target_token_file && !hawkbit.gateway_token_file) {
        return fail(reader.error("needs target_token_file or gateway_token_file beside url"));
    }
    if (const auto ca = TRY(read_path(reader, "ca_file"))) hawkbit.ca_file = ca->string();
    TRY(read_duration(reader, "timeout", hawkbit.timeout));
    return read_duration(reader, "longest_retry", hawkbit.longest_retry);
}

Result<void> read_repository(const json::Reader& reader, Config& config) {
    warn_of_unknown(config.warnings, reader, {"url", "ca_file"});
    TRY(read_string(reader, "url", config.repository.url));
    TRY(check_url(reader, "url", config.repository.url, {"http://", "https://", "file:///"}));
    if (const auto ca = TRY(read_path(reader, "ca_file"))) config.repository.ca_file = ca->string();
    return {};
}

Result<void> read_download(const json::Reader& reader, Config& config) {
    warn_of_unknown(config.warnings, reader,
                    {"stall_timeout", "first_retry", "longest_retry", "give_up_after", "reserve"});
    auto& download = config.download;
    TRY(read_duration(reader, "stall_timeout", download.stall_timeout));
    TRY(read_duration(reader, "first_retry", download.first_retry));
    TRY(read_duration(reader, "longest_retry", download.longest_retry));
    TRY(read_duration(reader, "give_up_after", download.give_up_after));
    if (const auto reserve = TRY(reader.get_integer("reserve"))) {
        if (*reserve < 0) return fail(reader.error_at("reserve", "must not be negative (bytes)"));
        download.reserve = static_cast<std::uint64_t>(*reserve);
    }
    return {};
}

constexpr auto kHoursForm = "expected \"now\", \"ask\", or hours of the day as \"22:00-05:00\"";

/// "22:00" as minutes since midnight; -1 if it is no time.
int read_time_of_day(std::string_view text) {
    constexpr int kNoDigit = 100;
    const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9' ? text[at] - '0' : kNoDigit; };
    if (text.size() != 5 || text[2] != ':') return -1;
    const int hour = digit(0) * 10 + digit(1), minute = digit(3) * 10 + digit(4);
    return hour > 23 || minute > 59 ? -1 : hour * 60 + minute;
}

Result<void> read_soft(const json::Reader& reader, std::string_view member, Config::Soft& into) {
    const auto text = TRY(reader.get_string(member)).value_or("now");
    into.ask = text == "ask";
    if (text == "now" || text == "ask") return {};
    const std::string_view words = text;
    const auto dash = std::min(words.find('-'), words.size());
    const Config::Hours hours{.from = read_time_of_day(words.substr(0, dash)),
                              .to = read_time_of_day(words.substr(std::min(dash + 1, words.size())))};
    if (hours.from < 0 || hours.to < 0 || hours.from == hours.to) return fail(reader.error_at(member, kHoursForm));
    into.hours = hours;
    return {};
}

Result<void> read_confirmation(const json::Reader& reader, Config& config) {
    const auto text = TRY(reader.get_string("confirmation")).value_or("ask");
    if (text != "ask" && text != "auto") return fail(reader.error_at("confirmation", "expected \"ask\" or \"auto\""));
    config.rules.confirm_by_itself = text == "auto";
    return {};
}

Result<void> read_soft_rules(const json::Reader& reader, Config& config) {
    warn_of_unknown(config.warnings, reader, {"download", "update"});
    TRY(read_soft(reader, "download", config.rules.soft_download));
    return read_soft(reader, "update", config.rules.soft_update);
}

Result<void> read_attributes(const json::Reader& reader, Config& config) {
    for (const auto& member : reader.members())
        config.attributes[member] = TRY(reader.need_string(member));
    return {};
}

std::string host_name() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
    return name.data();
}

Result<Config> read_config(const Json& value, const std::string& source) {
    Config config;
    const json::Reader reader(value, source);
    warn_of_unknown(
        config.warnings, reader,
        {"hawkbit", "repository", "download", "soft", "confirmation", "attributes", "runtime", "log_level"});
    if (const auto part = TRY(reader.get_object("hawkbit"))) TRY(read_hawkbit(*part, config));
    if (const auto part = TRY(reader.get_object("repository"))) TRY(read_repository(*part, config));
    if (const auto part = TRY(reader.get_object("download"))) TRY(read_download(*part, config));
    if (const auto part = TRY(reader.get_object("soft"))) TRY(read_soft_rules(*part, config));
    TRY(read_confirmation(reader, config));
    if (const auto part = TRY(reader.get_object("attributes"))) TRY(read_attributes(*part, config));
    TRY(read_string(reader, "runtime", config.runtime));
    TRY(read_string(reader, "log_level", config.log_level));
    constexpr std::array levels = {"error", "warning", "notice", "info", "debug"};
    if (std::ranges::find(levels, config.log_level) == levels.end()) {
        return fail(reader.error_at("log_level", "expected error, warning, notice, info or debug"));
    }
    if (config.hawkbit.controller_id.empty()) config.hawkbit.controller_id = host_name();
    return config;
}

}  // namespace

Result<Config> load_config(const Path& root) {
    const auto files = config_files(root);
    Json merged = Json::object();
    std::string source = "davitd.json";
    for (const auto& file : files) {
        TRY(merge_file(merged, file));
        source += (&file == &files.front() ? " (" : ", ") + file.string();  // a setting may come from any of them
    }
    if (!files.empty()) source += ")";
    return read_config(merged, source);
}

}  // namespace davit
