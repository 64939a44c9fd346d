// The publisher's side: commit a directory, sign, push to the repository that is served.

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <format>

#include "ostree/handle.h"

namespace davit::ostree {
namespace {

namespace fs = std::filesystem;

std::string_view kind(fs::file_type type) {
    switch (type) {
        case fs::file_type::block:
            return "block device";
        case fs::file_type::character:
            return "character device";
        case fs::file_type::fifo:
            return "FIFO";
        case fs::file_type::socket:
            return "socket";
        default:
            return "special file";
    }
}

// OSTree stores files, links and directories only; its own error for anything else names no path.
Result<void> refuse_special_files(const Path& directory) {
    for (const auto& name : TRY(file::list(directory))) {
        const auto path = directory / name;
        std::error_code error;
        const auto type = fs::symlink_status(path, error).type();
        if (error) return fail(system_error(std::format("cannot read '{}'", path.string()), error.value()));
        if (type == fs::file_type::directory)
            TRY(refuse_special_files(path));
        else if (type != fs::file_type::regular && type != fs::file_type::symlink)
            return fail(
                Code::InvalidInput,
                std::format(
                    "'{}' is a {}; a commit holds files, directories and symbolic links only (the launcher makes "
                    "/dev itself)",
                    path.string(), kind(type)));
    }
    return {};
}

// Labels and measurements of the build machine, and marks of its overlay file systems: they would make the id depend on
// where it was built.
bool belongs_to_the_build_machine(std::string_view name) {
    constexpr std::array kExact{"security.selinux", "security.ima", "security.evm", "security.SMACK64"};
    return std::ranges::contains(kExact, name) || name.starts_with("trusted.overlay.") ||
           name.starts_with("user.overlay.");
}

// libostree's callback: the xattrs to store for one path, or nullptr for those on disk.
GVariant* portable_xattrs(OstreeRepo*, const char* path, GFileInfo*, gpointer user_data) {
    const auto directory = static_cast<const Path*>(user_data);
    const Path on_disk = *directory / Path(path).relative_path();
    GlibError error;
    const Variant all(ostree_fs_get_all_xattrs_at(AT_FDCWD, on_disk.c_str(), nullptr, error));
    if (!all) return nullptr;
    GVariantBuilder kept;
    g_variant_builder_init(&kept, G_VARIANT_TYPE("a(ayay)"));
    for (gsize i = 0; i < g_variant_n_children(all.get()); ++i) {
        const Variant pair(g_variant_get_child_value(all.get(), i));
        const char* name = nullptr;
        g_variant_get_child(pair.get(), 0, "^&ay", &name);
        if (!belongs_to_the_build_machine(name)) g_variant_builder_add_value(&kept, pair.get());
    }
    return g_variant_ref_sink(g_variant_builder_end(&kept));
}

Result<Variant> commit_metadata(const CommitRequest& request, GFile* root) {
    const auto sizes = TRY(sizes_metadata(root));
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    const char* refs[] = {request.ref.c_str()};
    g_variant_builder_add(&builder, "{sv}", OSTREE_COMMIT_META_KEY_REF_BINDING, g_variant_new_strv(refs, 1));
    if (!request.version.empty())
        g_variant_builder_add(&builder, "{sv}", OSTREE_COMMIT_META_KEY_VERSION,
                              g_variant_new_string(request.version.c_str()));
    for (const auto& [key, value] : request.metadata)
        g_variant_builder_add(&builder, "{sv}", key.c_str(), g_variant_new_string(value.c_str()));
    g_variant_builder_add(&builder, "{sv}", kSizesKey, sizes.get());
    return Variant(g_variant_ref_sink(g_variant_builder_end(&builder)));
}

Result<Object<GFile>> write_tree(OstreeRepo* repo, const Path& directory) {
    struct Unref {
        void operator()(OstreeRepoCommitModifier* modifier) const { ostree_repo_commit_modifier_unref(modifier); }
    };
    const std::unique_ptr<OstreeRepoCommitModifier, Unref> modifier(
        ostree_repo_commit_modifier_new(OSTREE_REPO_COMMIT_MODIFIER_FLAGS_NONE, nullptr, nullptr, nullptr));
    Path root = directory;
    ostree_repo_commit_modifier_set_xattr_callback(modifier.get(), portable_xattrs, nullptr, &root);
    const Object<OstreeMutableTree> tree(ostree_mutable_tree_new());
    GlibError error;
    Object<GFile> written;
    if (!ostree_repo_write_dfd_to_mtree(repo, AT_FDCWD, directory.c_str(), tree.get(), modifier.get(), nullptr,
                                        error) ||
        !ostree_repo_write_mtree(repo, tree.get(), Out(written), nullptr, error))
        return fail(classify(error, std::format("cannot commit '{}'", directory.string()), Code::System));
    return written;
}

// The parent stays empty: with it, the id would depend on what the repository held before.
Result<std::string> write_commit(OstreeRepo* repo, GFile* root, const CommitRequest& request) {
    const auto metadata = TRY(commit_metadata(request, root));
    GlibError error;
    Memory<char> id;
    if (!ostree_repo_write_commit_with_time(repo, nullptr, request.subject.c_str(), nullptr, metadata.get(),
                                            OSTREE_REPO_FILE(root), request.timestamp, Out(id), nullptr, error))
        return fail(classify(error, std::format("cannot commit '{}'", request.directory.string()), Code::System));
    return std::string(id.get());
}

Result<Variant> read_detached(OstreeRepo* repo, std::string_view commit) {
    GlibError error;
    Variant metadata;
    if (!ostree_repo_read_commit_detached_metadata(repo, std::string(commit).c_str(), Out(metadata), nullptr, error))
        return fail(classify(error, std::format("cannot read the signatures of commit {}", commit), Code::Corrupt));
    return metadata;
}

Result<void> write_detached(OstreeRepo* repo, std::string_view commit, GVariant* metadata) {
    GlibError error;
    if (!ostree_repo_write_commit_detached_metadata(repo, std::string(commit).c_str(), metadata, nullptr, error))
        return fail(classify(error, std::format("cannot write the signatures of commit {}", commit), Code::System));
    return {};
}

constexpr auto kSignatureKey = "ostree.sign.ed25519";

Variant with_signatures(GVariant* detached, const std::vector<Bytes>& signatures) {
    GVariantBuilder list;
    g_variant_builder_init(&list, G_VARIANT_TYPE("aay"));
    for (const auto& signature : signatures)
        g_variant_builder_add_value(
            &list, g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, signature.data(), signature.size(), 1));
    GVariantDict dictionary;
    g_variant_dict_init(&dictionary, detached);
    g_variant_dict_insert_value(&dictionary, kSignatureKey, g_variant_builder_end(&list));
    return Variant(g_variant_ref_sink(g_variant_dict_end(&dictionary)));
}

Result<void> pull_local(OstreeRepo* to, const Path& from, std::string_view ref, std::string_view commit) {
    const Memory<char> url(g_filename_to_uri(fs::absolute(from).c_str(), nullptr, nullptr));
    const std::string ref_text(ref);
    const std::string commit_text(commit);
    const char* refs[] = {ref_text.c_str()};
    const char* commits[] = {commit_text.c_str()};
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&builder, "{sv}", "refs", g_variant_new_strv(refs, 1));
    g_variant_builder_add(&builder, "{sv}", "override-commit-ids", g_variant_new_strv(commits, 1));
    g_variant_builder_add(&builder, "{sv}", "depth", g_variant_new_int32(0));
    const Variant options(g_variant_ref_sink(g_variant_builder_end(&builder)));
    GlibError error;
    if (!ostree_repo_pull_with_options(to, url.get(), options.get(), nullptr, nullptr, error))
        return fail(classify(error, std::format("cannot copy commit {} to the repository", commit), Code::System));
    return {};
}

}  // namespace

Result<Transaction> Transaction::begin(OstreeRepo* repo) {
    GlibError error;
    if (!ostree_repo_prepare_transaction(repo, nullptr, nullptr, error))
        return fail(classify(error, "cannot begin a transaction", Code::System));
    return Transaction(repo);
}

Transaction::~Transaction() {
    if (repo_) ostree_repo_abort_transaction(repo_, nullptr, nullptr);
}

Result<void> Transaction::commit() {
    GlibError error;
    if (!ostree_repo_commit_transaction(repo_, nullptr, nullptr, error))
        return fail(classify(error, "cannot write to the repository", Code::System));
    repo_ = nullptr;
    return {};
}

Result<std::string> Repository::commit(const CommitRequest& request) {
    std::error_code ignored;
    if (!fs::is_directory(request.directory, ignored))
        return fail(Code::NotFound, std::format("'{}' is not a directory", request.directory.string()));
    GlibError error;
    if (!ostree_validate_rev(request.ref.c_str(), error))
        return fail(Code::InvalidInput, std::format("'{}' cannot be the name of a ref", request.ref));
    TRY(refuse_special_files(request.directory));
    OstreeRepo* repo = handle_->get();
    auto transaction = TRY(Transaction::begin(repo));
    const auto root = TRY(write_tree(repo, request.directory));
    auto id = TRY(write_commit(repo, root.get(), request));
    ostree_repo_transaction_set_ref(repo, nullptr, request.ref.c_str(), id.c_str());
    TRY(transaction.commit());
    return id;
}

Result<std::vector<Bytes>> read_signatures(OstreeRepo* repo, std::string_view commit) {
    std::vector<Bytes> signatures;
    const auto detached = TRY(read_detached(repo, commit));
    if (!detached) return signatures;
    const Variant list(g_variant_lookup_value(detached.get(), kSignatureKey, G_VARIANT_TYPE("aay")));
    if (!list) return signatures;
    for (gsize i = 0; i < g_variant_n_children(list.get()); ++i) {
        const Variant child(g_variant_get_child_value(list.get(), i));
        const auto* data = static_cast<const std::uint8_t*>(g_variant_get_data(child.get()));
        signatures.emplace_back(data, data + g_variant_get_size(child.get()));
    }
    return signatures;
}

Result<void> Repository::sign(std::string_view commit, const SigningKey& key) {
    const auto loaded = TRY(load_commit(handle_->get(), commit));
    auto signatures = TRY(read_signatures(handle_->get(), commit));
    const auto signature = TRY(key.sign(loaded.bytes()));
    if (std::ranges::contains(signatures, signature))
        return {};  // Ed25519 is deterministic: the same key makes the same bytes
    signatures.push_back(signature);
    const auto detached = TRY(read_detached(handle_->get(), commit));
    return write_detached(handle_->get(), commit, with_signatures(detached.get(), signatures).get());
}

Result<void> Repository::push_to(const Path& repository, std::string_view ref, std::string_view commit) {
    TRY(load_commit(handle_->get(), commit));
    auto destination = TRY(open_or_create(repository, Mode::Archive));
    OstreeRepo* to = destination.handle_->get();
    if (!ostree_repo_equal(handle_->get(), to)) {
        TRY(pull_local(to, handle_->path, ref, commit));
        // A commit that was there already keeps its old signatures in a local pull.
        if (const auto detached = TRY(read_detached(handle_->get(), commit)))
            TRY(write_detached(to, commit, detached.get()));
    }
    TRY(destination.set_ref(ref, commit));
    // Last: a client that reads the summary must find everything it names.
    GlibError error;
    if (!ostree_repo_regenerate_summary(to, nullptr, nullptr, error))
        return fail(
            classify(error, std::format("cannot rewrite the summary of '{}'", repository.string()), Code::System));
    return {};
}

}  // namespace davit::ostree
