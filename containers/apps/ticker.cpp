// The second example app: counts seconds, so that one sees whether it was restarted.
#include <chrono>
#include <cstdio>
#include <thread>

#include "containers/apps/server.h"

namespace {

long ticks() {
    static const auto start = std::chrono::steady_clock::now();
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start).count();
}

[[noreturn]] void report_every_minute() {
    for (;;) {
        std::this_thread::sleep_for(std::chrono::minutes(1));
        std::printf("%ld ticks\n", ticks());
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto settings = apps::read_settings("ticker", 8081, argc, argv);
    ticks();
    std::thread(report_every_minute).detach();
    return apps::serve(settings, [] { return std::to_string(ticks()) + " ticks\n"; });
}
