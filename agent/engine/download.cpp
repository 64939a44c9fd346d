// Phase `downloading`: every commit comes to this disk. Nothing that runs is touched.

#include <algorithm>
#include <format>
#include <vector>

#include "agent/engine/phases.h"
#include "common/log.h"

namespace davit {
namespace {

struct Fetch {
    Part part;
    Content::Cost cost;
};

Result<std::vector<Fetch>> inspect_all(const Context& context) {
    std::vector<Fetch> out;
    for (const auto& change : context.plan.changes) {
        if (!change.brings_content()) continue;
        const log::Field field("DAVIT_APP", change.part.app);
        const auto cost = TRY(context.content.inspect(change.part, context.stop));
        out.push_back({change.part, cost});
    }
    return out;
}

/// One check for all parts together, before the first of them is fetched.
Result<void> check_space(const Context& context, const std::vector<Fetch>& fetches) {
    std::uint64_t needed = 0;
    for (const auto& fetch : fetches)
        needed += fetch.cost.complete ? 0 : fetch.cost.missing_bytes;
    const auto free = TRY(context.content.free_bytes());
    if (needed <= free) return {};
    return fail(Code::NoSpace, std::format("the deployment needs {} bytes more than are free (needs {}, {} are free)",
                                           needed - free, needed, free));
}

Result<void> fetch_all(const Context& context, const std::vector<Fetch>& fetches) {
    std::uint64_t expected = 0;
    for (const auto& fetch : fetches)
        expected += fetch.cost.complete ? 0 : fetch.cost.missing_wire;
    std::uint64_t done = 0;
    for (const auto& fetch : fetches) {
        if (fetch.cost.complete) continue;
        const log::Field field("DAVIT_APP", fetch.part.app);
        std::uint64_t wire = 0;
        const auto progress = [&](std::uint64_t bytes) {
            wire = bytes;
            context.observer.progress(context.deployment(), done + wire, expected);
        };
        TRY(context.content.pull(fetch.part, context.stop, progress));
        done += wire;
    }
    return {};
}

Result<void> attempt(const Context& context) {
    const auto fetches = TRY(inspect_all(context));
    TRY(check_space(context, fetches));
    return fetch_all(context, fetches);
}

bool is_worth_another_try(Code code) {
    switch (bucket(code)) {
        case Bucket::RetrySoon:
        case Bucket::RetryWithBackOff:
            return true;
        case Bucket::FailDeployment:
        case Bucket::FailAndRollBack:
        case Bucket::WaitForOperator:
            return false;
    }
    return false;
}

/// Earlier runs count by the wall clock, which may have jumped: never less than nothing, and whatever it says, each run
/// tries at least once.
MonotonicTime deadline(const Context& context) {
    const Milliseconds spent{std::max<std::int64_t>(context.clock.wall_ms() - context.entry.phase_started_ms, 0)};
    return context.clock.now() + context.options.download_deadline - std::min(spent, context.options.download_deadline);
}

}  // namespace

Result<Step> download(const Context& context) {
    const auto give_up = deadline(context);
    for (auto delay = context.options.first_retry;; delay = std::min(delay * 2, context.options.longest_retry)) {
        const auto fetched = attempt(context);
        if (fetched) return Step{Event::Fetched};
        const auto& error = fetched.error();
        if (context.stop.stop_requested() || !is_worth_another_try(error.code)) return fail(error);
        if (context.clock.now() + delay > give_up) {
            const auto limit = to_string(context.options.download_deadline);
            return fail(error.in(std::format("gave up fetching after {}", limit)));
        }
        const auto news = std::format("{}; trying again in {}", error.message, to_string(delay));
        log::warning("{}", news);
        context.observer.entered(context.deployment(), Phase::Downloading, news);
        if (!context.clock.sleep(delay, context.stop))
            return fail(Code::Canceled, "stopped while waiting to fetch again");
    }
}

}  // namespace davit
