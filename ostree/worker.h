#pragma once
/// OSTree in a process of its own: `davit-ostree`, started per job, killed when it stalls, its memory and its crashes
/// gone with it.
///
/// davitd does not load libostree at all. The worker reads one JSON object (a Job) on standard input and writes JSON
/// lines on standard output:
/// `{"progress":{"bytes":…,"fetched":…,"requested":…}}`, at last `{"done":{…}}` or
/// `{"error":{"code":"NotFound","message":"…"}}`. Credentials travel on standard input only.

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/file.h"
#include "common/result.h"

namespace davit::ostree {

// These are plain values, so that users of the worker need no libostree.

struct WorkerProgress {
    std::uint64_t bytes = 0;
    std::uint32_t fetched = 0;
    std::uint32_t requested = 0;
};

struct Source {
    std::string url;  ///< of a repository; or file:// and the path of a file of `davit app export`
    std::string ref;
    std::string commit;
    std::optional<std::string> ca_file;
    std::vector<std::string> http_headers;
};

/// What `inspect` found out before any content was fetched.
struct Inspection {
    std::string signed_by;  ///< name of the trusted key
    bool complete = false;  ///< all content is here already
    bool sizes_known = false;
    std::uint64_t missing_bytes = 0;
    std::uint64_t missing_wire = 0;
};

/// What look() found.
struct Found {
    std::string app;
    std::string ref;
    std::string version;
    std::string commit;
};

/// Runs jobs in davit-ostree. Blocking; one job at a time per object; not thread-safe.
class Worker {
public:
    struct Options {
        Path program;     ///< davit-ostree
        Path repository;  ///< bare, created when absent
        std::vector<Path> key_directories;
        Milliseconds stall{60'000};  ///< no progress for so long: killed, Code::Network
        std::uint64_t min_free_bytes = 32u << 20;
    };
    explicit Worker(Options options) : options_(std::move(options)) {}

    /// Fetches the commit object, verifies signature and ref binding for @p app, and tells what the rest would cost.
    /// Content is not fetched.
    Result<Inspection> inspect(const Source& source, std::string_view app, std::stop_token stop);
    /// Which app version @p source names: a repository (`ref` and `commit` may be empty: its only app, its newest
    /// version), or file:// and the path of a file of `davit app export`. Its commit is verified.
    Result<Found> look(const Source& source, std::stop_token stop);
    /// Fetches the content; verifies again (nothing is trusted because of an earlier process). Sets the ref
    /// `deploy/<app>/<commit>` so that prune keeps it.
    Result<void> pull(const Source& source, std::string_view app, std::stop_token stop,
                      const std::function<void(const WorkerProgress&)>& progress);
    /// Verifies what is here, checks it out to @p destination (complete or absent).
    Result<void> checkout(std::string_view app, std::string_view ref, std::string_view commit, const Path& destination,
                          std::stop_token stop);
    /// Keeps exactly these `deploy/<app>/<commit>` refs ("hello/<commit>"), deletes all others, prunes.
    Result<void> keep_only(const std::vector<std::string>& app_slash_commit, std::stop_token stop);

private:
    Options options_;
};

}  // namespace davit::ostree
