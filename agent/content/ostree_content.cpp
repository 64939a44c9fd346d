#include "agent/content/ostree_content.h"

#include <format>

#include <nlohmann/json.hpp>

#include "agent/http/http_process.h"

namespace davit {
namespace {

ostree::Worker::Options worker_options(const Config& config, const DevicePaths& paths, Path program, const Path& root) {
    return {.program = std::move(program),
            .repository = paths.state / "repo",
            .key_directories = {root / "usr/lib/davit/keys.d", root / "etc/davit/keys.d"},
            .stall = config.download.stall_timeout,
            .min_free_bytes = config.download.reserve};
}

std::string context(const Part& part) {
    return "app '" + part.app + "' " + part.version;
}

}  // namespace

OstreeContent::OstreeContent(Config config, DevicePaths paths, Path ostree_program, Path root)
    : config_(std::move(config)),
      paths_(std::move(paths)),
      root_(std::move(root)),
      http_program_(ostree_program.parent_path() / "davit-http"),
      worker_(worker_options(config_, paths_, std::move(ostree_program), root_)) {}

Result<ostree::Source> OstreeContent::source(const Part& part) const {
    const auto& url = part.repository.empty() ? config_.repository.url : part.repository;
    if (url.empty()) {
        return fail(
            Code::InvalidInput,
            context(part) +
                ": neither the deployment (metadata 'repo') nor davitd.json (repository.url) says where to fetch it");
    }
    return ostree::Source{
        .url = url, .ref = part.ref, .commit = part.commit, .ca_file = config_.repository.ca_file, .http_headers = {}};
}

/// libostree says of a certificate only that it was not OK; our own client says why, above all that the date is wrong.
Error OstreeContent::explained(const Error& error, const Part& part, const ostree::Source& from) const {
    const bool is_certificate = error.code == Code::Network && error.message.contains("SSL peer certificate");
    if (!is_certificate) return error.in(context(part));
    http::HttpProcess http(http_program_, {.ca_file = from.ca_file});
    const auto answer = http.send({.url = from.url + "/config"});
    return (answer ? error : answer.error()).in(context(part));
}

Result<Part> OstreeContent::look(const Origin& origin, std::stop_token stop) {
    const auto found = TRY(worker_.look({.url = origin.url,
                                         .ref = origin.ref,
                                         .commit = origin.commit,
                                         .ca_file = config_.repository.ca_file,
                                         .http_headers = {}},
                                        std::move(stop)));
    TRY(check_app_name(found.app).transform_error(in(origin.url)));
    if (found.version.empty())
        return fail(Code::InvalidInput,
                    std::format("commit {} of app '{}' says no version: make it with 'davit app commit'", found.commit,
                                found.app));
    return Part{
        .app = found.app, .version = found.version, .commit = found.commit, .ref = found.ref, .repository = origin.url};
}

Result<Content::Cost> OstreeContent::inspect(const Part& part, std::stop_token stop) {
    const auto from = TRY(source(part));
    const auto explain = [&](const Error& error) { return explained(error, part, from); };
    const auto found = TRY(worker_.inspect(from, part.app, stop).transform_error(explain));
    return Cost{.complete = found.complete,
                .known = found.sizes_known,
                .missing_bytes = found.missing_bytes,
                .missing_wire = found.missing_wire};
}

Result<void> OstreeContent::pull(const Part& part, std::stop_token stop, const OnProgress& progress) {
    const auto from = TRY(source(part));
    return worker_.pull(from, part.app, stop, [&](const ostree::WorkerProgress& now) { progress(now.bytes); })
        .transform_error([&](const Error& error) { return explained(error, part, from); });
}

Result<void> OstreeContent::checkout(const Part& part, std::stop_token stop) {
    const auto destination = paths_.checkout(part.app, part.commit);
    TRY(file::make_directories(destination.parent_path()));
    return worker_.checkout(part.app, part.ref, part.commit, destination, stop).transform_error(in(context(part)));
}

Result<Bundle> OstreeContent::bundle(const AppVersion& app) {
    auto bundle = TRY(read_bundle(paths_.checkout(app.name, app.commit), app.name, app.version,
                                  app.legacy.value_or(LegacyOptions{})));
    const auto policy = TRY(load_policy(root_ / "etc/davit/policy.json"));
    // Rendering is what the launcher will do: what the policy refuses must fail here, while the old version still runs.
    TRY(render_config(bundle, policy, paths_, "/davit/check"));
    return bundle;
}

Result<void> OstreeContent::keep_only(const std::vector<AppVersion>& keep, std::stop_token stop) {
    std::vector<std::string> names;
    names.reserve(keep.size());
    for (const auto& app : keep)
        names.push_back(app.name + "/" + app.commit);
    return worker_.keep_only(names, stop);
}

Result<std::uint64_t> OstreeContent::free_bytes() {
    const auto free = TRY(file::free_bytes(paths_.state));
    return free > config_.download.reserve ? free - config_.download.reserve : 0;
}

}  // namespace davit
