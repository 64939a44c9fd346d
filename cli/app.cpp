#include "cli/app.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <format>
#include <nlohmann/json.hpp>

#include "cli/release.h"
#include "containers/bundle.h"
#include "ostree/repository.h"

namespace davit::cli {
namespace {

Result<void> same(const char* option, const std::optional<std::string>& given, const std::string& in_manifest) {
    if (!given || *given == in_manifest) return {};
    return fail(
        Code::InvalidInput,
        std::format("{} {} differs from davit.json, which says '{}': leave the option out, or change davit.json",
                    option, *given, in_manifest));
}

Result<Bundle> read_checked(const CommitOptions& options) {
    const auto& directory = options.directory;
    const bool has_manifest = file::exists(directory / "davit.json");
    if (!has_manifest && (!options.name || !options.version)) {
        return fail(
            Code::InvalidInput,
            std::format("'{}' has no davit.json, so --name and --version must say what it is", directory.string()));
    }
    auto bundle = TRY(read_bundle(directory, options.name.value_or(""), options.version.value_or(""), {}));
    if (has_manifest) {
        TRY(same("--name", options.name, bundle.manifest.name));
        TRY(same("--version", options.version, bundle.manifest.version));
    }
    TRY(check_app_name(bundle.manifest.name));
    return bundle;
}

/// What the default policy would refuse: a device may allow it, so it is worth a warning only.
Result<std::string> check(const Bundle& bundle) {
    const auto checked = check_bundle(bundle, Policy{});
    if (checked) return std::string{};
    if (checked.error().code != Code::PolicyRefused) return fail(checked.error());
    return "a device without a policy.json of its own will refuse this: " + checked.error().message;
}

Result<std::uint64_t> newest_file(const Path& directory) {
    std::uint64_t newest = 0;
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator at(directory, error), end; !error && at != end;
         at.increment(error)) {
        struct stat status{};
        // Directories do not count: making a temporary file in one and removing it changes nothing that is committed.
        if (::lstat(at->path().c_str(), &status) != 0 || S_ISDIR(status.st_mode)) continue;
        newest = std::max(newest, static_cast<std::uint64_t>(std::max<time_t>(status.st_mtime, 0)));
    }
    if (error) return fail(system_error(std::format("cannot list '{}'", directory.string()), error.value()));
    return newest;
}

Result<std::uint64_t> timestamp_of(const CommitOptions& options, const Environment& environment) {
    if (options.timestamp) return *options.timestamp;
    const auto epoch = environment("SOURCE_DATE_EPOCH");
    if (!epoch) return newest_file(options.directory);
    std::uint64_t seconds = 0;
    const auto* end = epoch->data() + epoch->size();
    const auto [rest, error] = std::from_chars(epoch->data(), end, seconds);
    if (error == std::errc{} && rest == end) return seconds;
    return fail(Code::InvalidInput, std::format("SOURCE_DATE_EPOCH is '{}': expected seconds since 1970", *epoch));
}

}  // namespace

Result<Committed> commit_app(const CommitOptions& options, const Environment& environment) {
    const auto bundle = TRY(read_checked(options));
    Committed committed{.name = bundle.manifest.name,
                        .version = bundle.manifest.version,
                        .ref = options.ref.value_or(bundle.manifest.name),
                        .commit = {},
                        .warning = TRY(check(bundle))};
    const auto timestamp = TRY(timestamp_of(options, environment));
    const auto key = TRY(SigningKey::read(options.key));

    auto repository = TRY(ostree::Repository::open_or_create(options.repository, ostree::Mode::Archive));
    committed.commit = TRY(repository.commit({.directory = options.directory,
                                              .ref = committed.ref,
                                              .version = committed.version,
                                              .subject = committed.name + " " + committed.version,
                                              .timestamp = timestamp,
                                              .metadata = {{"davit.name", committed.name}}}));
    TRY(repository.sign(committed.commit, key));
    return committed;
}

Result<Exported> export_app(const ExportOptions& options) {
    const auto repository = TRY(ostree::Repository::open(options.repository));
    const auto release = TRY(read_release(repository, options.app));
    if (!TRY(repository.is_signed(release.commit)))
        return fail(Code::Untrusted, std::format("commit {} of '{}' is not signed, so no device would take it",
                                                 release.commit, release.name));
    Exported exported{.name = release.name, .version = release.version, .commit = release.commit, .file = options.file};
    if (exported.file.empty()) exported.file = std::format("{}-{}.davit", release.name, release.version);
    TRY(repository.export_to(std::filesystem::absolute(exported.file), release.commit));
    exported.bytes = std::filesystem::file_size(exported.file);
    return exported;
}

std::string to_text(const Exported& exported) {
    return std::format("{} {} is in {} ({} bytes); on the device: davitctl install {}\n", exported.name,
                       exported.version, exported.file.string(), exported.bytes, exported.file.filename().string());
}

std::string to_json(const Exported& exported) {
    const nlohmann::ordered_json json = {{"name", exported.name},
                                         {"version", exported.version},
                                         {"commit", exported.commit},
                                         {"file", exported.file.string()},
                                         {"bytes", exported.bytes}};
    return json.dump(2) + "\n";
}

std::string to_text(const Committed& committed) {
    return std::format("{} {} committed as {} (ref {})\n", committed.name, committed.version, committed.commit,
                       committed.ref);
}

std::string to_json(const Committed& committed) {
    nlohmann::ordered_json json = {
        {"name", committed.name}, {"version", committed.version}, {"ref", committed.ref}, {"commit", committed.commit}};
    if (!committed.warning.empty()) json["warning"] = committed.warning;
    return json.dump(2) + "\n";
}

}  // namespace davit::cli
