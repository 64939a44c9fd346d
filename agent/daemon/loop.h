#pragma once
/// The main thread's sd-event loop: signals, the systemd watchdog, and work that other threads post.

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "common/fd.h"
#include "common/result.h"

struct sd_event;

namespace davit {

/// Owned by the main thread; only post() may be called from others.
class Loop {
public:
    /// Blocks SIGTERM and SIGINT in this thread (and in threads started later) and ends run() on them. Feeds the
    /// watchdog that systemd asks for.
    static Result<std::unique_ptr<Loop>> create();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Runs @p work on the main thread soon, in the order of posting. Thread-safe.
    void post(std::function<void()> work);
    /// Until SIGTERM or SIGINT.
    Result<void> run();
    [[nodiscard]] sd_event* event() const { return event_; }

private:
    Loop() = default;
    void run_posted();

    sd_event* event_ = nullptr;
    Fd wake_;
    std::mutex mutex_;
    std::vector<std::function<void()>> posted_;
};

}  // namespace davit
