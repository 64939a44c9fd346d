#include "agent/engine/cancellation.h"

namespace davit {

bool Cancellation::request(const std::string& id) {
    const std::lock_guard lock(mutex_);
    if (closed_ == id) return false;
    wanted_ = id;
    if (open_ == id) source_.request_stop();
    return true;
}

std::stop_token Cancellation::open(const std::string& id) {
    const std::lock_guard lock(mutex_);
    if (open_ != id) source_ = {};
    open_ = id;
    closed_.clear();
    if (wanted_ == id) source_.request_stop();
    return source_.get_token();
}

bool Cancellation::close(const std::string& id) {
    const std::lock_guard lock(mutex_);
    open_.clear();
    if (wanted_ == id) return false;
    closed_ = id;
    return true;
}

void Cancellation::finished(const std::string& id) {
    const std::lock_guard lock(mutex_);
    open_.clear();
    if (wanted_ == id) wanted_.clear();
}

void Cancellation::too_late(const std::string& id) {
    const std::lock_guard lock(mutex_);
    open_.clear();
    if (wanted_ == id) wanted_.clear();
    closed_ = id;
}

}  // namespace davit
