#include <sys/stat.h>
#include <algorithm>
#include <format>

#include "containers/bundle.h"
#include "containers/detail/rootfs.h"
#include "containers/detail/rules.h"
#include "containers/detail/wish.h"

namespace davit {
namespace {

class Check {
public:
    explicit Check(const Bundle& bundle) : name_(bundle.manifest.name), rootfs_(bundle.directory / "rootfs") {}

    /// The directories on which every container has a file system of its own.
    [[nodiscard]] Result<void> standard_mount_points() const {
        std::string missing, remedy;
        for (const auto* directory : {"/proc", "/dev", "/sys", "/run", "/tmp"}) {
            if (rootfs::is_directory(rootfs_, directory)) continue;
            missing += std::format("{}{}", missing.empty() ? "" : ", ", directory);
            remedy += std::format(" rootfs{}", directory);
        }
        if (missing.empty()) return {};
        return bad(
            std::format("rootfs has no directory {}, which a container needs as a mount point; add it with: mkdir -p{}",
                        missing, remedy));
    }

    [[nodiscard]] Result<void> mount_point(std::string_view what, const std::string& path) const {
        if (is_created_by_runtime(path) || rootfs::is_directory(rootfs_, path)) return {};
        return bad(std::format("rootfs has no directory {} for {}; add it with: mkdir -p rootfs{}", path, what, path));
    }

    [[nodiscard]] Result<void> bind_target(const BindWish& bind) const {
        if (is_created_by_runtime(bind.destination) || rootfs::resolve(rootfs_, bind.destination)) return {};
        return bad(
            std::format("rootfs has no {} ({}); add an empty file or directory there", bind.destination, bind.field));
    }

    [[nodiscard]] Result<void> program(std::string_view field, const std::string& name, const Wish& wish) const {
        for (const auto& candidate : candidates(name, wish)) {
            const auto path = rootfs::resolve(rootfs_, candidate);
            struct stat status{};
            if (!path || stat(path->c_str(), &status) != 0) continue;
            if (!S_ISREG(status.st_mode)) return bad(std::format("{}: {} is not a file", field, candidate));
            if ((status.st_mode & 0111) == 0)
                return bad(std::format("{}: {} is not executable (chmod +x)", field, candidate));
            return {};
        }
        return bad(std::format("{}: rootfs has no program {}", field, rules::quoted(name)));
    }

    [[nodiscard]] Result<void> no_special_files() const {
        std::error_code error;
        for (std::filesystem::recursive_directory_iterator at(rootfs_, error), end; !error && at != end;
             at.increment(error)) {
            const auto status = at->symlink_status(error);
            if (error) break;
            if (is_regular_file(status) || is_directory(status) || is_symlink(status)) continue;
            return bad(std::format("{} is a {}; a commit holds files, directories and links only", at->path().string(),
                                   kind(status)));
        }
        if (error) return fail(system_error(std::format("cannot list '{}'", rootfs_.string()), error.value()));
        return {};
    }

private:
    /// /run and /tmp are empty file systems of the container: what is below them is made when it starts.
    static bool is_created_by_runtime(std::string_view path) {
        return path.starts_with("/run/") || path.starts_with("/tmp/");
    }

    static std::string_view kind(std::filesystem::file_status status) {
        if (is_socket(status)) return "socket";
        if (is_fifo(status)) return "named pipe";
        return "device node";
    }

    static std::vector<std::string> candidates(const std::string& name, const Wish& wish) {
        if (name.contains('/')) return {(Path(wish.cwd) / name).string()};
        std::vector<std::string> out;
        const auto path = std::ranges::find_if(wish.env, [](const auto& entry) { return entry.starts_with("PATH="); });
        if (path == wish.env.end()) return out;
        for (std::size_t begin = 5; begin <= path->size();) {
            const auto end = std::min(path->find(':', begin), path->size());
            out.push_back(path->substr(begin, end - begin) + "/" + name);
            begin = end + 1;
        }
        return out;
    }

    [[nodiscard]] std::unexpected<Error> bad(std::string_view what) const {
        return fail(Code::InvalidInput, std::format("app '{}': {}", name_, what));
    }

    std::string name_;
    Path rootfs_;
};

}  // namespace

Result<void> check_bundle(const Bundle& bundle, const Policy& policy) {
    const auto& manifest = bundle.manifest;
    const auto wish = TRY(read_wish(bundle));
    const Check check(bundle);
    TRY(check.standard_mount_points());
    TRY(check.program(manifest.process ? "davit.json: process.args" : "config.json: process.args", wish.args[0], wish));
    if (!manifest.health.exec.empty()) TRY(check.program("davit.json: health.exec", manifest.health.exec[0], wish));
    for (const auto& volume : manifest.volumes)
        TRY(check.mount_point(std::format("volume '{}'", volume.name), volume.path));
    for (const auto& tmpfs : wish.tmpfs)
        TRY(check.mount_point("a tmpfs of config.json", tmpfs.destination));
    for (const auto& bind : wish.binds)
        TRY(check.bind_target(bind));
    TRY(check.mount_point("the working directory", wish.cwd));
    TRY(check.no_special_files());
    return check_policy(manifest.name, wish, policy);
}

}  // namespace davit
