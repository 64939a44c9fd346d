// Throwing away: what no ref names, what other boots left, what a power cut damaged.

#include <format>

#include "ostree/handle.h"

namespace davit::ostree {
namespace {

std::string boot_id() {
    if (const char* given = g_getenv("OSTREE_BOOTID")) return given;  // libostree's own switch for tests
    auto text = file::read("/proc/sys/kernel/random/boot_id").value_or("");
    text.erase(text.find_last_not_of('\n') + 1);
    return text;
}

}  // namespace

Result<void> drop_staging(const Path& repository, Staging which) {
    const auto mine = std::format("staging-{}", boot_id());
    const auto directory = repository / "tmp";
    for (const auto& name : TRY(file::list(directory))) {
        if (!name.starts_with("staging-")) continue;
        if (which == Staging::OfOtherBoots && name.starts_with(mine)) continue;
        TRY(file::remove_tree(directory / name));
    }
    return {};
}

Result<void> Repository::prune() {
    TRY(drop_staging(handle_->path, Staging::OfOtherBoots));
    gint total = 0;
    gint pruned = 0;
    guint64 bytes = 0;
    GlibError error;
    // Depth 0: with libostree's default of -1 every parent that is still here is kept, and nothing is ever freed.
    if (!ostree_repo_prune(handle_->get(), OSTREE_REPO_PRUNE_FLAGS_REFS_ONLY, 0, &total, &pruned, &bytes, nullptr,
                           error))
        return fail(classify(error, "cannot prune the repository", Code::System));
    return {};
}

Result<void> Repository::heal() {
    TRY(drop_staging(handle_->path, Staging::All));
    // A ref on a damaged commit would stop the prune, and claims content that nobody can read.
    for (const auto& ref : TRY(refs())) {
        const auto commit = TRY(resolve(ref));
        if (commit && !load_commit(handle_->get(), *commit)) TRY(set_ref(ref, std::nullopt));
    }
    return prune();
}

}  // namespace davit::ostree
