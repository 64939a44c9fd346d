#pragma once
/// Behind ostree/repository.h: libostree's and glib's types with owners, and what the parts of Repository share.
/// Private to ostree/.

#include <ostree.h>

#include <memory>
#include <string>
#include <string_view>

#include "ostree/repository.h"

namespace davit::ostree {

struct UnrefObject {
    void operator()(gpointer object) const { g_object_unref(object); }
};
struct UnrefVariant {
    void operator()(GVariant* variant) const { g_variant_unref(variant); }
};
struct UnrefTable {
    void operator()(GHashTable* table) const { g_hash_table_unref(table); }
};
struct FreeMemory {
    void operator()(gpointer memory) const { g_free(memory); }
};
struct UnrefKeyFile {
    void operator()(GKeyFile* file) const { g_key_file_unref(file); }
};
template <typename T>
using Object = std::unique_ptr<T, UnrefObject>;
using Variant = std::unique_ptr<GVariant, UnrefVariant>;
using Table = std::unique_ptr<GHashTable, UnrefTable>;
using KeyFile = std::unique_ptr<GKeyFile, UnrefKeyFile>;
template <typename T>
using Memory = std::unique_ptr<T, FreeMemory>;

/// For C functions that give an owned pointer through their last-but-one parameter: `f(…, Out(variant))`. Lives as long
/// as the call.
template <typename Owner>
class Out {
public:
    explicit Out(Owner& owner) : owner_(owner) {}
    ~Out() { owner_.reset(raw_); }
    Out(const Out&) = delete;
    Out& operator=(const Out&) = delete;
    operator typename Owner::pointer *() { return &raw_; }  // NOLINT(google-explicit-constructor): the point of it

private:
    Owner& owner_;
    typename Owner::pointer raw_ = nullptr;
};

/// The GError of one call.
class GlibError {
public:
    GlibError() = default;
    ~GlibError() { g_clear_error(&error_); }
    GlibError(const GlibError&) = delete;
    GlibError& operator=(const GlibError&) = delete;
    operator GError**() { return &error_; }  // NOLINT(google-explicit-constructor): the point of it
    [[nodiscard]] const GError* get() const { return error_; }

private:
    GError* error_ = nullptr;
};

/// What libostree's error means to us, as "<what>: <libostree's words>". libostree has almost no codes
/// (G_IO_ERROR_FAILED for most), so its words are the only way to tell damage on this disk, a full disk and a broken
/// connection apart. @p otherwise is the code when nothing is recognised.
Error classify(const GlibError& error, std::string_view what, Code otherwise);

struct Repository::Handle {
    Path path;
    Object<OstreeRepo> repo;

    [[nodiscard]] OstreeRepo* get() const { return repo.get(); }
};

/// Replaces the repository's configuration, and reads it again.
Result<void> write_config(OstreeRepo* repo, GKeyFile* config);

/// A commit object whose bytes hash to its name. libostree crashes on a zeroed one (a power cut can leave that), so
/// nothing of ours loads a commit otherwise.
struct LoadedCommit {
    Variant variant;
    bool partial = false;

    [[nodiscard]] std::span<const std::uint8_t> bytes() const;
};
/// Errors: InvalidInput (not an id), NotFound, Corrupt.
Result<LoadedCommit> load_commit(OstreeRepo* repo, std::string_view commit);

/// What a commit object says about itself.
CommitInfo info_of(GVariant* commit, std::string_view id);

/// The signatures in the commit's detached metadata (`ostree.sign.ed25519`, aay); none if there are none.
Result<std::vector<Bytes>> read_signatures(OstreeRepo* repo, std::string_view commit);

/// The value of the metadata `davit.sizes` for a tree that was just written (OstreeRepoFile); its key is kSizesKey. See
/// sizes.cpp.
Result<Variant> sizes_metadata(GFile* root);
inline constexpr auto kSizesKey = "davit.sizes";

/// Whether the rest of @p commit fits on the disk, as far as its sizes are known. Errors: NoSpace with the free,
/// reserved, needed and missing bytes.
Result<void> check_room(const Repository& repository, std::string_view commit);

/// Makes an existing checkout what @p commit says. @return how many files and directories were not. Errors: Corrupt.
Result<unsigned> mend_checkout(const Repository::Handle& handle, const LoadedCommit& commit, const Path& directory);

/// Half-fetched objects. Those of this boot let an interrupted pull continue; older ones are not trusted even by
/// libostree.
enum class Staging { OfOtherBoots, All };
Result<void> drop_staging(const Path& repository, Staging which);

/// Prepared on construction by begin(), aborted unless commit() was reached.
class Transaction {
public:
    static Result<Transaction> begin(OstreeRepo* repo);
    ~Transaction();
    Transaction(Transaction&& other) noexcept : repo_(std::exchange(other.repo_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    Result<void> commit();

private:
    explicit Transaction(OstreeRepo* repo) : repo_(repo) {}
    OstreeRepo* repo_;
};

/// The name of the remote that pulls use. Its URL is given per pull; it exists for the CA file, which libostree takes
/// from a remote only.
inline constexpr auto kRemote = "davit";

/// The options of ostree_repo_pull_with_options. libostree ignores unknown keys and wrong types without a word: a test
/// checks both.
Variant pull_options(const PullRequest& request);
Variant pull_commit_only_options(const PullRequest& request);

}  // namespace davit::ostree
