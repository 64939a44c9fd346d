// What was written once may be damaged since: flash forgets, power goes, somebody's hand slips. libostree trusts what
// is here, and never fetches an object that it has, so a damaged one would fail every later deployment.

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <format>
#include <map>
#include <optional>
#include <utility>

#include "ostree/handle.h"

namespace davit::ostree {
namespace {

constexpr auto kDirectoryFormat = "(a(say)a(sayay))";  // files, directories: name, checksum of contents, of metadata

struct Subdirectory {
    std::string contents, metadata;  // checksums
};
struct Directory {
    std::map<std::string, std::string> files;  // name, checksum
    std::map<std::string, Subdirectory> directories;
};

std::string hex(GVariant* parent, gsize child) {
    const Variant bytes(g_variant_get_child_value(parent, child));
    const Memory<char> text(ostree_checksum_from_bytes_v(bytes.get()));
    return text.get();
}

std::string name_in(GVariant* entry) {
    const char* name = nullptr;
    g_variant_get_child(entry, 0, "&s", &name);
    return name;
}

/// Of an object that was checked, or is checked by libostree when it loads.
Result<Directory> load_directory(OstreeRepo* repo, const std::string& checksum) {
    GlibError error;
    Variant tree;
    if (!ostree_repo_load_variant(repo, OSTREE_OBJECT_TYPE_DIR_TREE, checksum.c_str(), Out(tree), error))
        return fail(classify(error, std::format("cannot read directory {}", checksum), Code::Corrupt));
    if (!g_variant_is_of_type(tree.get(), G_VARIANT_TYPE(kDirectoryFormat)))
        return fail(Code::Corrupt, std::format("directory {} is none", checksum));
    Directory directory;
    const Variant files(g_variant_get_child_value(tree.get(), 0));
    for (gsize i = 0; i < g_variant_n_children(files.get()); ++i) {
        const Variant entry(g_variant_get_child_value(files.get(), i));
        directory.files[name_in(entry.get())] = hex(entry.get(), 1);
    }
    const Variant directories(g_variant_get_child_value(tree.get(), 1));
    for (gsize i = 0; i < g_variant_n_children(directories.get()); ++i) {
        const Variant entry(g_variant_get_child_value(directories.get(), i));
        directory.directories[name_in(entry.get())] = {hex(entry.get(), 1), hex(entry.get(), 2)};
    }
    return directory;
}

Subdirectory root_of(const LoadedCommit& commit) {
    return {hex(commit.variant.get(), 6), hex(commit.variant.get(), 7)};
}

/// @return whether it was
Result<bool> drop_if_damaged(OstreeRepo* repo, OstreeObjectType type, const std::string& checksum) {
    GlibError damaged, stuck;
    if (ostree_repo_fsck_object(repo, type, checksum.c_str(), nullptr, damaged)) return false;
    if (!ostree_repo_delete_object(repo, type, checksum.c_str(), nullptr, stuck))
        return fail(classify(stuck, std::format("cannot remove the damaged object {}", checksum), Code::System));
    return true;
}

/// Looks at every object of a commit once.
class Inspector {
public:
    Inspector(OstreeRepo* repo, Look look, const std::function<void()>& alive)
        : repo_(repo), look_(look), alive_(alive) {}

    Result<void> directory(const Subdirectory& at) {
        TRY(is_good(OSTREE_OBJECT_TYPE_DIR_META, at.metadata));
        if (!TRY(is_good(OSTREE_OBJECT_TYPE_DIR_TREE, at.contents))) return {};
        const auto here = TRY(load_directory(repo_, at.contents));
        if (look_ == Look::AtEverything)
            for (const auto& [name, checksum] : here.files)
                TRY(is_good(OSTREE_OBJECT_TYPE_FILE, checksum));
        for (const auto& [name, below] : here.directories)
            TRY(directory(below));
        return {};
    }

    unsigned thrown_away = 0;
    bool incomplete = false;

private:
    Result<bool> is_good(OstreeObjectType type, const std::string& checksum) {
        const auto [known, is_new] = seen_.try_emplace({type, checksum}, false);
        if (is_new) known->second = TRY(check(type, checksum));
        if (!known->second) incomplete = true;
        return known->second;
    }

    Result<bool> check(OstreeObjectType type, const std::string& checksum) {
        if (alive_) alive_();
        gboolean here = FALSE;
        GlibError error;
        if (!ostree_repo_has_object(repo_, type, checksum.c_str(), &here, nullptr, error))
            return fail(classify(error, std::format("cannot look for object {}", checksum), Code::System));
        if (!here) return false;
        const bool damaged = TRY(drop_if_damaged(repo_, type, checksum));
        if (damaged) ++thrown_away;
        return !damaged;
    }

    OstreeRepo* repo_;
    Look look_;
    const std::function<void()>& alive_;
    std::map<std::pair<OstreeObjectType, std::string>, bool> seen_;
};

std::optional<struct stat> status_of(const Path& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) return std::nullopt;
    return status;
}

std::string text_of(const Path& link) {
    const auto target = file::read_link(link);
    return target && *target ? (*target)->native() : "";
}

/// Makes a checkout what its commit says, file by file, so that an app that runs from it keeps its directories.
class Mason {
public:
    Mason(OstreeRepo* repo, Path objects) : repo_(repo), objects_(std::move(objects)) {}

    Result<void> directory(const Path& path, const Subdirectory& at) {
        TRY(make(path, at.metadata));
        const auto wanted = TRY(load_directory(repo_, at.contents));
        for (const auto& name : TRY(file::list(path))) {
            if (wanted.files.contains(name) || wanted.directories.contains(name)) continue;
            TRY(file::remove_tree(path / name));
            ++mended;
        }
        for (const auto& [name, checksum] : wanted.files)
            TRY(link(path / name, objects_ / checksum.substr(0, 2) / (checksum.substr(2) + ".file")));
        for (const auto& [name, below] : wanted.directories)
            TRY(directory(path / name, below));
        return {};
    }

    unsigned mended = 0;

private:
    Result<void> make(const Path& path, const std::string& metadata) {
        GlibError error;
        Variant meta;
        if (!ostree_repo_load_variant(repo_, OSTREE_OBJECT_TYPE_DIR_META, metadata.c_str(), Out(meta), error))
            return fail(classify(error, std::format("cannot read directory metadata {}", metadata), Code::Corrupt));
        guint32 uid = 0, gid = 0, mode = 0;
        g_variant_get_child(meta.get(), 0, "u", &uid);
        g_variant_get_child(meta.get(), 1, "u", &gid);
        g_variant_get_child(meta.get(), 2, "u", &mode);
        uid = GUINT32_FROM_BE(uid), gid = GUINT32_FROM_BE(gid), mode = GUINT32_FROM_BE(mode) & 07777;

        auto now = status_of(path);
        if (now && !S_ISDIR(now->st_mode)) TRY(file::remove_tree(path));
        if (!now || !S_ISDIR(now->st_mode)) {
            if (::mkdir(path.c_str(), 0700) != 0)
                return fail(system_error(std::format("cannot make directory '{}'", path.string()), errno));
            now = status_of(path);
        }
        if (now && now->st_uid == uid && now->st_gid == gid && (now->st_mode & 07777) == mode) return {};
        ++mended;
        if (::chown(path.c_str(), uid, gid) != 0 || ::chmod(path.c_str(), mode) != 0)
            return fail(system_error(std::format("cannot set the owner or mode of '{}'", path.string()), errno));
        return {};
    }

    Result<void> link(const Path& path, const Path& object) {
        const auto now = status_of(path);
        const auto source = status_of(object);
        if (!source)
            return fail(Code::Corrupt,
                        std::format("'{}' cannot be mended: its object is not here either", path.string()));
        if (now && now->st_ino == source->st_ino && now->st_dev == source->st_dev) return {};
        const bool same_link =
            now && S_ISLNK(now->st_mode) && S_ISLNK(source->st_mode) && text_of(path) == text_of(object);
        if (same_link) return {};
        ++mended;
        if (now && S_ISDIR(now->st_mode)) TRY(file::remove_tree(path));
        const Path next = path.parent_path() / ".davit-mend";
        TRY(file::remove_tree(next));
        if (::link(object.c_str(), next.c_str()) != 0)
            return fail(system_error(std::format("cannot mend '{}'", path.string()), errno));
        return file::rename(next, path);
    }

    OstreeRepo* repo_;
    Path objects_;
};

}  // namespace

Result<unsigned> Repository::mend(std::string_view commit, Look look, const std::function<void()>& alive) {
    const auto loaded = TRY(load_commit(handle_->get(), commit));
    Inspector inspector(handle_->get(), look, alive);
    TRY(inspector.directory(root_of(loaded)));
    if (!inspector.incomplete || loaded.partial) return inspector.thrown_away;
    GlibError error;
    if (!ostree_repo_mark_commit_partial(handle_->get(), std::string(commit).c_str(), TRUE, error))
        return fail(classify(error, std::format("cannot note that commit {} is incomplete", commit), Code::System));
    return inspector.thrown_away;
}

Result<unsigned> Repository::mend_directories(const std::function<void()>& alive) {
    unsigned thrown_away = 0;
    const auto objects = handle_->path / "objects";
    for (const auto& folder : TRY(file::list(objects))) {
        for (const auto& name : TRY(file::list(objects / folder))) {
            const bool is_tree = name.ends_with(".dirtree");
            if (!is_tree && !name.ends_with(".dirmeta")) continue;
            const auto type = is_tree ? OSTREE_OBJECT_TYPE_DIR_TREE : OSTREE_OBJECT_TYPE_DIR_META;
            const auto checksum = folder + name.substr(0, name.find('.'));
            if (alive) alive();
            if (!TRY(drop_if_damaged(handle_->get(), type, checksum))) continue;
            ++thrown_away;
        }
    }
    return thrown_away;
}

Result<void> Repository::forget_commit(std::string_view commit) {
    GlibError error;
    if (!ostree_repo_delete_object(handle_->get(), OSTREE_OBJECT_TYPE_COMMIT, std::string(commit).c_str(), nullptr,
                                   error))
        return fail(classify(error, std::format("cannot remove the damaged commit {}", commit), Code::System));
    return {};
}

Result<unsigned> mend_checkout(const Repository::Handle& handle, const LoadedCommit& commit, const Path& directory) {
    Mason mason(handle.get(), handle.path / "objects");
    TRY(mason.directory(directory, root_of(commit)));
    if (mason.mended > 0) TRY(file::sync_filesystem(directory));
    return mason.mended;
}

}  // namespace davit::ostree
