// davit-ostree: one job on standard input, JSON lines on standard output (ostree/worker.h). Started by davitd, not by
// people.

#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <nlohmann/json.hpp>

#include "ostree/jobs.h"

namespace {

using namespace davit;

constexpr std::size_t kLongestJob = 1u << 20;

Result<std::string> read_input() {
    std::string text;
    std::array<char, 4096> block;
    while (true) {
        const ssize_t size = ::read(STDIN_FILENO, block.data(), block.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return fail(system_error("cannot read the job from standard input", errno));
        if (size == 0) return text;
        text.append(block.data(), static_cast<std::size_t>(size));
        if (text.size() > kLongestJob)
            return fail(Code::InvalidInput, "the job on standard input is longer than 1 MiB");
    }
}

// One write per line. Server text may be anything: what is not UTF-8 is replaced, not an exception.
void print(const nlohmann::json& line) {
    const auto text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

void print_progress(const ostree::Progress& now) {
    print({{"progress", {{"bytes", now.bytes}, {"fetched", now.fetched}, {"requested", now.requested}}}});
}

Result<nlohmann::json> run() {
    const auto text = TRY(read_input());
    const auto document = TRY(json::parse(text, "job"));
    return ostree::run_job(json::Reader(document, "job"), print_progress);
}

}  // namespace

int main() {
    ::umask(077);
    ::mallopt(M_ARENA_MAX, 1);            // libostree's writer threads would each grow a heap of their own
    ::setenv("GIO_USE_VFS", "local", 1);  // glib would look for desktop modules on the disk
    const auto done = run();
    if (done)
        print({{"done", *done}});
    else
        print({{"error", {{"code", name(done.error().code)}, {"message", done.error().message}}}});
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
