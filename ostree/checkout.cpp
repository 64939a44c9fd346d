// The device's side: what is missing, who signed it, and the checkout.

#include <fcntl.h>

#include <algorithm>
#include <format>
#include <random>
#include <tuple>

#include "ostree/handle.h"

namespace davit::ostree {
namespace {

Path temporary_name() {
    std::random_device random;
    return std::format(".tmp-{:08x}{:08x}", random(), random());
}

Result<void> fill(OstreeRepo* repo, const std::string& commit, const Path& directory) {
    OstreeRepoCheckoutAtOptions options{};
    options.mode = OSTREE_REPO_CHECKOUT_MODE_NONE;  // uid, gid, modes and xattrs as committed
    options.overwrite_mode = OSTREE_REPO_CHECKOUT_OVERWRITE_NONE;
    options.no_copy_fallback = TRUE;  // hard links or nothing: a copy would double what the app takes on the disk
    options.enable_fsync = FALSE;     // one syncfs for all instead
    GlibError error;
    if (ostree_repo_checkout_at(repo, &options, AT_FDCWD, directory.c_str(), commit.c_str(), nullptr, error)) return {};
    auto reason = classify(error, std::format("cannot check out commit {}", commit), Code::System);
    if (reason.code == Code::NotFound)
        reason.code = Code::Corrupt;  // the commit is marked complete, so a missing object is damage
    return fail(std::move(reason));
}

std::string quoted(const std::vector<std::string>& refs) {
    if (refs.empty()) return "nothing";
    std::string names;
    for (const auto& ref : refs)
        names += std::format("{}'{}'", names.empty() ? "" : ", ", ref);
    return names;
}

}  // namespace

Result<void> check_room(const Repository& repository, std::string_view commit) {
    const auto disk = TRY(repository.disk());
    const auto cost = TRY(repository.cost(commit));
    const auto need = cost.missing_bytes + disk.reserved_bytes;
    if (!cost.known || need <= disk.free_bytes) return {};
    return fail(Code::NoSpace, std::format("the disk of '{}' is too small: {} bytes are free, the commit needs {} and "
                                           "{} must stay free; {} bytes are missing",
                                           disk.path.string(), disk.free_bytes, cost.missing_bytes, disk.reserved_bytes,
                                           need - disk.free_bytes));
}

Result<Disk> Repository::disk() const {
    Disk disk{.path = handle_->path};
    GlibError error;
    guint64 reserved = 0;
    if (!ostree_repo_get_min_free_space_bytes(handle_->get(), &reserved, error))
        return fail(classify(error, "cannot read the repository's configuration", Code::System));
    disk.reserved_bytes = reserved;
    disk.free_bytes = TRY(file::free_bytes(handle_->path));
    return disk;
}

Result<std::string> Repository::verify(std::string_view commit, std::string_view ref, std::string_view app,
                                       std::span<const TrustedKey> keys) const {
    const auto loaded = TRY(load_commit(handle_->get(), commit));
    const auto signatures = TRY(read_signatures(handle_->get(), commit));
    auto signer = davit::verify(loaded.bytes(), signatures, keys, app);
    if (!signer) return fail(signer.error().in(std::format("commit {} is not trusted", commit.substr(0, 12))));
    const auto about = TRY(info(commit));
    if (!std::ranges::contains(about.refs, ref))
        return fail(Code::Untrusted, std::format("commit {} was published as {}, not as '{}'", commit.substr(0, 12),
                                                 quoted(about.refs), ref));
    return signer;
}

Result<void> Repository::checkout(std::string_view commit, const Path& destination) {
    const auto loaded = TRY(load_commit(handle_->get(), commit));
    if (loaded.partial)
        return fail(Code::NotFound,
                    std::format("the content of commit {} is not complete here; it must be pulled first", commit));
    if (file::exists(destination)) {
        TRY(mend_checkout(*handle_, loaded, destination));
        return {};
    }
    const auto directory = destination.parent_path();
    TRY(file::make_directories(directory, 0700));
    const auto temporary = directory / temporary_name();

    auto done = fill(handle_->get(), std::string(commit), temporary);
    // The name appears only when everything below it is durable: a directory called <commit> is complete, whenever the
    // power goes.
    if (done) done = file::sync_filesystem(directory);
    if (done) done = file::rename(temporary, destination);
    if (!done) {
        std::ignore = file::remove_tree(temporary);  // best effort: start-up removes what is left
        return done;
    }
    return file::sync_directory(directory);
}

}  // namespace davit::ostree
