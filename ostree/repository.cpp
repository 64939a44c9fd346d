#include "ostree/repository.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <format>

#include "ostree/handle.h"

namespace davit::ostree {
namespace {

OstreeRepoMode to_ostree(Mode mode) {
    return mode == Mode::Bare ? OSTREE_REPO_MODE_BARE : OSTREE_REPO_MODE_ARCHIVE;
}

// libostree's default is 3 % of the disk, which is a guess; what the device must keep free is configured.
Result<void> keep_free(OstreeRepo* repo, std::uint64_t bytes) {
    constexpr std::uint64_t kMega = 1u << 20;
    const auto wanted = std::format("{}MB", (bytes + kMega - 1) / kMega);
    const KeyFile config(ostree_repo_copy_config(repo));
    const Memory<char> present(g_key_file_get_string(config.get(), "core", "min-free-space-size", nullptr));
    if (present && wanted == present.get()) return {};
    g_key_file_set_string(config.get(), "core", "min-free-space-size", wanted.c_str());
    return write_config(repo, config.get());
}

// A bare repository holds what apps hold, setuid programs included: nobody but root may reach it.
Result<void> create(const Path& path, Mode mode) {
    TRY(file::make_directories(path, mode == Mode::Bare ? 0700 : 0755));
    GlibError error;
    const Object<OstreeRepo> repo(
        ostree_repo_create_at(AT_FDCWD, path.c_str(), to_ostree(mode), nullptr, nullptr, error));
    if (!repo)
        return fail(classify(error, std::format("cannot create the repository '{}'", path.string()), Code::System));
    return {};
}

std::optional<std::string> lookup_string(GVariant* dictionary, const char* key) {
    const char* value = nullptr;
    if (!g_variant_lookup(dictionary, key, "&s", &value)) return std::nullopt;
    return value;
}

std::vector<std::string> lookup_strings(GVariant* dictionary, const char* key) {
    std::vector<std::string> values;
    const Variant array(g_variant_lookup_value(dictionary, key, G_VARIANT_TYPE_STRING_ARRAY));
    if (!array) return values;
    for (gsize i = 0; i < g_variant_n_children(array.get()); ++i) {
        const Variant child(g_variant_get_child_value(array.get(), i));
        values.emplace_back(g_variant_get_string(child.get(), nullptr));
    }
    return values;
}

}  // namespace

bool is_commit_id(std::string_view text) {
    return text.size() == 64 &&
           std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<void> write_config(OstreeRepo* repo, GKeyFile* config) {
    GlibError error;
    if (!ostree_repo_write_config(repo, config, error) || !ostree_repo_reload_config(repo, nullptr, error))
        return fail(classify(error, "cannot write the repository's configuration", Code::System));
    return {};
}

Result<Repository> Repository::open(const Path& path) {
    if (!file::exists(path)) return fail(Code::NotFound, std::format("there is no repository at '{}'", path.string()));
    GlibError error;
    Object<OstreeRepo> repo(ostree_repo_open_at(AT_FDCWD, path.c_str(), nullptr, error));
    if (!repo)
        return fail(Code::InvalidInput,
                    std::format("'{}' is not an OSTree repository ({})", path.string(), error.get()->message));
    return Repository(std::make_shared<Handle>(path, std::move(repo)));
}

Result<Repository> Repository::open_or_create(const Path& path, Mode mode, std::uint64_t min_free_bytes) {
    if (!file::exists(path) || TRY(file::list(path)).empty()) TRY(create(path, mode));
    auto repository = TRY(open(path));
    OstreeRepo* repo = repository.handle_->get();
    if (ostree_repo_get_mode(repo) != to_ostree(mode))
        return fail(Code::InvalidInput, std::format("the repository '{}' exists, but is not in mode '{}'",
                                                    path.string(), mode == Mode::Bare ? "bare" : "archive"));
    if (min_free_bytes > 0) TRY(keep_free(repo, min_free_bytes));
    return repository;
}

std::span<const std::uint8_t> LoadedCommit::bytes() const {
    return {static_cast<const std::uint8_t*>(g_variant_get_data(variant.get())), g_variant_get_size(variant.get())};
}

Result<LoadedCommit> load_commit(OstreeRepo* repo, std::string_view commit) {
    if (!is_commit_id(commit))
        return fail(Code::InvalidInput, std::format("'{}' is not a commit id (64 hex digits)", commit));
    const std::string id(commit);
    GlibError error;
    LoadedCommit loaded;
    if (!ostree_repo_load_variant_if_exists(repo, OSTREE_OBJECT_TYPE_COMMIT, id.c_str(), Out(loaded.variant), error))
        return fail(classify(error, std::format("cannot read commit {}", id), Code::Corrupt));
    if (!loaded.variant) return fail(Code::NotFound, std::format("commit {} is not in the repository", id));
    const auto bytes = loaded.bytes();
    const Memory<char> actual(g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes.data(), bytes.size()));
    if (id != actual.get())
        return fail(Code::Corrupt, std::format("the object of commit {} is damaged on this disk (its SHA-256 is {})",
                                               id, actual.get()));

    OstreeRepoCommitState state{};
    if (!ostree_repo_load_commit(repo, id.c_str(), nullptr, &state, error))
        return fail(classify(error, std::format("cannot read commit {}", id), Code::Corrupt));
    loaded.partial = (state & OSTREE_REPO_COMMIT_STATE_PARTIAL) != 0;
    return loaded;
}

CommitInfo info_of(GVariant* commit, std::string_view id) {
    const Variant metadata(g_variant_get_child_value(commit, 0));
    const Memory<char> parent(ostree_commit_get_parent(commit));
    CommitInfo info;
    info.id = id;
    info.refs = lookup_strings(metadata.get(), OSTREE_COMMIT_META_KEY_REF_BINDING);
    info.app = lookup_string(metadata.get(), "davit.name").value_or("");
    info.version = lookup_string(metadata.get(), OSTREE_COMMIT_META_KEY_VERSION);
    if (parent) info.parent = parent.get();
    info.timestamp = ostree_commit_get_timestamp(commit);
    return info;
}

Result<CommitInfo> Repository::info(std::string_view commit) const {
    const auto loaded = TRY(load_commit(handle_->get(), commit));
    auto info = info_of(loaded.variant.get(), commit);
    info.partial = loaded.partial;
    return info;
}

Result<std::string> Repository::read_file(std::string_view commit, const Path& path_in_commit) const {
    constexpr gsize kLimit = 16u << 20;
    TRY(load_commit(handle_->get(), commit));
    const auto what = std::format("cannot read '{}' of commit {}", path_in_commit.string(), commit);
    GlibError error;
    Object<GFile> root;
    if (!ostree_repo_read_commit(handle_->get(), std::string(commit).c_str(), Out(root), nullptr, nullptr, error))
        return fail(classify(error, what, Code::Corrupt));
    const Object<GFile> file(g_file_resolve_relative_path(root.get(), path_in_commit.relative_path().c_str()));
    const Object<GFileInputStream> stream(g_file_read(file.get(), nullptr, error));
    if (!stream) return fail(classify(error, what, Code::Corrupt));
    std::string content;
    std::string block(64u << 10, '\0');
    while (true) {
        const gssize size =
            g_input_stream_read(G_INPUT_STREAM(stream.get()), block.data(), block.size(), nullptr, error);
        if (size < 0) return fail(classify(error, what, Code::Corrupt));
        if (size == 0) return content;
        content.append(block, 0, static_cast<std::size_t>(size));
        if (content.size() > kLimit) return fail(Code::InvalidInput, what + ": it is larger than 16 MiB");
    }
}

namespace {

Result<Table> list_refs(OstreeRepo* repo) {
    GlibError error;
    Table table;
    if (!ostree_repo_list_refs_ext(repo, nullptr, Out(table), OSTREE_REPO_LIST_REFS_EXT_NONE, nullptr, error))
        return fail(classify(error, "cannot list the refs", Code::System));
    return table;
}

}  // namespace

// Not ostree_repo_resolve_rev(): that takes a name of hex digits ("cafe") for the beginning of a commit id.
Result<std::optional<std::string>> Repository::resolve(std::string_view ref) const {
    const auto table = TRY(list_refs(handle_->get()));
    const auto* commit = static_cast<const char*>(g_hash_table_lookup(table.get(), std::string(ref).c_str()));
    if (!commit) return std::nullopt;
    return std::string(commit);
}

Result<std::vector<std::string>> Repository::refs() const {
    const auto table = TRY(list_refs(handle_->get()));
    std::vector<std::string> names;
    GHashTableIter iterator;
    g_hash_table_iter_init(&iterator, table.get());
    for (gpointer name = nullptr; g_hash_table_iter_next(&iterator, &name, nullptr);)
        names.emplace_back(static_cast<const char*>(name));
    std::ranges::sort(names);
    return names;
}

Result<void> Repository::set_ref(std::string_view ref, std::optional<std::string_view> commit) {
    // "remote:name", as refs() gives it.
    const auto colon = ref.find(':');
    const std::string remote(colon == std::string_view::npos ? "" : ref.substr(0, colon));
    const std::string name(colon == std::string_view::npos ? ref : ref.substr(colon + 1));
    const std::string target(commit.value_or(""));
    GlibError error;
    if (!ostree_validate_rev(name.c_str(), error))
        return fail(Code::InvalidInput, std::format("'{}' cannot be the name of a ref", ref));
    if (!ostree_repo_set_ref_immediate(handle_->get(), remote.empty() ? nullptr : remote.c_str(), name.c_str(),
                                       commit ? target.c_str() : nullptr, nullptr, error))
        return fail(classify(error, std::format("cannot write ref '{}'", ref), Code::System));
    return {};
}

}  // namespace davit::ostree
