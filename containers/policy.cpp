#include "containers/policy.h"

#include <format>

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "containers/detail/rules.h"

namespace davit {
namespace {

/// The list @p member, each element checked; @p into stays as it is when the list is absent.
template <typename Normalise>
Result<void> read_list(const json::Reader& root, std::string_view member, Normalise normalise,
                       std::set<std::string>& into) {
    if (!root.has(member)) return {};
    std::set<std::string> values;
    for (const auto& place : TRY(root.get_array(member))) {
        const auto text = TRY(place.as_string());
        values.insert(TRY(normalise(place, text)));
    }
    into = std::move(values);
    return {};
}

Result<std::string> capability(const json::Reader& place, const std::string& text) {
    auto name = rules::capability(text);
    if (!name) return fail(place.error(std::format("Linux has no capability {}", rules::quoted(text))));
    return *std::move(name);
}

Result<std::string> device(const json::Reader& place, const std::string& text) {
    if (const auto objection = rules::device_node(text)) return fail(place.error(*objection));
    return text;
}

Result<std::string> directory(const json::Reader& place, const std::string& text) {
    if (const auto objection = rules::absolute_path(text)) return fail(place.error(*objection));
    return text;
}

}  // namespace

Result<Policy> load_policy(const Path& file) {
    Policy policy;
    const auto text = file::read(file);
    if (!text) {
        if (text.error().code == Code::NotFound) return policy;
        return fail(text.error());
    }
    const auto document = TRY(json::parse(*text, file.string(), json::Comments::Allow));
    const json::Reader root(document, file.string());
    TRY(root.expect_object());
    TRY(root.refuse_unknown({"capabilities", "devices", "bind_sources", "host_network"}));
    TRY(read_list(root, "capabilities", capability, policy.capabilities));
    TRY(read_list(root, "devices", device, policy.devices));
    TRY(read_list(root, "bind_sources", directory, policy.bind_sources));
    policy.host_network = TRY(root.get_boolean("host_network")).value_or(true);
    return policy;
}

}  // namespace davit
