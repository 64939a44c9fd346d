#pragma once
/// What survives a crash: the deployment under way with its phase, the results that the server has not taken yet, and
/// the history.
///
/// SQLite in state.db; every change is durable when the call returns. Written only when something happens: polling,
/// progress and attributes never come here. The newest 200 deployments are kept as history. The worker owns a Journal;
/// the link thread owns an Outbox on the same file (a connection each).

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/deployment.h"
#include "agent/generations.h"
#include "agent/phase.h"
#include "common/file.h"
#include "common/result.h"
#include "common/sqlite.h"

namespace davit {

/// The deployment under way.
struct JournalEntry {
    Deployment deployment;
    Phase phase = Phase::Received;
    int entries = 0;                        ///< how often this phase was entered (crashes count)
    std::int64_t started_ms = 0;            ///< wall clock
    std::int64_t phase_started_ms = 0;      ///< wall clock of the first entry into this phase
    Generations::Number from = 0;           ///< current when it began (an empty generation on a fresh device)
    std::optional<Generations::Number> to;  ///< prepared for it
    std::optional<Outcome> failure;         ///< why it is rolling back
    bool confirmed = false;                 ///< somebody at the device has said yes to it
};

struct HistoryEntry {
    Deployment deployment;
    Outcome outcome;
    std::int64_t started_ms = 0;
    std::int64_t finished_ms = 0;
};

/// The lowest sequence (Manifest::sequence) of each app that this device still takes.
using Floors = std::map<std::string, std::int64_t>;

class Journal {
public:
    static Result<Journal> open(const Path& file);
    /// The same for the start of davitd: reads all of it, and puts a damaged one aside as `<file>.damaged` to begin
    /// anew, since a device that waits for a person would never be updated again. Lost then: the history, results that
    /// the server did not have yet, and the deployment under way, which the server offers again. Errors: Unsupported
    /// when it is from a newer Davit.
    static Result<Journal> open_or_renew(const Path& file);

    [[nodiscard]] Result<std::optional<JournalEntry>> active();
    /// Starts a deployment in Phase::Received. Error: AlreadyExists if one is active.
    Result<void> begin(const Deployment& deployment, Generations::Number from, std::int64_t now_ms);

    // The next five need a deployment under way; without one they are a Defect.
    /// Persists the phase before it acts; entering the same phase again counts.
    Result<void> enter(Phase phase, std::int64_t now_ms);
    Result<void> prepared(Generations::Number to);
    Result<void> failed(const Outcome& why);
    /// One transaction: the deployment is confirmed, and the server will be told (unless it is local).
    Result<void> confirmed(const Outcome& yes, std::int64_t now_ms);
    /// One transaction: the active row becomes history, its result is in the outbox (unless it is local), and
    /// @p floors replace those of the apps that they name.
    Result<void> finish(const Outcome& outcome, std::int64_t now_ms, const Floors& floors = {});
    /// A deployment that ended before it began (it could not be read): straight to history and outbox.
    Result<void> refuse(const Deployment& deployment, const Outcome& outcome, std::int64_t now_ms);

    [[nodiscard]] Result<Floors> floors();
    /// The newest finished deployment with this id.
    [[nodiscard]] Result<std::optional<HistoryEntry>> find(const std::string& deployment_id);
    [[nodiscard]] Result<std::vector<HistoryEntry>> history(int limit);  ///< newest first
    /// Puts a known result into the outbox once more (the server offers an action again that we have finished), unless
    /// it waits there still. Error: NotFound if the history does not know it.
    Result<void> report_again(const std::string& deployment_id);

private:
    static Result<Journal> open_sound(const Path& file);
    explicit Journal(sqlite::Database db) : db_(std::move(db)) {}
    sqlite::Database db_;
};

/// The results on their way to the server, oldest first.
class Outbox {
public:
    struct Item {
        std::int64_t row = 0;
        std::string deployment_id;
        Outcome outcome;
        std::int64_t finished_ms = 0;
    };
    static Result<Outbox> open(const Path& file);
    [[nodiscard]] Result<std::optional<Item>> next();
    Result<void> delivered(std::int64_t row);

private:
    explicit Outbox(sqlite::Database db) : db_(std::move(db)) {}
    sqlite::Database db_;
};

}  // namespace davit
