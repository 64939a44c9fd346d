// The network side: fetch the commit object alone, or a commit with all its content.

#include <algorithm>
#include <array>
#include <format>

#include "ostree/handle.h"

namespace davit::ostree {
namespace {

// libostree runs the caller's thread-default main context; this gives it one of its own.
class PrivateContext {
public:
    PrivateContext() : context_(g_main_context_new()) { g_main_context_push_thread_default(context_); }
    ~PrivateContext() {
        g_main_context_pop_thread_default(context_);
        g_main_context_unref(context_);
    }
    PrivateContext(const PrivateContext&) = delete;
    PrivateContext& operator=(const PrivateContext&) = delete;

private:
    GMainContext* context_;
};

void add(GVariantBuilder& builder, const char* key, GVariant* value) {
    g_variant_builder_add(&builder, "{sv}", key, value);
}

void add_strings(GVariantBuilder& builder, const char* key, const std::string& only_one) {
    const char* values[] = {only_one.c_str()};
    add(builder, key, g_variant_new_strv(values, 1));
}

GVariant* header_pairs(const std::vector<std::string>& headers) {
    GVariantBuilder pairs;
    g_variant_builder_init(&pairs, G_VARIANT_TYPE("a(ss)"));
    for (const auto& header : headers) {
        const auto colon = std::min(header.find(':'), header.size());
        const auto value = std::min(header.find_first_not_of(": ", colon), header.size());
        g_variant_builder_add(&pairs, "(ss)", header.substr(0, colon).c_str(), header.substr(value).c_str());
    }
    return g_variant_builder_end(&pairs);
}

void add_common(GVariantBuilder& builder, const PullRequest& request) {
    add(builder, "override-url", g_variant_new_string(request.url.c_str()));
    add(builder, "depth", g_variant_new_int32(0));
    // Without it libostree asks for config, summary and delta indexes that nobody made.
    add(builder, "disable-static-deltas", g_variant_new_boolean(TRUE));
    // The signature is checked by us (ostree/signature): engines for it are missing in many builds of libostree.
    add(builder, "gpg-verify", g_variant_new_boolean(FALSE));
    add(builder, "gpg-verify-summary", g_variant_new_boolean(FALSE));
    add(builder, "disable-sign-verify", g_variant_new_boolean(TRUE));
    add(builder, "disable-sign-verify-summary", g_variant_new_boolean(TRUE));
    add(builder, "n-network-retries", g_variant_new_uint32(5));
    // Slow mobile links count as alive; a silent one is given up after 30 s (libostree's default of 1000 B/s would give
    // up a GSM link).
    add(builder, "low-speed-limit-bytes", g_variant_new_uint32(100));
    add(builder, "low-speed-time-seconds", g_variant_new_uint32(30));
    add(builder, "update-frequency", g_variant_new_uint32(100));
    add(builder, "append-user-agent", g_variant_new_string("davit/" DAVIT_VERSION));
    if (!request.http_headers.empty()) add(builder, "http-headers", header_pairs(request.http_headers));
}

Result<void> check(const PullRequest& request) {
    if (!request.commit.empty() && !is_commit_id(request.commit))
        return fail(Code::InvalidInput, std::format("'{}' is not a commit id (64 hex digits)", request.commit));
    constexpr std::array kSchemes{"http://", "https://", "file://"};
    if (std::ranges::none_of(kSchemes, [&](const char* scheme) { return request.url.starts_with(scheme); }))
        return fail(Code::InvalidInput,
                    std::format("'{}' is not the URL of a repository (http://, https:// or file://)", request.url));
    for (const auto& header : request.http_headers)
        if (header.find(": ") == std::string::npos || header.find_first_of("\r\n") != std::string::npos)
            return fail(Code::InvalidInput, "an HTTP header for the repository is not of the form 'Name: value'");
    return {};
}

// libostree takes the CA file from a remote only, so there is one; the file is written when the CA changes, not per
// pull.
Result<void> configure_remote(OstreeRepo* repo, const std::optional<std::string>& ca_file) {
    const auto group = std::format("remote \"{}\"", kRemote);
    const KeyFile config(ostree_repo_copy_config(repo));
    const Memory<char> present(g_key_file_get_string(config.get(), group.c_str(), "tls-ca-path", nullptr));
    const std::string present_ca = present ? present.get() : "";
    if (g_key_file_has_group(config.get(), group.c_str()) && present_ca == ca_file.value_or("")) return {};

    g_key_file_remove_group(config.get(), group.c_str(), nullptr);
    g_key_file_set_string(config.get(), group.c_str(), "url", "http://given.per.pull.invalid/");
    g_key_file_set_boolean(config.get(), group.c_str(), "gpg-verify", FALSE);
    if (ca_file) g_key_file_set_string(config.get(), group.c_str(), "tls-ca-path", ca_file->c_str());
    return write_config(repo, config.get());
}

struct Listener {
    const std::function<void(const Progress&)>* tell;
    Progress last;
};

void on_progress(OstreeAsyncProgress* source, gpointer user_data) {
    auto* listener = static_cast<Listener*>(user_data);
    Progress now;
    guint metadata = 0;  // both count what came from a file:// repository, where nothing is "fetched"
    guint content = 0;
    ostree_async_progress_get(source, "bytes-transferred", "t", &now.bytes, "fetched", "u", &now.fetched, "requested",
                              "u", &now.requested, "metadata-fetched-localcache", "u", &metadata,
                              "content-fetched-localcache", "u", &content, nullptr);
    now.fetched += metadata + content;
    now.requested = std::max(now.requested, now.fetched);
    const auto& last = listener->last;
    const bool changed = now.bytes != last.bytes || now.fetched != last.fetched || now.requested != last.requested;
    listener->last = now;
    if (changed) (*listener->tell)(now);
}

Result<void> run_pull(OstreeRepo* repo, const PullRequest& request, GVariant* options,
                      const std::function<void(const Progress&)>& tell) {
    TRY(check(request));
    TRY(configure_remote(repo, request.ca_file));
    const PrivateContext context;
    Listener listener{&tell, {}};
    const Object<OstreeAsyncProgress> progress(tell ? ostree_async_progress_new_and_connect(on_progress, &listener)
                                                    : ostree_async_progress_new());
    GlibError error;
    const bool good = ostree_repo_pull_with_options(repo, kRemote, options, progress.get(), nullptr, error);
    ostree_async_progress_finish(progress.get());
    if (good) return {};
    auto reason =
        classify(error,
                 request.commit.empty() ? std::format("cannot ask {} for its newest '{}'", request.url, request.ref)
                                        : std::format("cannot fetch commit {} of '{}' from {}",
                                                      request.commit.substr(0, 12), request.ref, request.url),
                 Code::Network);
    // A web server says 404 to a wrong address and to a commit that was never published alike.
    if (reason.code == Code::NotFound)
        reason.message += "; is this the repository, and was the commit published to it?";
    return fail(std::move(reason));
}

}  // namespace

Variant pull_options(const PullRequest& request) {
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    // Both together: exactly this commit, no summary, and libostree checks the ref binding.
    add_strings(builder, "refs", request.ref);
    add_strings(builder, "override-commit-ids", request.commit);
    // For file:// (media): checksums are verified as they are for HTTP.
    add(builder, "flags", g_variant_new_int32(OSTREE_REPO_PULL_FLAGS_UNTRUSTED));
    add_common(builder, request);
    return Variant(g_variant_ref_sink(g_variant_builder_end(&builder)));
}

Variant pull_commit_only_options(const PullRequest& request) {
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    // By checksum: a commit-only pull by ref would already move the ref to a commit without content.
    add_strings(builder, "refs", request.commit);
    add(builder, "flags", g_variant_new_int32(OSTREE_REPO_PULL_FLAGS_UNTRUSTED | OSTREE_REPO_PULL_FLAGS_COMMIT_ONLY));
    add_common(builder, request);
    return Variant(g_variant_ref_sink(g_variant_builder_end(&builder)));
}

Result<void> Repository::pull_commit_only(const PullRequest& request) {
    return run_pull(handle_->get(), request, pull_commit_only_options(request).get(), {});
}

Result<std::string> Repository::pull_newest_commit_only(const PullRequest& request) {
    GVariantBuilder builder;
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    add_strings(builder, "refs", request.ref);
    add(builder, "flags", g_variant_new_int32(OSTREE_REPO_PULL_FLAGS_UNTRUSTED | OSTREE_REPO_PULL_FLAGS_COMMIT_ONLY));
    add_common(builder, request);
    const Variant options(g_variant_ref_sink(g_variant_builder_end(&builder)));
    TRY(run_pull(handle_->get(), request, options.get(), {}));
    const auto ref = std::format("{}:{}", kRemote, request.ref);
    auto commit = TRY(resolve(ref));
    if (!commit) return fail(Code::NotFound, std::format("{} has no app '{}'", request.url, request.ref));
    TRY(set_ref(ref, std::nullopt));  // it names a commit without content
    return *commit;
}

// Half-fetched objects would keep the disk full, and every later pull from succeeding.
Error Repository::after_no_space(const Error& error) const {
    const auto dropped = drop_staging(handle_->path, Staging::All);
    const auto now = disk();
    if (!dropped || !now) return error;
    return Error{error.code, std::format("{} ('{}' has {} bytes free, {} of them must stay free)", error.message,
                                         now->path.string(), now->free_bytes, now->reserved_bytes)};
}

Result<void> Repository::pull(const PullRequest& request, const std::function<void(const Progress&)>& progress) {
    // Where the commit object is here (pull_commit_only), a disk that is too small costs no download.
    if (const auto room = check_room(*this, request.commit); !room && room.error().code == Code::NoSpace) return room;
    const auto pulled = run_pull(handle_->get(), request, pull_options(request).get(), progress);
    if (!pulled && pulled.error().code == Code::NoSpace) return fail(after_no_space(pulled.error()));
    if (!pulled) return pulled;
    // What is kept is named by whoever keeps it (set_ref), not by where it came from.
    return set_ref(std::format("{}:{}", kRemote, request.ref), std::nullopt);
}

}  // namespace davit::ostree
