// Phase `downloading`: every commit comes to this disk. Nothing that runs is touched.

#include <algorithm>
#include <format>
#include <vector>

#include "agent/engine/phases.h"
#include "agent/engine/start.h"
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
        if (!TRY(needs_content(context, change))) continue;
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
    const auto tell = [&context](const Fetch& fetch, std::uint64_t bytes) {
        context.observer.progress(context.deployment(), fetch.part.app, bytes, fetch.cost.missing_wire);
    };
    const auto is_here = [](const Fetch& fetch) { return fetch.cost.complete; };
    for (const auto& fetch : fetches)
        if (!is_here(fetch)) tell(fetch, 0);  // so that the whole is known before the first of them comes
    for (const auto& fetch : fetches) {
        if (is_here(fetch)) continue;
        const log::Field field("DAVIT_APP", fetch.part.app);
        TRY(context.content.pull(fetch.part, context.stop, [&](std::uint64_t bytes) { tell(fetch, bytes); }));
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
/// has a while for a network that comes up later than davitd.
MonotonicTime deadline(const Context& context) {
    const auto all = context.options.download_deadline;
    const Milliseconds spent{std::max<std::int64_t>(context.clock.wall_ms() - context.entry.phase_started_ms, 0)};
    return context.clock.now() + std::max(all - std::min(spent, all), all / 24);
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
        context.tell(news);
        if (!context.clock.sleep(delay, context.stop))
            return fail(Code::Canceled, "stopped while waiting to fetch again");
    }
}

}  // namespace davit
