#include "hawkbit/ddi/answers.h"

#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>

#include "common/json.h"

namespace davit::ddi {
namespace {

constexpr std::string_view kController = "/controller/v1/";

/// The URL of link @p name in @p links below our own base, or nullopt when the server sent none.
Result<std::optional<std::string>> link_url(const json::Reader& links, std::string_view name,
                                            const ServerAddress& address) {
    if (!links.has(name)) return std::nullopt;
    const auto link = TRY(links.need_object(name));
    const auto href = TRY(link.need_string("href"));
    auto url = own_link(address, href, name);
    if (!url) return fail(link.error_at("href", url.error().message));
    return std::move(*url);
}

/// What cannot be read must not stop the polling: the default is used then.
Milliseconds read_sleep(const json::Reader& poll, Milliseconds otherwise) {
    const auto config = poll.get_object("config");
    if (!config || !*config) return otherwise;
    const auto polling = (*config)->get_object("polling");
    if (!polling || !*polling) return otherwise;
    const auto text = (*polling)->get_string("sleep");
    if (!text || !*text) return otherwise;
    return parse_polling_time(**text).value_or(otherwise);
}

/// Every wish that is not known yet is a soft one.
Result<Mode> read_mode(const json::Reader& deployment, std::string_view member, std::vector<std::string>& unknown) {
    const auto text = TRY(deployment.need_string(member));
    if (text == "forced") return Mode::Forced;
    if (text == "skip") return Mode::Skip;
    if (text != "attempt") unknown.push_back(std::format("{} '{}'", member, text));
    return Mode::Attempt;
}

Result<std::optional<bool>> read_window(const json::Reader& deployment) {
    const auto text = TRY(deployment.get_string("maintenanceWindow"));
    if (!text) return std::nullopt;
    return *text == "available";
}

Result<Metadata> read_metadata(const json::Reader& entry) {
    return Metadata{.key = TRY(entry.need_string("key")), .value = TRY(entry.get_string("value")).value_or("")};
}

Result<std::string> artifact_url(const json::Reader& artifact) {
    const auto links = TRY(artifact.get_object("_links"));
    if (!links) return std::string{};
    for (const auto* name : {"download", "download-http"}) {
        const auto link = TRY(links->get_object(name));
        if (!link) continue;
        auto href = TRY(link->need_string("href"));
        return href;
    }
    return std::string{};
}

Result<Artifact> read_artifact(const json::Reader& entry) {
    Artifact artifact;
    artifact.filename = TRY(entry.need_string("filename"));
    const auto size = TRY(entry.get_integer("size")).value_or(0);
    if (size < 0) return fail(entry.error_at("size", "expected a size in bytes, got a negative number"));
    artifact.size = static_cast<std::uint64_t>(size);
    if (const auto hashes = TRY(entry.get_object("hashes"))) {
        artifact.sha256 = TRY(hashes->get_string("sha256")).value_or("");
    }
    artifact.url = TRY(artifact_url(entry));
    return artifact;
}

Result<Chunk> read_chunk(const json::Reader& entry) {
    Chunk chunk;
    chunk.part = TRY(entry.need_string("part"));
    chunk.name = TRY(entry.need_string("name"));
    chunk.version = TRY(entry.need_string("version"));
    for (const auto& metadata : TRY(entry.get_array("metadata")))
        chunk.metadata.push_back(TRY(read_metadata(metadata)));
    for (const auto& artifact : TRY(entry.get_array("artifacts")))
        chunk.artifacts.push_back(TRY(read_artifact(artifact)));
    return chunk;
}

std::string_view without_slash(std::string_view url) {
    while (url.ends_with('/'))
        url.remove_suffix(1);
    return url;
}

}  // namespace

std::string action_id(std::string_view url) {
    const auto path = url.substr(0, url.find('?'));
    return std::string(path.substr(path.rfind('/') + 1));
}

std::string base_url(const ServerAddress& address) {
    return std::format("{}/{}{}{}", without_slash(address.url), http::percent_encode(address.tenant), kController,
                       http::percent_encode(address.controller_id));
}

Result<std::string> own_link(const ServerAddress& address, std::string_view href, std::string_view resource) {
    const auto refuse = [&](std::string_view why) {
        return fail(Code::InvalidInput,
                    std::format("expected a link to {} of this device, got '{}' ({})", resource, href, why));
    };
    const auto api = href.find(kController);
    if (api == std::string_view::npos) return refuse("it has no /controller/v1/");
    const auto device = href.substr(api + kController.size());
    const auto tail = device.substr(std::min(device.find('/'), device.size()));  // "/deploymentBase/5?c=1"
    if (!tail.starts_with(std::format("/{}/", resource))) return refuse("it leads elsewhere");
    return base_url(address) + std::string(tail);
}

Result<Poll> read_poll(std::string_view body, const std::string& source, const ServerAddress& address) {
    const auto document = TRY(json::parse(body, source));
    const json::Reader reader(document, source);
    TRY(reader.expect_object());

    Poll poll;
    poll.sleep = read_sleep(reader, poll.sleep);
    const auto links = TRY(reader.get_object("_links"));  // really absent when there is nothing to do
    if (!links) return poll;
    poll.deployment = TRY(link_url(*links, "deploymentBase", address));
    poll.confirmation = TRY(link_url(*links, "confirmationBase", address));
    poll.cancel = TRY(link_url(*links, "cancelAction", address));
    poll.wants_attributes = links->has("configData");
    return poll;
}

Result<Deployment> read_deployment(std::string_view body, const std::string& source, std::string_view member) {
    const auto document = TRY(json::parse(body, source));
    const json::Reader reader(document, source);

    Deployment deployment;
    deployment.id = TRY(reader.need_string("id"));
    const auto inner = TRY(reader.need_object(member));
    deployment.download = TRY(read_mode(inner, "download", deployment.unknown));
    deployment.update = TRY(read_mode(inner, "update", deployment.unknown));
    deployment.window_open = TRY(read_window(inner));
    for (const auto& chunk : TRY(inner.get_array("chunks")))
        deployment.chunks.push_back(TRY(read_chunk(chunk)));
    return deployment;
}

Result<std::string> read_cancel(std::string_view body, const std::string& source) {
    const auto document = TRY(json::parse(body, source));
    const json::Reader reader(document, source);
    const auto cancel = TRY(reader.need_object("cancelAction"));
    auto id = TRY(cancel.need_string("stopId"));
    return id;
}

std::optional<std::string> Chunk::meta(std::string_view key) const {
    for (const auto& entry : metadata) {
        if (entry.key == key) return entry.value;
    }
    return std::nullopt;
}

}  // namespace davit::ddi
