// One app version in one file: an inline static delta from nothing, libostree's own format. It holds the commit object
// and its signatures before the content, so the commit is verified before a byte of content is unpacked.

#include <algorithm>
#include <format>
#include <thread>

#include "common/clock.h"
#include "ostree/handle.h"

namespace davit::ostree {
namespace {

// OSTREE_STATIC_DELTA_SUPERBLOCK_FORMAT, which libostree keeps private: metadata, timestamp, from, to, the commit,
// dependencies, parts, fallbacks.
constexpr auto kSuperblock = "(a{sv}tayay(a{sv}aya(say)sstayay)aya(uayttay)a(yaytt))";
constexpr gsize kFrom = 2;
constexpr gsize kTo = 3;
constexpr gsize kCommit = 4;
constexpr gsize kFallbacks = 7;

struct FreeBytes {
    void operator()(GBytes* bytes) const { g_bytes_unref(bytes); }
};
struct UnmapFile {
    void operator()(GMappedFile* file) const { g_mapped_file_unref(file); }
};

/// What the beginning of the file says.
struct Superblock {
    Variant all;
    std::string commit_id;
    Variant commit;
    Variant detached;  ///< the signatures; null if there are none
};

Error not_ours(const Path& file, std::string_view why) {
    return {Code::InvalidInput,
            std::format("'{}' is no file that 'davit app export' has made ({})", file.string(), why)};
}

/// The value whose key ends in "/commitmeta"; libostree puts the id into the rest of it.
Variant find_detached(GVariant* superblock) {
    const Variant metadata(g_variant_get_child_value(superblock, 0));
    const gsize entries = g_variant_n_children(metadata.get());
    for (gsize at = 0; at < entries; ++at) {
        const Variant entry(g_variant_get_child_value(metadata.get(), at));
        const Variant key(g_variant_get_child_value(entry.get(), 0));
        if (!std::string_view(g_variant_get_string(key.get(), nullptr)).ends_with("/commitmeta")) continue;
        const Variant boxed(g_variant_get_child_value(entry.get(), 1));
        Variant value(g_variant_get_variant(boxed.get()));
        if (g_variant_is_of_type(value.get(), G_VARIANT_TYPE_VARDICT)) return value;
    }
    return {};
}

/// Anybody may have written the file: glib reads any bytes as some value, and what matters is compared with its hash.
Result<Superblock> read_superblock(const Path& file) {
    GlibError error;
    const std::unique_ptr<GMappedFile, UnmapFile> map(g_mapped_file_new(file.c_str(), FALSE, error));
    if (!map) return fail(classify(error, std::format("cannot read '{}'", file.string()), Code::NotFound));
    const std::unique_ptr<GBytes, FreeBytes> bytes(g_mapped_file_get_bytes(map.get()));
    Superblock read;
    read.all.reset(g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(kSuperblock), bytes.get(), FALSE)));
    const Variant from(g_variant_get_child_value(read.all.get(), kFrom));
    const Variant to(g_variant_get_child_value(read.all.get(), kTo));
    if (g_variant_get_size(to.get()) != 32) return fail(not_ours(file, "it names no commit"));
    if (g_variant_get_size(from.get()) != 0) return fail(not_ours(file, "it needs another commit"));
    const Variant fallbacks(g_variant_get_child_value(read.all.get(), kFallbacks));
    if (g_variant_n_children(fallbacks.get()) != 0) return fail(not_ours(file, "content is missing in it"));
    const Memory<char> id(ostree_checksum_from_bytes_v(to.get()));
    read.commit_id = id.get();
    // A copy, so that the bytes that are hashed are the bytes that are used.
    const Variant commit(g_variant_get_child_value(read.all.get(), kCommit));
    const std::unique_ptr<GBytes, FreeBytes> copy(
        g_bytes_new(g_variant_get_data(commit.get()), g_variant_get_size(commit.get())));
    read.commit.reset(
        g_variant_ref_sink(g_variant_new_from_bytes(g_variant_get_type(commit.get()), copy.get(), FALSE)));
    const Memory<char> actual(g_compute_checksum_for_data(
        G_CHECKSUM_SHA256, static_cast<const guchar*>(g_variant_get_data(read.commit.get())),
        g_variant_get_size(read.commit.get())));
    if (read.commit_id != actual.get()) return fail(not_ours(file, "its commit is damaged"));
    read.detached = find_detached(read.all.get());
    return read;
}

Result<void> mark_partial(OstreeRepo* repo, const std::string& commit, bool partial) {
    GlibError error;
    if (ostree_repo_mark_commit_partial(repo, commit.c_str(), partial, error)) return {};
    return fail(classify(error, "cannot mark the commit", Code::System));
}

/// Whether everything that the commit names is here. A file that lacks an object must not pass for a complete commit.
Result<bool> is_complete(OstreeRepo* repo, const std::string& commit) {
    GlibError error;
    Table reachable;
    // Fails when a directory is missing, and does not look at files.
    if (!ostree_repo_traverse_commit(repo, commit.c_str(), 0, Out(reachable), nullptr, error)) return false;
    GHashTableIter iterator;
    g_hash_table_iter_init(&iterator, reachable.get());
    for (gpointer key = nullptr; g_hash_table_iter_next(&iterator, &key, nullptr);) {
        const char* checksum = nullptr;
        OstreeObjectType type{};
        ostree_object_name_deserialize(static_cast<GVariant*>(key), &checksum, &type);
        gboolean there = FALSE;
        if (!ostree_repo_has_object(repo, type, checksum, &there, nullptr, error))
            return fail(classify(error, "cannot look for an object", Code::System));
        if (!there) return false;
    }
    return true;
}

/// Tells every second that something happens: libostree itself does not, and who watches would take it for a stall.
std::jthread heart_beat(const std::function<void(const Progress&)>& tell) {
    return std::jthread([&tell](const std::stop_token& stop) {
        while (tell && system_clock().sleep(Milliseconds(500), stop))
            tell({});
    });
}

}  // namespace

Result<CommitInfo> read_delta(const Path& file) {
    const auto read = TRY(read_superblock(file));
    return info_of(read.commit.get(), read.commit_id);
}

Result<void> Repository::import_commit_only(const Path& file, std::string_view commit) {
    const auto read = TRY(read_superblock(file));
    if (read.commit_id != commit)
        return fail(Code::NotFound, std::format("'{}' holds commit {}, not {}", file.string(), read.commit_id, commit));
    OstreeRepo* repo = handle_->get();
    const auto what = std::format("cannot read the commit of '{}'", file.string());
    gboolean there = FALSE;
    GlibError error;
    if (!ostree_repo_has_object(repo, OSTREE_OBJECT_TYPE_COMMIT, read.commit_id.c_str(), &there, nullptr, error))
        return fail(classify(error, what, Code::System));
    auto transaction = TRY(Transaction::begin(repo));
    if (!there) {
        TRY(mark_partial(repo, read.commit_id, true));  // first: a commit without content must never look complete
        if (!ostree_repo_write_metadata(repo, OSTREE_OBJECT_TYPE_COMMIT, read.commit_id.c_str(), read.commit.get(),
                                        nullptr, nullptr, error))
            return fail(classify(error, what, Code::System));
    }
    TRY(transaction.commit());
    if (!ostree_repo_write_commit_detached_metadata(repo, read.commit_id.c_str(), read.detached.get(), nullptr, error))
        return fail(classify(error, what, Code::System));
    return {};
}

Result<void> Repository::import_content(const Path& file, std::string_view commit,
                                        const std::function<void(const Progress&)>& progress) {
    const auto read = TRY(read_superblock(file));
    if (read.commit_id != commit)
        return fail(Code::NotFound, std::format("'{}' holds commit {}, not {}", file.string(), read.commit_id, commit));
    TRY(check_room(*this, commit));
    OstreeRepo* repo = handle_->get();
    const auto what = std::format("cannot unpack '{}'", file.string());
    const Object<GFile> path(g_file_new_for_path(file.c_str()));
    GlibError error;
    auto transaction = TRY(Transaction::begin(repo));
    {
        const auto beating = heart_beat(progress);
        if (!ostree_repo_static_delta_execute_offline_with_signature(repo, path.get(), nullptr, FALSE, nullptr,
                                                                     error)) {
            const auto reason = classify(error, what, Code::InvalidInput);
            return fail(reason.code == Code::NoSpace ? after_no_space(reason) : reason);
        }
    }
    TRY(transaction.commit());
    if (!TRY(is_complete(repo, read.commit_id)))
        return fail(Code::InvalidInput, std::format("'{}' does not hold all of its app", file.string()));
    return mark_partial(repo, read.commit_id, false);
}

Result<bool> Repository::is_signed(std::string_view commit) const {
    TRY(load_commit(handle_->get(), commit));
    return !TRY(read_signatures(handle_->get(), commit)).empty();
}

Result<void> Repository::export_to(const Path& file, std::string_view commit) const {
    TRY(load_commit(handle_->get(), commit));
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&builder, "{sv}", "inline-parts", g_variant_new_boolean(TRUE));
    g_variant_builder_add(&builder, "{sv}", "min-fallback-size", g_variant_new_uint32(0));  // everything is in the file
    g_variant_builder_add(&builder, "{sv}", "filename", g_variant_new_bytestring(file.c_str()));
    const Variant options(g_variant_ref_sink(g_variant_builder_end(&builder)));
    GlibError error;
    const std::string id(commit);
    if (ostree_repo_static_delta_generate(handle_->get(), OSTREE_STATIC_DELTA_GENERATE_OPT_MAJOR, nullptr, id.c_str(),
                                          nullptr, options.get(), nullptr, error))
        return {};
    return fail(classify(error, std::format("cannot write '{}'", file.string()), Code::System));
}

}  // namespace davit::ostree
