#pragma once
/// An OSTree repository: commit, read, check out, keep, prune. The only room that includes <ostree.h>.
///
/// Not thread-safe. libostree's GErrors become Error; glib's types stay behind this header.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/file.h"
#include "common/result.h"
#include "ostree/signature.h"

namespace davit::ostree {

enum class Mode { Bare, Archive };

/// How closely mend() looks.
enum class Look { AtMetadata, AtEverything };

/// What a commit says about itself.
struct CommitInfo {
    std::string id;                      ///< 64 hex digits
    std::vector<std::string> refs;       ///< ref binding: the names it was published under
    std::string app;                     ///< metadata "davit.name"; empty for commits of other tools
    std::optional<std::string> version;  ///< metadata "version"
    std::optional<std::string> parent;
    std::uint64_t timestamp = 0;  ///< seconds since the epoch
    bool partial = false;         ///< only the commit object is here, not its content
};

/// What a pull of a commit would cost, from the sizes that the commit carries (`davit.sizes`; see sizes.cpp). Files
/// only; directories are small.
struct Cost {
    bool known = false;               ///< false: the commit carries no sizes
    std::uint64_t missing_bytes = 0;  ///< on this disk, in whole blocks, of the files that are not here
    std::uint64_t missing_wire = 0;   ///< at most so many travel: files are sent compressed, their sizes here are not
    std::uint64_t missing_objects = 0;
};

/// The room on the repository's disk.
struct Disk {
    Path path;  ///< of the repository
    std::uint64_t free_bytes = 0;
    std::uint64_t reserved_bytes = 0;  ///< must stay free
};

struct PullRequest {
    std::string url;  ///< http(s)://… or file://… of an archive repository
    std::string ref;  ///< expected in the ref binding
    std::string commit;
    std::optional<std::string> ca_file;
    std::vector<std::string> http_headers;  ///< "Name: value"
};

struct Progress {
    std::uint64_t bytes = 0;
    std::uint32_t fetched = 0;  ///< objects
    std::uint32_t requested = 0;
};

/// One directory to commit.
struct CommitRequest {
    Path directory;
    std::string ref;
    std::string version;
    std::string subject;
    std::uint64_t timestamp = 0;                  ///< seconds; part of the commit id, so it comes from the caller
    std::map<std::string, std::string> metadata;  ///< further string metadata ("davit.name")
};

/// 64 lower-case hex digits?
bool is_commit_id(std::string_view text);

/// What the file that export_to() made says it holds. Errors: InvalidInput, NotFound.
Result<CommitInfo> read_delta(const Path& file);

class Repository {
public:
    /// Errors: InvalidInput "… is not an OSTree repository", NotFound.
    static Result<Repository> open(const Path& path);
    /// Creates it if it is absent. A bare one keeps @p min_free_bytes free on its disk. Errors: InvalidInput when it
    /// exists in another mode.
    static Result<Repository> open_or_create(const Path& path, Mode mode, std::uint64_t min_free_bytes = 0);

    // --- publisher -----------------------------------------------------------
    /// Commits a directory with uid, gid, modes and xattrs as they are, sizes included, and moves @p request.ref to it.
    /// Reproducible: same tree and same request give the same id. Errors: InvalidInput for device nodes, sockets and
    /// FIFOs, naming the path.
    Result<std::string> commit(const CommitRequest& request);
    /// Adds a signature to the commit's detached metadata (does nothing if this key's is there).
    Result<void> sign(std::string_view commit, const SigningKey& key);
    /// Whether anybody has signed it. Errors: NotFound.
    [[nodiscard]] Result<bool> is_signed(std::string_view commit) const;
    /// Copies a commit, its content and the ref into another repository on this machine, and rewrites that one's
    /// summary.
    Result<void> push_to(const Path& repository, std::string_view ref, std::string_view commit);

    /// Writes a commit with its signatures and all its content into one file, for devices without a network; a file of
    /// that name is replaced. Anybody may read it. Errors: NotFound.
    Result<void> export_to(const Path& file, std::string_view commit) const;

    // --- both ----------------------------------------------------------------
    [[nodiscard]] Result<std::optional<std::string>> resolve(std::string_view ref) const;  ///< the commit a ref names
    [[nodiscard]] Result<CommitInfo> info(std::string_view commit) const;                  ///< Errors: NotFound
    [[nodiscard]] Result<std::string> read_file(std::string_view commit,
                                                const Path& path_in_commit) const;  ///< Errors: NotFound
    [[nodiscard]] Result<std::vector<std::string>> refs() const;

    // --- device --------------------------------------------------------------
    /// Fetches the commit object and its signatures only, without touching a ref. Two requests, under a kilobyte.
    Result<void> pull_commit_only(const PullRequest& request);
    /// The commit that the server says @p request.ref is at (`request.commit` does not matter); its object and
    /// signatures are fetched. Errors: those of pull().
    Result<std::string> pull_newest_commit_only(const PullRequest& request);
    /// Fetches everything of the commit (refs + override-commit-ids, depth 0, no deltas), checking the ref binding.
    /// The ref is not kept: who wants the content to stay names it with set_ref(). @p progress is called at most ten
    /// times a second, only when a number changed. Errors: NotFound (404, 403, 410), Unauthorized (401), Untrusted (ref
    /// binding), NoSpace with the bytes, Corrupt (objects on this disk are damaged: heal() and pull again), Network
    /// (the rest: worth retrying).
    Result<void> pull(const PullRequest& request, const std::function<void(const Progress&)>& progress);
    /// The same two from a file that export_to() has made. Nothing in the file is trusted: verify() between the two.
    /// Errors: NotFound when it holds another commit, or is not there; InvalidInput when it is no such file, or
    /// damaged.
    Result<void> import_commit_only(const Path& file, std::string_view commit);
    Result<void> import_content(const Path& file, std::string_view commit,
                                const std::function<void(const Progress&)>& progress);
    [[nodiscard]] Result<Cost> cost(std::string_view commit) const;
    [[nodiscard]] Result<Disk> disk() const;
    /// The key that signed it, if that key may sign @p app and the commit was published as @p ref. Errors: Untrusted;
    /// Corrupt when the commit object is not what its id says.
    [[nodiscard]] Result<std::string> verify(std::string_view commit, std::string_view ref, std::string_view app,
                                             std::span<const TrustedKey> keys) const;
    /// Reads the objects of a commit that are here (with files, or without). What is not what its name says is thrown
    /// away, and the commit noted as partial, so that pull() fetches it again. @p alive is called before each object.
    /// @return how many were thrown away. Errors: NotFound; Corrupt when the commit object itself is damaged.
    Result<unsigned> mend(std::string_view commit, Look look, const std::function<void()>& alive);
    /// Reads every directory object that is here, of whatever commit, and throws the damaged ones away: a pull gives up
    /// at the first, and knows of it only when it has fetched what leads there. @return how many
    Result<unsigned> mend_directories(const std::function<void()>& alive);
    /// Throws the commit object away, so that pull_commit_only() fetches it again.
    Result<void> forget_commit(std::string_view commit);
    /// Hard-link checkout into @p destination, complete by construction: temporary name in the same directory, syncfs,
    /// rename, fsync. If @p destination exists, what differs from the commit is replaced, file by file, and nothing
    /// else touched. Errors: NoSpace, Corrupt.
    Result<void> checkout(std::string_view commit, const Path& destination);
    Result<void> set_ref(std::string_view ref, std::optional<std::string_view> commit);  ///< nullopt deletes it
    /// Deletes every object that no ref reaches (refs only, depth 0), and staging left-overs of other boots.
    Result<void> prune();
    /// After Code::Corrupt: drops everything half-fetched and the refs of damaged commits, and prunes, so that the next
    /// pull starts clean.
    Result<void> heal();

    struct Handle;

private:
    [[nodiscard]] Error after_no_space(const Error& error) const;
    explicit Repository(std::shared_ptr<Handle> handle) : handle_(std::move(handle)) {}
    std::shared_ptr<Handle> handle_;
};

}  // namespace davit::ostree
