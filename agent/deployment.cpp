#include "agent/deployment.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/legacy_json.h"
#include "common/json.h"

namespace davit {
namespace {

nlohmann::json part_to_json(const Part& part) {
    return {
        {"app", part.app},
        {"version", part.version},
        {"commit", part.commit},
        {"ref", part.ref},
        {"repository", part.repository},
        {"remove", part.remove},
        {"downgrade", part.downgrade},
        {"legacy", legacy_to_json(part.legacy)},
    };
}

Result<Part> part_from_json(const json::Reader& reader) {
    Part part;
    part.app = TRY(reader.need_string("app"));
    part.version = TRY(reader.need_string("version"));
    part.commit = TRY(reader.need_string("commit"));
    part.ref = TRY(reader.need_string("ref"));
    part.repository = TRY(reader.need_string("repository"));
    part.remove = TRY(reader.get_boolean("remove")).value_or(false);
    part.downgrade = TRY(reader.get_boolean("downgrade")).value_or(false);
    part.legacy = TRY(legacy_from_json(reader));
    return part;
}

constexpr std::array kWhen = {std::pair{When::Now, "now"}, std::pair{When::WhenAllowed, "when-allowed"},
                              std::pair{When::NotYet, "not-yet"}};

std::string name(When when) {
    return std::ranges::find(kWhen, when, &decltype(kWhen)::value_type::first)->second;
}

/// Absent in what an older davitd wrote, which knew of no other terms.
Result<When> when_from_json(const json::Reader& reader, std::string_view member) {
    const auto text = TRY(reader.get_string(member)).value_or("now");
    for (const auto& [when, known] : kWhen)
        if (text == known) return when;
    return fail(reader.error_at(member, "unknown: '" + text + "'"));
}

}  // namespace

bool is_same_work(const Deployment& one, const Deployment& other) {
    return one.id == other.id && one.parts == other.parts && one.download_only == other.download_only;
}

std::string to_json(const Deployment& deployment) {
    auto parts = nlohmann::json::array();
    for (const auto& part : deployment.parts)
        parts.push_back(part_to_json(part));
    const nlohmann::json out = {{"id", deployment.id},
                                {"parts", std::move(parts)},
                                {"download_only", deployment.download_only},
                                {"local", deployment.local},
                                {"confirm", deployment.confirm},
                                {"download", name(deployment.terms.download)},
                                {"update", name(deployment.terms.update)}};
    // `replace`: text that is not UTF-8 must not become an exception.
    return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<Deployment> deployment_from_json(std::string_view text) {
    const auto value = TRY(json::parse(text, "deployment"));
    const json::Reader reader(value, "deployment");
    Deployment deployment;
    deployment.id = TRY(reader.need_string("id"));
    deployment.download_only = TRY(reader.get_boolean("download_only")).value_or(false);
    deployment.local = TRY(reader.get_boolean("local")).value_or(false);
    deployment.confirm = TRY(reader.get_boolean("confirm")).value_or(false);
    deployment.terms.download = TRY(when_from_json(reader, "download"));
    deployment.terms.update = TRY(when_from_json(reader, "update"));
    for (const auto& entry : TRY(reader.get_array("parts"))) {
        auto part = TRY(part_from_json(entry));
        deployment.parts.push_back(std::move(part));
    }
    return deployment;
}

std::string cause(Code code) {
    std::string out;
    for (const char c : name(code)) {
        const bool is_upper = c >= 'A' && c <= 'Z';
        if (is_upper && !out.empty()) out += '-';
        out += is_upper ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return out;
}

}  // namespace davit
