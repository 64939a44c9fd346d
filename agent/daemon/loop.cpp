#include "agent/daemon/loop.h"

#include <sys/eventfd.h>
#include <systemd/sd-event.h>
#include <unistd.h>
#include <csignal>

#include <cstdint>

namespace davit {
namespace {

Result<void> check(int result, std::string_view what) {
    if (result < 0) return fail(system_error(what, -result));
    return {};
}

}  // namespace

Result<std::unique_ptr<Loop>> Loop::create() {
    std::unique_ptr<Loop> loop(new Loop);
    TRY(check(sd_event_default(&loop->event_), "cannot make the event loop"));

    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    TRY(check(-pthread_sigmask(SIG_BLOCK, &ends, nullptr), "cannot block signals"));
    for (const int signal : {SIGTERM, SIGINT}) {
        // No handler given: the signal ends the loop.
        TRY(check(sd_event_add_signal(loop->event_, nullptr, signal, nullptr, nullptr), "cannot watch for signals"));
    }

    loop->wake_ = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!loop->wake_) return fail(system_error("cannot make an eventfd", errno));
    const auto on_wake = [](sd_event_source*, int, std::uint32_t, void* self) {
        static_cast<Loop*>(self)->run_posted();
        return 0;
    };
    TRY(check(sd_event_add_io(loop->event_, nullptr, loop->wake_.get(), 1 /* EPOLLIN */, on_wake, loop.get()),
              "cannot watch an eventfd"));
    TRY(check(sd_event_set_watchdog(loop->event_, 1), "cannot feed systemd's watchdog"));
    return loop;
}

Loop::~Loop() {
    sd_event_unref(event_);
}

void Loop::post(std::function<void()> work) {
    {
        const std::lock_guard lock(mutex_);
        posted_.push_back(std::move(work));
    }
    const std::uint64_t one = 1;
    (void)!write(wake_.get(), &one, sizeof one);  // fails only when it is readable already
}

void Loop::run_posted() {
    std::uint64_t count = 0;
    (void)!read(wake_.get(), &count, sizeof count);
    std::vector<std::function<void()>> work;
    {
        const std::lock_guard lock(mutex_);
        work.swap(posted_);
    }
    for (const auto& item : work)
        item();
}

Result<void> Loop::run() {
    return check(sd_event_loop(event_), "the event loop failed");
}

}  // namespace davit
