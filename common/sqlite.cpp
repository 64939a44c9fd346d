#include "common/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <cerrno>
#include <format>

#include "common/fd.h"

namespace davit::sqlite {

namespace {

struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

Code code_of(sqlite3* db) {
    const int extended = sqlite3_extended_errcode(db);
    if (extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY) return Code::AlreadyExists;
    switch (extended & 0xFF) {
        case SQLITE_FULL:
            return Code::NoSpace;
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
            return Code::Corrupt;
        case SQLITE_ERROR:
        case SQLITE_MISUSE:
        case SQLITE_RANGE:
        case SQLITE_MISMATCH:
        case SQLITE_CONSTRAINT:
            return Code::Defect;
        // Room for the -shm file is asked for with ftruncate and mmap, whose ENOSPC is not reported as SQLITE_FULL.
        default:
            return sqlite3_system_errno(db) == ENOSPC ? Code::NoSpace : Code::System;
    }
}

Error error_of(sqlite3* db) {
    const char* path = sqlite3_db_filename(db, "main");
    return {code_of(db), std::format("database '{}': {}", path ? path : "", sqlite3_errmsg(db))};
}

Result<void> execute(sqlite3* db, const std::string& script) {
    if (sqlite3_exec(db, script.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return fail(error_of(db));
    return {};
}

Result<Statement> prepare(sqlite3* db, std::string_view sql) {
    sqlite3_stmt* raw = nullptr;
    const char* tail = nullptr;
    if (sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &raw, &tail) != SQLITE_OK)
        return fail(error_of(db));
    Statement statement(raw);
    const bool is_one =
        raw && sql.substr(static_cast<std::size_t>(tail - sql.data())).find_first_not_of(" \t\n;") == sql.npos;
    if (!is_one) return fail(Code::Defect, std::format("not exactly one SQL statement: {}", sql));
    return statement;
}

int bind(sqlite3_stmt* statement, int index, const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) return sqlite3_bind_int64(statement, index, *number);
    if (const auto* text = std::get_if<std::string>(&value)) {
        return sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    return sqlite3_bind_null(statement, index);
}

Value column(sqlite3_stmt* statement, int index) {
    switch (sqlite3_column_type(statement, index)) {
        case SQLITE_NULL:
            return std::monostate();
        case SQLITE_INTEGER:
            return std::int64_t{sqlite3_column_int64(statement, index)};
        default:
            break;
    }
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement, index));
    return bytes ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement, index))) : std::string();
}

/// Creates the file if it is not there, so that nobody else can ever read it; SQLite gives its side files the same
/// mode.
Result<void> create(const Path& path) {
    if (file::exists(path)) return {};
    const Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd) return fail(system_error(std::format("cannot create database '{}'", path.string()), errno));
    return file::sync_directory(path.has_parent_path() ? path.parent_path() : Path("."));
}

}  // namespace

void Database::Close::operator()(sqlite3* db) const {
    sqlite3_close_v2(db);
}

Result<Database> Database::open(const Path& path, const std::vector<std::string_view>& migrations) {
    TRY(create(path));
    sqlite3* raw = nullptr;
    const int opened = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    Database database(std::unique_ptr<sqlite3, Close>{raw});
    if (!raw) return fail(Code::System, std::format("cannot open database '{}': out of memory", path.string()));
    if (opened != SQLITE_OK)
        return fail(code_of(raw), std::format("cannot open database '{}': {}", path.string(), sqlite3_errmsg(raw)));
    sqlite3_extended_result_codes(raw, 1);
    sqlite3_busy_timeout(raw, 5000);
    // A database that is asked now and then need not hold memory in between, nor write 4 KiB for a row of 200 bytes.
    sqlite3_db_config(raw, SQLITE_DBCONFIG_LOOKASIDE, nullptr, 0, 0);
    TRY(execute(raw,
                "PRAGMA page_size=1024; PRAGMA cache_size=-256; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
                "PRAGMA foreign_keys=ON;"));
    TRY(database.migrate(path, migrations));
    return database;
}

Result<void> Database::migrate(const Path& path, const std::vector<std::string_view>& migrations) {
    const auto version_row = TRY(run("PRAGMA user_version"));
    const auto version = static_cast<std::size_t>(integer(version_row.at(0).at(0)));
    if (version > migrations.size()) {
        return fail(
            Code::Unsupported,
            std::format("database '{}' was written by a newer Davit (its schema is {}, this version knows up to {})",
                        path.string(), version, migrations.size()));
    }
    for (std::size_t next = version; next < migrations.size(); ++next) {
        const auto step = [&] {
            return execute(db_.get(), std::format("{};\nPRAGMA user_version={}", migrations[next], next + 1));
        };
        TRY(transaction(step).transform_error(in(std::format("migration {}", next + 1))));
    }
    return {};
}

Result<std::vector<Row>> Database::run(std::string_view sql, const std::vector<Value>& parameters) {
    const auto statement = TRY(prepare(db_.get(), sql));
    if (static_cast<std::size_t>(sqlite3_bind_parameter_count(statement.get())) != parameters.size()) {
        return fail(Code::Defect, std::format("wrong number of parameters ({}) for SQL: {}", parameters.size(), sql));
    }
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (bind(statement.get(), static_cast<int>(i) + 1, parameters[i]) != SQLITE_OK)
            return fail(error_of(db_.get()));
    }
    std::vector<Row> rows;
    while (true) {
        const int step = sqlite3_step(statement.get());
        if (step == SQLITE_DONE) return rows;
        if (step != SQLITE_ROW) return fail(error_of(db_.get()));
        auto& row = rows.emplace_back();
        for (int i = 0; i < sqlite3_column_count(statement.get()); ++i)
            row.push_back(column(statement.get(), i));
    }
}

Result<void> Database::transaction(const std::function<Result<void>()>& body) {
    TRY(execute(db_.get(), "BEGIN IMMEDIATE"));
    auto result = body();
    if (result) result = execute(db_.get(), "COMMIT");
    // A full disk makes SQLite roll back by itself.
    if (!result && sqlite3_get_autocommit(db_.get()) == 0) std::ignore = execute(db_.get(), "ROLLBACK");
    return result;
}

Result<void> Database::check() {
    const auto rows = TRY(run("PRAGMA quick_check(1)"));
    const auto verdict = rows.empty() ? "nothing" : text(rows.front().at(0));
    if (verdict == "ok") return {};
    const char* path = sqlite3_db_filename(db_.get(), "main");
    return fail(Code::Corrupt, std::format("database '{}' is damaged: {}", path ? path : "", verdict));
}

std::int64_t Database::last_insert_id() const {
    return sqlite3_last_insert_rowid(db_.get());
}

std::int64_t integer(const Value& value) {
    const auto* number = std::get_if<std::int64_t>(&value);
    return number ? *number : 0;
}

std::string text(const Value& value) {
    const auto* string = std::get_if<std::string>(&value);
    return string ? *string : std::string();
}

}  // namespace davit::sqlite
