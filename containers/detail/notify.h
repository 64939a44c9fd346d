#pragma once
/// sd_notify without libsystemd: for programs that must start fast, or are linked statically.

#include <string_view>

namespace davit {

/// Sends @p state ("READY=1", "STATUS=…") to the socket that $NOTIFY_SOCKET names; does nothing when there is none.
/// @return whether it was sent
bool notify(std::string_view state);

}  // namespace davit
