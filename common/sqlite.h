#pragma once
/// SQLite, as a journal needs it: WAL, synchronous=FULL, one owner.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/file.h"
#include "common/result.h"

struct sqlite3;

namespace davit::sqlite {

using Value = std::variant<std::monostate, std::int64_t, std::string>;
using Row = std::vector<Value>;

/// Not thread-safe. A committed transaction is durable when the call returns.
class Database {
public:
    /// Opens or creates @p path (mode 0600) and brings it to @p migrations.size() by running the missing ones, each in
    /// a transaction (`user_version`). Errors: Corrupt "… is not a database"; System; Unsupported when the file is
    /// from a newer Davit, which then is left as it is.
    static Result<Database> open(const Path& path, const std::vector<std::string_view>& migrations);

    /// Runs one statement with its parameters. @return its rows
    /// Errors: AlreadyExists (unique or primary key), NoSpace, Corrupt, Defect (the SQL is wrong), System.
    Result<std::vector<Row>> run(std::string_view sql, const std::vector<Value>& parameters = {});
    /// BEGIN IMMEDIATE … COMMIT around @p body; ROLLBACK if it fails.
    Result<void> transaction(const std::function<Result<void>()>& body);
    std::int64_t last_insert_id() const;
    /// Reads all of it (not the indexes). Errors: Corrupt, saying what is wrong.
    Result<void> check();

private:
    struct Close {
        void operator()(sqlite3* db) const;
    };
    explicit Database(std::unique_ptr<sqlite3, Close> db) : db_(std::move(db)) {}
    Result<void> migrate(const Path& path, const std::vector<std::string_view>& migrations);

    std::unique_ptr<sqlite3, Close> db_;
};

std::int64_t integer(const Value& value);  ///< 0 for NULL
std::string text(const Value& value);      ///< "" for NULL

}  // namespace davit::sqlite
