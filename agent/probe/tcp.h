#pragma once

#include <string>

#include "common/clock.h"
#include "common/result.h"

namespace davit {

/// Connects to @p address ("host:port", "[::1]:80") and hangs up at once.
/// Errors: AppFailed "tcp 127.0.0.1:80: Connection refused", "… no answer within 3 s"; InvalidInput if it is no
/// address.
Result<void> connect_tcp(const std::string& address, Milliseconds timeout);

}  // namespace davit
