#include "containers/bundle.h"

#include <format>

namespace davit {
namespace {

Result<Manifest> read_manifest(const Path& directory) {
    const auto text = TRY(file::read(directory / "davit.json"));
    return parse_manifest(text);
}

Result<void> check_one_process(const Path& directory, const Bundle& bundle) {
    const bool config = file::exists(directory / "config.json");
    if (bundle.manifest.process && config) {
        return fail(
            Code::InvalidInput,
            std::format("{} has 'process' in davit.json and a config.json as well: what to run can be said once",
                        directory.string()));
    }
    if (!bundle.manifest.process && !config) {
        return fail(Code::InvalidInput,
                    std::format("{}: davit.json has no 'process', and there is no config.json that says what to run",
                                directory.string()));
    }
    return {};
}

}  // namespace

Result<Bundle> read_bundle(const Path& directory, std::string_view name, std::string_view version,
                           const LegacyOptions& legacy) {
    std::error_code error;
    if (!std::filesystem::is_directory(std::filesystem::symlink_status(directory / "rootfs", error))) {
        return fail(Code::InvalidInput, std::format("{} has no rootfs/", directory.string()));
    }
    Bundle bundle{.directory = directory, .manifest = {}, .legacy = !file::exists(directory / "davit.json")};
    if (!bundle.legacy) {
        bundle.manifest = TRY(read_manifest(directory).transform_error(in(directory.string())));
        TRY(check_one_process(directory, bundle));
        return bundle;
    }
    if (!file::exists(directory / "config.json")) {
        return fail(Code::InvalidInput, std::format("{} has neither davit.json nor config.json", directory.string()));
    }
    bundle.manifest = legacy_manifest(name, version, legacy);
    return bundle;
}

}  // namespace davit
