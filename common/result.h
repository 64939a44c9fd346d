#pragma once
/// Errors are values here: every function that can fail returns Result<T>.
///
/// An Error carries a code (what a program may decide on), a sentence that a person can act on, and the contexts added
/// on the way up, outermost first. Exceptions of libraries stop at the function that calls the library.

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace davit {

/// What a caller can decide on. `bucket()` puts every code into exactly one reaction.
enum class Code {
    InvalidInput,   ///< something a person or a server wrote is malformed (JSON, manifest, metadata, option)
    NotFound,       ///< a file, commit, ref, app or server object does not exist
    AlreadyExists,  ///< it is there already, and differs
    NoSpace,        ///< the disk is too small or full
    Network,        ///< no answer: name lookup, connection, time-out, a stalled transfer, HTTP 5xx
    Unauthorized,   ///< HTTP 401 or 403: the credentials are wrong or not allowed
    Gone,           ///< HTTP 410: the server has closed this for good
    Quota,          ///< HTTP 429, or 403 of an old server for a quota
    ServerRefused,  ///< any other 4xx answer
    Untrusted,      ///< signature missing or wrong, key not allowed for this name, ref binding differs
    Sequence,       ///< an app is older than one that was kept here, and nobody said that it may be
    PolicyRefused,  ///< the device's policy does not allow what the app asks for
    Corrupt,        ///< data on this disk is not what it must be
    AppFailed,      ///< an app did not start, did not become READY, or failed its health probe
    Unsupported,    ///< understood, but not something this version does
    Canceled,       ///< we were asked to stop
    Interrupted,    ///< a helper process of ours was killed from outside (by hand, for want of memory)
    System,         ///< the operating system refused (errno), or systemd did
    Defect,         ///< a bug of ours
};

/// "NotFound" and so on; stable, used as `cause=` in kebab case by the agent.
std::string_view name(Code code);
/// The other way round, for what came from another process.
std::optional<Code> code_named(std::string_view name);

/// What to do about an error.
enum class Bucket { RetrySoon, RetryWithBackOff, FailDeployment, FailAndRollBack, WaitForOperator };
Bucket bucket(Code code);

struct Error {
    Code code = Code::Defect;
    std::string message;

    /// This error with @p context in front: "while fetching 'hello': connection refused".
    [[nodiscard]] Error in(std::string_view context) const;
};

/// An error from errno, with what was tried: "cannot open '/x': No such file or directory". ENOSPC becomes NoSpace,
/// ENOENT NotFound.
Error system_error(std::string_view what, int error_number);

template <typename T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Code code, std::string message) {
    return std::unexpected(Error{code, std::move(message)});
}
inline std::unexpected<Error> fail(Error error) {
    return std::unexpected(std::move(error));
}

/// For `.transform_error(in("…"))`.
inline auto in(std::string context) {
    return [context = std::move(context)](const Error& error) { return error.in(context); };
}

namespace detail {
template <typename T>
T take(std::expected<T, Error>&& result) {
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}
}  // namespace detail

}  // namespace davit

/// The value of a Result, or return its error from this function. `auto x = TRY(f());` or `TRY(g());`
/// Use it as a whole statement or initializer, not inside an argument list.
#define TRY(expression) DAVIT_TRY_(expression, __COUNTER__)
#define DAVIT_TRY_(expression, number) DAVIT_TRY_NUMBERED(expression, number)
#define DAVIT_TRY_NUMBERED(expression, number)                                      \
    ({                                                                              \
        auto try_##number = (expression);                                           \
        if (!try_##number) return std::unexpected(std::move(try_##number).error()); \
        ::davit::detail::take(std::move(try_##number));                             \
    })
