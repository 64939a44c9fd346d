#pragma once
/// "Stop that deployment": from whoever wants it to the engine, which decides whether it still can.

#include <mutex>
#include <stop_token>
#include <string>

namespace davit {

/// A deployment may be canceled until its switch begins; the two sides agree under one lock, so that no cancel is
/// accepted that then does not happen. Lives in memory only: after a restart whoever wants it asks again (hawkBit
/// offers a cancel until it is answered). Thread-safe.
class Cancellation {
public:
    /// Asks for the cancel of deployment @p id, also before the engine has begun with it. May be repeated.
    /// @return false: too late, its switch has begun (or it is over)
    bool request(const std::string& id);

    // The engine's side, one deployment at a time.

    /// @p id is under way and can still be canceled. @return the token that request() stops, maybe stopped already
    std::stop_token open(const std::string& id);
    /// From here on @p id cannot be canceled. @return false: it has been already
    bool close(const std::string& id);
    /// @p id is over: the same id may come again, and nobody has canceled that.
    void finished(const std::string& id);
    /// The switch of @p id had begun before this process did: whoever has asked meanwhile is told so when he asks
    /// again.
    void too_late(const std::string& id);

private:
    std::mutex mutex_;
    std::string wanted_, open_, closed_;  ///< ids; empty: none
    std::stop_source source_;
};

}  // namespace davit
