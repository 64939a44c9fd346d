#include "ostree/worker.h"

#include <csignal>
#include <format>
#include <optional>

#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/process.h"

namespace davit::ostree {
namespace {

// Verbs without network give no progress, and syncing a slow flash takes as long as it takes; after this something is
// broken.
constexpr Milliseconds kLocalStall = std::chrono::minutes(10);

nlohmann::json to_json(const Source& source) {
    nlohmann::json json{
        {"url", source.url}, {"ref", source.ref}, {"commit", source.commit}, {"http_headers", source.http_headers}};
    if (source.ca_file) json["ca_file"] = *source.ca_file;
    return json;
}

Result<nlohmann::json> defect(std::string_view line) {
    return fail(Code::Defect, std::format("davit-ostree wrote '{}'", line.substr(0, 200)));
}

// What the worker said; filled line by line.
struct Dialogue {
    const std::function<void(const WorkerProgress&)>& progress;
    std::optional<Result<nlohmann::json>> end;

    void hear(std::string_view text) {
        const auto line = nlohmann::json::parse(text, nullptr, false);
        if (!line.is_object())
            end = defect(text);
        else if (line.contains("progress"))
            hear_progress(json::Reader(line["progress"], "davit-ostree"));
        else if (line.contains("done"))
            end = line["done"];
        else if (line.contains("error"))
            end = hear_error(json::Reader(line["error"], "davit-ostree"));
        else
            end = defect(text);
    }

    void hear_progress(const json::Reader& now) const {
        const auto number = [&now](std::string_view member) {
            return now.get_integer(member).value_or(std::nullopt).value_or(0);
        };
        if (progress)
            progress({.bytes = static_cast<std::uint64_t>(number("bytes")),
                      .fetched = static_cast<std::uint32_t>(number("fetched")),
                      .requested = static_cast<std::uint32_t>(number("requested"))});
    }

    static Result<nlohmann::json> hear_error(const json::Reader& error) {
        const auto code = TRY(error.need_string("code"));
        return fail(code_named(code).value_or(Code::Defect), TRY(error.need_string("message")));
    }
};

Error died(const process::Exit& exit) {
    // libostree crashes on metadata that a power cut left as zeroes.
    const bool crashed = exit.signal == SIGSEGV || exit.signal == SIGABRT || exit.signal == SIGBUS;
    // Killed from outside, perhaps for want of memory, says nothing about the content: worth another try.
    const auto killed = exit.signal != 0 ? Code::Interrupted : Code::System;
    return Error{crashed ? Code::Corrupt : killed,
                 std::format("davit-ostree ended without an answer: {}{}{}", exit.describe(),
                             exit.err.empty() ? "" : ": ", exit.err)};
}

Result<nlohmann::json> run(const Worker::Options& options, nlohmann::json job, Milliseconds stall, std::stop_token stop,
                           const std::function<void(const WorkerProgress&)>& progress = {}) {
    job["repository"] = options.repository;
    job["min_free_bytes"] = options.min_free_bytes;
    job["keys"] = options.key_directories;
    const process::Command command{.argv = {options.program.string()},
                                   .extra_env = {},
                                   .input = job.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
    Dialogue dialogue{progress, std::nullopt};
    const auto exit =
        TRY(process::watch(command, stall, std::move(stop), [&](std::string_view line) { dialogue.hear(line); }));
    if (!dialogue.end) return fail(died(exit));
    return *dialogue.end;
}

Result<void> run_local(const Worker::Options& options, nlohmann::json job, std::stop_token stop) {
    const auto done = run(options, std::move(job), kLocalStall, std::move(stop));
    if (done) return {};
    if (done.error().code == Code::Network)
        return fail(Code::System, done.error().message);  // there is no network in these verbs
    return fail(done.error());
}

}  // namespace

Result<Inspection> Worker::inspect(const Source& source, std::string_view app, std::stop_token stop) {
    const auto done = TRY(run(options_, {{"verb", "inspect"}, {"app", app}, {"source", to_json(source)}},
                              options_.stall, std::move(stop)));
    const json::Reader answer(done, "davit-ostree");
    Inspection inspection;
    inspection.signed_by = TRY(answer.need_string("signed_by"));
    inspection.complete = TRY(answer.get_boolean("complete")).value_or(false);
    inspection.sizes_known = TRY(answer.get_boolean("sizes_known")).value_or(false);
    inspection.missing_bytes = static_cast<std::uint64_t>(TRY(answer.need_integer("missing_bytes")));
    inspection.missing_wire = static_cast<std::uint64_t>(TRY(answer.need_integer("missing_wire")));
    return inspection;
}

Result<Found> Worker::look(const Source& source, std::stop_token stop) {
    const auto done =
        TRY(run(options_, {{"verb", "look"}, {"source", to_json(source)}}, options_.stall, std::move(stop)));
    const json::Reader answer(done, "davit-ostree");
    Found found;
    found.app = TRY(answer.need_string("app"));
    found.ref = TRY(answer.need_string("ref"));
    found.version = TRY(answer.need_string("version"));
    found.commit = TRY(answer.need_string("commit"));
    return found;
}

Result<void> Worker::pull(const Source& source, std::string_view app, std::stop_token stop,
                          const std::function<void(const WorkerProgress&)>& progress) {
    TRY(run(options_, {{"verb", "pull"}, {"app", app}, {"source", to_json(source)}}, options_.stall, std::move(stop),
            progress));
    return {};
}

Result<void> Worker::checkout(std::string_view app, std::string_view ref, std::string_view commit,
                              const Path& destination, std::stop_token stop) {
    return run_local(
        options_, {{"verb", "checkout"}, {"app", app}, {"ref", ref}, {"commit", commit}, {"destination", destination}},
        std::move(stop));
}

Result<void> Worker::keep_only(const std::vector<std::string>& app_slash_commit, std::stop_token stop) {
    return run_local(options_, {{"verb", "keep_only"}, {"keep", app_slash_commit}}, std::move(stop));
}

}  // namespace davit::ostree
