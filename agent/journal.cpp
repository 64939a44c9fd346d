#include "agent/journal.h"

#include <format>
#include <string_view>

#include "common/log.h"

namespace davit {
namespace {

using sqlite::integer;
using sqlite::text;
using sqlite::Value;

/// Never edit one that was released: append the next.
const std::vector<std::string_view>& migrations() {
    static const std::vector<std::string_view> all = {
        R"(
        CREATE TABLE active (
            only_one         INTEGER PRIMARY KEY CHECK (only_one = 1),
            deployment       TEXT    NOT NULL,
            phase            TEXT    NOT NULL,
            entries          INTEGER NOT NULL,
            started_ms       INTEGER NOT NULL,
            phase_started_ms INTEGER NOT NULL,
            from_generation  INTEGER NOT NULL,
            to_generation    INTEGER,
            failure_message  TEXT,
            failure_cause    TEXT
        ) STRICT;
        CREATE TABLE history (
            row         INTEGER PRIMARY KEY AUTOINCREMENT,
            id          TEXT    NOT NULL,
            deployment  TEXT    NOT NULL,
            success     INTEGER NOT NULL,
            message     TEXT    NOT NULL,
            cause       TEXT    NOT NULL,
            started_ms  INTEGER NOT NULL,
            finished_ms INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX history_by_id ON history (id);
        CREATE TABLE outbox (
            row         INTEGER PRIMARY KEY AUTOINCREMENT,
            id          TEXT    NOT NULL,
            success     INTEGER NOT NULL,
            message     TEXT    NOT NULL,
            cause       TEXT    NOT NULL,
            finished_ms INTEGER NOT NULL
        ) STRICT;
        )",
        R"(
        ALTER TABLE active ADD COLUMN confirmed INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE floors (
            app      TEXT    NOT NULL PRIMARY KEY,
            sequence INTEGER NOT NULL
        ) STRICT;
        )",
    };
    return all;
}

Value value(std::int64_t number) {
    return number;
}
Value value(Generations::Number number) {
    return static_cast<std::int64_t>(number);
}
Value value(std::string_view words) {
    return std::string(words);
}

Outcome outcome_from(const Value& success, const Value& message, const Value& cause) {
    return {.success = integer(success) != 0, .message = text(message), .cause = text(cause)};
}

Result<JournalEntry> entry_from(const sqlite::Row& row) {
    JournalEntry entry;
    entry.deployment = TRY(deployment_from_json(text(row[0])));
    const auto phase = phase_from_name(text(row[1]));
    if (!phase) return fail(Code::Corrupt, std::format("the journal names an unknown phase '{}'", text(row[1])));
    entry.phase = *phase;
    entry.entries = static_cast<int>(integer(row[2]));
    entry.started_ms = integer(row[3]);
    entry.phase_started_ms = integer(row[4]);
    entry.from = static_cast<Generations::Number>(integer(row[5]));
    const bool is_prepared = !std::holds_alternative<std::monostate>(row[6]);
    if (is_prepared) entry.to = static_cast<Generations::Number>(integer(row[6]));
    const bool has_failed = !std::holds_alternative<std::monostate>(row[7]);
    if (has_failed) entry.failure = Outcome{.success = false, .message = text(row[7]), .cause = text(row[8])};
    entry.confirmed = integer(row[9]) != 0;
    return entry;
}

Result<HistoryEntry> history_from(const sqlite::Row& row) {
    HistoryEntry entry;
    entry.deployment = TRY(deployment_from_json(text(row[0])));
    entry.outcome = outcome_from(row[1], row[2], row[3]);
    entry.started_ms = integer(row[4]);
    entry.finished_ms = integer(row[5]);
    return entry;
}

/// An UPDATE or DELETE of the active row that ends with RETURNING.
Result<void> change_active(sqlite::Database& db, std::string_view sql, const std::vector<Value>& parameters) {
    const auto rows = TRY(db.run(sql, parameters));
    if (rows.empty()) return fail(Code::Defect, "the journal has no deployment under way");
    return {};
}

Result<void> add_to_outbox(sqlite::Database& db, const Deployment& deployment, const Outcome& outcome,
                           std::int64_t now_ms) {
    if (deployment.local) return {};
    TRY(db.run("INSERT INTO outbox (id, success, message, cause, finished_ms) VALUES (?, ?, ?, ?, ?)",
               {value(deployment.id), std::int64_t{outcome.success}, value(outcome.message), value(outcome.cause),
                value(now_ms)}));
    return {};
}

Result<void> add_result(sqlite::Database& db, const Deployment& deployment, const Outcome& outcome,
                        std::int64_t started_ms, std::int64_t finished_ms) {
    TRY(
        db.run("INSERT INTO history (id, deployment, success, message, cause, started_ms, finished_ms) "
               "VALUES (?, ?, ?, ?, ?, ?, ?)",
               {value(deployment.id), value(to_json(deployment)), std::int64_t{outcome.success}, value(outcome.message),
                value(outcome.cause), value(started_ms), value(finished_ms)}));
    TRY(add_to_outbox(db, deployment, outcome, finished_ms));
    TRY(db.run("DELETE FROM history WHERE row <= (SELECT max(row) FROM history) - 200"));
    return {};
}

}  // namespace

Result<Journal> Journal::open(const Path& file) {
    auto database = TRY(sqlite::Database::open(file, migrations()));
    return Journal(std::move(database));
}

Result<Journal> Journal::open_sound(const Path& file) {
    auto journal = TRY(open(file));
    TRY(journal.db_.check());
    const auto active = journal.active();
    if (!active) return fail(Code::Corrupt, active.error().message);
    return journal;
}

Result<Journal> Journal::open_or_renew(const Path& file) {
    auto journal = open_sound(file);
    if (journal || journal.error().code != Code::Corrupt) return journal;
    log::error(
        "{}; it is kept as '{}.damaged' and a new one begun: the history is lost, and what it knew of a deployment",
        journal.error().message, file.native());
    for (const auto* part : {"-shm", "-wal", ""}) {
        const Path from = file.native() + part;
        if (file::exists(from)) TRY(file::rename(from, file.native() + ".damaged" + part));
    }
    TRY(file::sync_directory(file.parent_path()));
    return open(file);
}

Result<std::optional<JournalEntry>> Journal::active() {
    const auto rows =
        TRY(db_.run("SELECT deployment, phase, entries, started_ms, phase_started_ms, from_generation, "
                    "to_generation, failure_message, failure_cause, confirmed FROM active"));
    if (rows.empty()) return std::nullopt;
    return TRY(entry_from(rows.front()).transform_error(in("deployment under way")));
}

Result<void> Journal::begin(const Deployment& deployment, Generations::Number from, std::int64_t now_ms) {
    return db_.transaction([&]() -> Result<void> {
        if (const auto other = TRY(active())) {
            return fail(Code::AlreadyExists, std::format("deployment {} is under way", other->deployment.id));
        }
        TRY(db_.run(
            "INSERT INTO active (only_one, deployment, phase, entries, started_ms, phase_started_ms, "
            "from_generation) VALUES (1, ?, ?, 0, ?, ?, ?)",
            {value(to_json(deployment)), value(name(Phase::Received)), value(now_ms), value(now_ms), value(from)}));
        return {};
    });
}

Result<void> Journal::enter(Phase phase, std::int64_t now_ms) {
    return change_active(db_,
                         "UPDATE active SET entries = CASE phase WHEN ?1 THEN entries + 1 ELSE 1 END, "
                         "phase_started_ms = CASE phase WHEN ?1 THEN phase_started_ms ELSE ?2 END, "
                         "phase = ?1 RETURNING only_one",
                         {value(name(phase)), value(now_ms)});
}

Result<void> Journal::prepared(Generations::Number to) {
    return change_active(db_, "UPDATE active SET to_generation = ? RETURNING only_one", {value(to)});
}

Result<void> Journal::failed(const Outcome& why) {
    return change_active(db_, "UPDATE active SET failure_message = ?, failure_cause = ? RETURNING only_one",
                         {value(why.message), value(why.cause)});
}

Result<void> Journal::confirmed(const Outcome& yes, std::int64_t now_ms) {
    return db_.transaction([&]() -> Result<void> {
        const auto entry = TRY(active());
        TRY(change_active(db_, "UPDATE active SET confirmed = 1 RETURNING only_one", {}));
        return add_to_outbox(db_, entry->deployment, yes, now_ms);
    });
}

Result<void> Journal::finish(const Outcome& outcome, std::int64_t now_ms, const Floors& floors) {
    return db_.transaction([&]() -> Result<void> {
        const auto entry = TRY(active());
        if (!entry) return fail(Code::Defect, "the journal has no deployment under way");
        TRY(add_result(db_, entry->deployment, outcome, entry->started_ms, now_ms));
        for (const auto& [app, sequence] : floors)
            TRY(db_.run("INSERT OR REPLACE INTO floors (app, sequence) VALUES (?, ?)", {value(app), value(sequence)}));
        TRY(db_.run("DELETE FROM active"));
        return {};
    });
}

Result<void> Journal::refuse(const Deployment& deployment, const Outcome& outcome, std::int64_t now_ms) {
    return db_.transaction([&] { return add_result(db_, deployment, outcome, now_ms, now_ms); });
}

Result<Floors> Journal::floors() {
    Floors out;
    for (const auto& row : TRY(db_.run("SELECT app, sequence FROM floors")))
        out[text(row[0])] = integer(row[1]);
    return out;
}

Result<std::optional<HistoryEntry>> Journal::find(const std::string& deployment_id) {
    const auto rows =
        TRY(db_.run("SELECT deployment, success, message, cause, started_ms, finished_ms FROM history "
                    "WHERE id = ? ORDER BY row DESC LIMIT 1",
                    {value(deployment_id)}));
    if (rows.empty()) return std::nullopt;
    return TRY(history_from(rows.front()).transform_error(in("history")));
}

Result<std::vector<HistoryEntry>> Journal::history(int limit) {
    const auto rows =
        TRY(db_.run("SELECT deployment, success, message, cause, started_ms, finished_ms FROM history "
                    "ORDER BY row DESC LIMIT ?",
                    {value(std::int64_t{limit})}));
    std::vector<HistoryEntry> out;
    for (const auto& row : rows) {
        auto entry = TRY(history_from(row).transform_error(in("history")));
        out.push_back(std::move(entry));
    }
    return out;
}

Result<void> Journal::report_again(const std::string& deployment_id) {
    if (!TRY(find(deployment_id))) {
        return fail(Code::NotFound, std::format("the history has no deployment {}", deployment_id));
    }
    TRY(
        db_.run("INSERT INTO outbox (id, success, message, cause, finished_ms) "
                "SELECT id, success, message, cause, finished_ms FROM history "
                "WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM outbox WHERE id = ?1) ORDER BY row DESC LIMIT 1",
                {value(deployment_id)}));
    return {};
}

Result<Outbox> Outbox::open(const Path& file) {
    auto database = TRY(sqlite::Database::open(file, migrations()));
    return Outbox(std::move(database));
}

Result<std::optional<Outbox::Item>> Outbox::next() {
    const auto rows =
        TRY(db_.run("SELECT row, id, success, message, cause, finished_ms FROM outbox ORDER BY row LIMIT 1"));
    if (rows.empty()) return std::nullopt;
    const auto& row = rows.front();
    return Item{.row = integer(row[0]),
                .deployment_id = text(row[1]),
                .outcome = outcome_from(row[2], row[3], row[4]),
                .finished_ms = integer(row[5])};
}

Result<void> Outbox::delivered(std::int64_t row) {
    TRY(db_.run("DELETE FROM outbox WHERE row = ?", {value(row)}));
    return {};
}

}  // namespace davit
