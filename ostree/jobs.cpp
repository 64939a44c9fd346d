#include "ostree/jobs.h"

#include <algorithm>
#include <filesystem>
#include <format>
#include <functional>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

#include "common/clock.h"

namespace davit::ostree {
namespace {

using Answer = Result<nlohmann::json>;
using Listen = std::function<void(const Progress&)>;

// The members that every verb has.
struct Place {
    Repository repository;
    std::vector<TrustedKey> keys;
};

Result<Place> open_place(const json::Reader& job) {
    const Path path = TRY(job.need_string("repository"));
    const auto min_free = TRY(job.get_integer("min_free_bytes")).value_or(0);
    std::vector<Path> directories;
    for (auto& directory : TRY(job.get_strings("keys")))
        directories.emplace_back(std::move(directory));
    auto repository = TRY(
        Repository::open_or_create(path, Mode::Bare, static_cast<std::uint64_t>(std::max<std::int64_t>(min_free, 0))));
    return Place{std::move(repository), TRY(read_trusted_keys(directories))};
}

Result<PullRequest> read_source(const json::Reader& job) {
    const auto source = TRY(job.need_object("source"));
    PullRequest request;
    request.url = TRY(source.need_string("url"));
    request.ref = TRY(source.need_string("ref"));
    request.commit = TRY(source.need_string("commit"));
    request.ca_file = TRY(source.get_string("ca_file"));
    request.http_headers = TRY(source.get_strings("http_headers"));
    return request;
}

constexpr std::string_view kFileScheme = "file://";

/// The file of one app version that @p url names; nullopt when it is a repository.
std::optional<Path> delta_file(const std::string& url) {
    if (!url.starts_with(kFileScheme)) return std::nullopt;
    const Path path = url.substr(kFileScheme.size());
    std::error_code error;
    return std::filesystem::is_directory(path, error) ? std::nullopt : std::optional(path);
}

Result<void> fetch_commit_only(Place& place, const PullRequest& source) {
    if (const auto file = delta_file(source.url)) return place.repository.import_commit_only(*file, source.commit);
    return place.repository.pull_commit_only(source);
}

Result<void> fetch_content(Place& place, const PullRequest& source, const Listen& progress) {
    if (const auto file = delta_file(source.url))
        return place.repository.import_content(*file, source.commit, progress);
    return place.repository.pull(source, progress);
}

// Asks the network only for what is not here: a commit object that verifies is not fetched twice.
Result<std::string> fetch_and_verify(Place& place, const PullRequest& source, const std::string& app) {
    const auto known = place.repository.verify(source.commit, source.ref, app, place.keys);
    const auto code = known ? std::nullopt : std::optional(known.error().code);
    if (code == Code::Corrupt) TRY(place.repository.forget_commit(source.commit));
    if (code != Code::NotFound && code != Code::Untrusted && code != Code::Corrupt) return known;
    TRY(fetch_commit_only(place, source));
    return place.repository.verify(source.commit, source.ref, app, place.keys);
}

/// Tells davitd now and then that we work: reading what is here takes its time, and gives no progress.
class Alive {
public:
    explicit Alive(const Listen& tell) : tell_(tell) {}
    void operator()() {
        const auto now = system_clock().now();
        if (now - told_ < Milliseconds(500)) return;
        told_ = now;
        tell_(last);
    }
    Progress last;

private:
    const Listen& tell_;
    MonotonicTime told_ = system_clock().now();
};

Answer inspect_once(Place& place, const json::Reader& job, const Listen& progress) {
    const auto app = TRY(job.need_string("app"));
    const auto source = TRY(read_source(job));
    const auto signer = TRY(fetch_and_verify(place, source, app));
    // What is here and damaged costs its download, too.
    Alive alive(progress);
    if (!TRY(place.repository.info(source.commit)).partial)
        TRY(place.repository.mend(source.commit, Look::AtEverything, std::ref(alive)));
    const auto info = TRY(place.repository.info(source.commit));
    const auto cost = TRY(place.repository.cost(source.commit));
    return nlohmann::json{{"signed_by", signer},
                          {"complete", !info.partial},
                          {"sizes_known", cost.known},
                          {"missing_bytes", info.partial ? cost.missing_bytes : 0},
                          {"missing_wire", info.partial ? cost.missing_wire : 0}};
}

// The name that keeps a commit from being pruned.
Result<void> keep(Place& place, const std::string& app, const std::string& commit) {
    return place.repository.set_ref(std::format("deploy/{}/{}", app, commit), commit);
}

/// The ref that somebody means who names none.
Result<std::string> only_ref(const std::string& url) {
    if (!url.starts_with(kFileScheme))
        return fail(Code::InvalidInput, std::format("which app of {}? Say it as {}#APP", url, url));
    const auto repository = TRY(Repository::open(Path(url.substr(kFileScheme.size()))));
    const auto refs = TRY(repository.refs());
    if (refs.size() == 1) return refs.front();
    std::string names;
    for (const auto& ref : refs)
        names += (names.empty() ? "" : ", ") + ref;
    return fail(Code::InvalidInput,
                std::format("which app of {}? Say it as {}#APP; it has: {}", url, url, names.empty() ? "none" : names));
}

/// Which app version is meant by a place that somebody at the device has named; verified.
Answer look(Place& place, const json::Reader& job) {
    auto source = TRY(read_source(job));
    CommitInfo info;
    if (const auto file = delta_file(source.url)) {
        info = TRY(read_delta(*file));
        source.commit = info.id;
    } else {
        if (source.ref.empty()) source.ref = TRY(only_ref(source.url));
        if (source.commit.empty()) {
            source.commit = TRY(place.repository.pull_newest_commit_only(source));
        } else {
            TRY(place.repository.pull_commit_only(source));
        }
        info = TRY(place.repository.info(source.commit));
    }
    if (info.refs.empty())
        return fail(Code::Untrusted,
                    std::format("commit {} is bound to no ref: it was not made by 'davit app commit'", info.id));
    if (source.ref.empty()) source.ref = info.refs.front();
    const auto& app = info.app.empty() ? source.ref : info.app;
    const auto signer = TRY(fetch_and_verify(place, source, app));
    return nlohmann::json{{"app", app},
                          {"ref", source.ref},
                          {"version", info.version.value_or("")},
                          {"commit", info.id},
                          {"signed_by", signer}};
}

Answer pull_once(Place& place, const PullRequest& source, const std::string& app, const Listen& progress) {
    TRY(fetch_and_verify(place, source, app));
    Alive alive(progress);
    const auto listen = [&](const Progress& now) { progress(alive.last = now); };
    // Twice: the files that the new commit shares with older ones were not read yet, and may be damaged.
    for (int most = 2; TRY(place.repository.info(source.commit)).partial; --most) {
        if (most == 0)
            return fail(Code::Corrupt, std::format("commit {} is damaged on this disk again and again", source.commit));
        TRY(place.repository.mend_directories(std::ref(alive)));
        TRY(fetch_content(place, source, listen));
        // The pull has fetched the signatures again, and from the same server that we do not trust.
        TRY(place.repository.verify(source.commit, source.ref, app, place.keys));
        TRY(place.repository.mend(source.commit, Look::AtEverything, std::ref(alive)));
    }
    TRY(keep(place, app, source.commit));
    return nlohmann::json::object();
}

/// A damaged directory would stop every prune: what is kept is noted as partial then, which prune understands.
Result<void> look_at_kept(Place& place) {
    for (const auto& ref : TRY(place.repository.refs())) {
        const auto commit = TRY(place.repository.resolve(ref));
        const auto mended = commit ? place.repository.mend(*commit, Look::AtMetadata, {}) : Result<unsigned>(0);
        if (!mended && mended.error().code != Code::Corrupt && mended.error().code != Code::NotFound)
            return fail(mended.error());
        if (!mended) TRY(place.repository.set_ref(ref, std::nullopt));
    }
    return {};
}

// What is damaged on this disk, or may never have got there, is thrown away and fetched once more.
Answer healing(Place& place, const std::function<Answer()>& work) {
    auto answer = work();
    if (answer || answer.error().code != Code::Corrupt) return answer;
    TRY(look_at_kept(place));
    TRY(place.repository.heal());
    return work();
}

Answer inspect(Place& place, const json::Reader& job, const Listen& progress) {
    return healing(place, [&] { return inspect_once(place, job, progress); });
}

Answer pull(Place& place, const json::Reader& job, const Listen& progress) {
    const auto app = TRY(job.need_string("app"));
    const auto source = TRY(read_source(job));
    return healing(place, [&] { return pull_once(place, source, app, progress); });
}

Answer checkout(Place& place, const json::Reader& job) {
    const auto app = TRY(job.need_string("app"));
    const auto ref = TRY(job.need_string("ref"));
    const auto commit = TRY(job.need_string("commit"));
    const Path destination = TRY(job.need_string("destination"));
    TRY(place.repository.verify(commit, ref, app, place.keys));
    // The name that pull() gave it may have been lost in a power cut (libostree syncs what is in a ref, not that it is
    // there). The checkout syncs everything before it appears.
    if (!TRY(place.repository.info(commit)).partial) TRY(keep(place, app, commit));
    TRY(place.repository.checkout(commit, destination));
    return nlohmann::json::object();
}

Answer keep_only(Place& place, const json::Reader& job) {
    std::set<std::string> kept;
    for (const auto& name : TRY(job.get_strings("keep")))
        kept.insert("deploy/" + name);
    for (const auto& ref : TRY(place.repository.refs()))
        if (!kept.contains(ref)) TRY(place.repository.set_ref(ref, std::nullopt));
    TRY(look_at_kept(place));
    TRY(place.repository.prune());
    return nlohmann::json::object();
}

}  // namespace

Answer run_job(const json::Reader& job, const Listen& progress) {
    const auto verb = TRY(job.need_string("verb"));
    auto place = TRY(open_place(job));
    if (verb == "inspect") return inspect(place, job, progress);
    if (verb == "look") return look(place, job);
    if (verb == "pull") return pull(place, job, progress);
    if (verb == "checkout") return checkout(place, job);
    if (verb == "keep_only") return keep_only(place, job);
    return fail(job.error_at("verb", std::format("unknown verb '{}'", verb)));
}

}  // namespace davit::ostree
