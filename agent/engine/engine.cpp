// The machine: persists a phase, runs it, asks the table where its event leads. The only writer of the journal.

#include "agent/engine/engine.h"

#include <format>
#include <utility>

#include "agent/engine/phases.h"
#include "common/log.h"

namespace davit {
namespace {

Outcome outcome_of(const Error& error) {
    return {.success = false, .message = error.message, .cause = cause(error.code)};
}

Outcome outcome_of(const Step& step) {
    if (step.event == Event::Canceled)
        return {.success = false, .message = step.message, .cause = cause(Code::Canceled)};
    if (step.event == Event::Denied) return {.success = false, .message = step.message, .cause = "denied"};
    return {.success = true, .message = step.message, .cause = step.event == Event::Held ? "downloaded" : ""};
}

/// After this the deployment can no longer be canceled: it is over, or it switches.
bool is_last_chance(Phase phase, const Result<Step>& step) {
    const auto next = next_phase(phase, step ? step->event : Event::Failed);
    return !next || *next == Phase::Done || !is_before_switch(*next);
}

Result<Step> run_phase(Phase phase, const Context& context) {
    switch (phase) {
        case Phase::Received:
            return receive(context);
        case Phase::Confirming:
            return confirm(context);
        case Phase::WaitingToDownload:
            return wait_to_download(context);
        case Phase::Downloading:
            return download(context);
        case Phase::Verifying:
            return verify(context);
        case Phase::Staged:
            return stage(context);
        case Phase::WaitingToSwitch:
            return wait_to_switch(context);
        case Phase::Switching:
            return switch_over(context);
        case Phase::Probation:
            return probation(context);
        case Phase::RollingBack:
            return roll_back(context);
        case Phase::Done:
            break;
    }
    return fail(Code::Defect, "a deployment that is done is still under way");
}

std::string describe(Phase phase, const Plan& plan, const JournalEntry& entry) {
    switch (phase) {
        case Phase::Received:
            return "plan: " + plan.todo();
        case Phase::Confirming:
            return "asking whether it may begin";
        case Phase::WaitingToDownload:
            return "asking whether it may download";
        case Phase::WaitingToSwitch:
            return "asking whether it may switch";
        case Phase::Downloading:
            return "fetching what is missing";
        case Phase::Verifying:
            return "verifying and checking out";
        case Phase::Staged:
            return entry.deployment.download_only ? "keeping it for a later deployment"
                                                  : "preparing the new set of apps";
        case Phase::Switching:
            return plan.todo();
        case Phase::Probation:
            return "watching the new apps";
        case Phase::RollingBack:
            return "rolling back: " + entry.failure.value_or(Outcome{}).message;
        case Phase::Done:
            break;
    }
    return {};
}

/// Interrupted so often that the phase itself must be the reason.
Result<void> check_entries(const JournalEntry& entry, const EngineOptions& options) {
    const int most = entry.phase == Phase::Downloading ? options.most_download_entries : options.most_entries;
    if (entry.entries <= most || is_waiting(entry.phase)) return {};
    return fail(Code::System, std::format("phase '{}' was interrupted {} times (davitd or the device restarted in it)",
                                          name(entry.phase), entry.entries - 1));
}

}  // namespace

struct Engine::Impl {
    Parts parts;
    EngineOptions options;

    Result<void> carry(std::stop_token stop);
    Result<std::optional<Phase>> advance(Phase phase, std::stop_token stop);
    Result<Step> act(const JournalEntry& entry, std::stop_token stop);
    Result<Step> act_unless_canceled(const JournalEntry& entry, std::stop_token stop);
    Result<std::optional<Phase>> follow(const JournalEntry& entry, const Result<Step>& step);
    Result<void> note_confirmed(const JournalEntry& entry, const std::string& message);
    Result<void> finish(const JournalEntry& entry, const Outcome& outcome, const Floors& floors);
    Result<bool> is_settled(const HistoryEntry& known, const Deployment& offered);
    Result<Generations::Number> current_or_empty();
    void clean_up(std::stop_token stop);
    Result<void> tidy(std::stop_token stop);
};

/// From the persisted phase to the end; does nothing if there is no deployment under way.
Result<void> Engine::Impl::carry(std::stop_token stop) {
    const auto entry = TRY(parts.journal.active());
    if (!entry) return {};
    const log::Field action("DAVIT_ACTION", entry->deployment.id);
    std::optional<Phase> phase = entry->phase;
    while (phase)
        phase = TRY(advance(*phase, stop));
    clean_up(stop);
    return {};
}

/// One phase. @return the next one; nullopt when the deployment is done
Result<std::optional<Phase>> Engine::Impl::advance(Phase phase, std::stop_token stop) {
    if (stop.stop_requested()) return fail(Code::Canceled, std::format("stopped before phase '{}'", name(phase)));
    const log::Field field("DAVIT_PHASE", std::string(name(phase)));
    TRY(parts.journal.enter(phase, parts.clock.wall_ms()));
    const auto entry = TRY(parts.journal.active());
    if (!entry) return fail(Code::Defect, "the journal lost the deployment under way");
    const auto step = act_unless_canceled(*entry, stop);
    // Whatever failed while we were told to stop may have failed because of that (a system that goes down stops apps
    // and network, too).
    // The same when the device goes down before davitd is told.
    const bool canceled = !step && (stop.stop_requested() || step.error().code == Code::Canceled);
    if (canceled) return fail(Code::Canceled, std::format("stopped in phase '{}'", name(phase)));
    return follow(*entry, step);
}

/// A cancel has its chance until the switch: it stops what the phase waits for, and what the phase found out meanwhile
/// does not matter.
Result<Step> Engine::Impl::act_unless_canceled(const JournalEntry& entry, std::stop_token stop) {
    const auto& id = entry.deployment.id;
    if (!is_before_switch(entry.phase)) {
        parts.cancellation.too_late(id);  // after a restart nobody has said so yet
        return act(entry, std::move(stop));
    }
    const auto cancel = parts.cancellation.open(id);
    std::stop_source either;
    const auto stop_either = [&either] { either.request_stop(); };
    const std::stop_callback on_stop(stop, stop_either);
    const std::stop_callback on_cancel(cancel, stop_either);
    auto step = act(entry, either.get_token());
    const bool canceled = is_last_chance(entry.phase, step) ? !parts.cancellation.close(id) : cancel.stop_requested();
    if (canceled && !stop.stop_requested()) return Step{Event::Canceled, "canceled; nothing was changed"};
    return step;
}

Result<Step> Engine::Impl::act(const JournalEntry& entry, std::stop_token stop) {
    const auto from = TRY(parts.generations.load(entry.from));
    const auto plan = TRY(make_plan(from, entry.deployment));
    const auto floors = TRY(parts.journal.floors());
    const auto message = describe(entry.phase, plan, entry);
    log::info("deployment {}: {}", entry.deployment.id, message);
    parts.observer.entered(entry.deployment, plan, entry.phase, message);
    TRY(check_entries(entry, options));
    return run_phase(entry.phase, {.generations = parts.generations,
                                   .content = parts.content,
                                   .apps = parts.apps,
                                   .probe = parts.probe,
                                   .permission = parts.permission,
                                   .observer = parts.observer,
                                   .clock = parts.clock,
                                   .options = options,
                                   .entry = entry,
                                   .from = from,
                                   .plan = plan,
                                   .floors = floors,
                                   .stop = std::move(stop)});
}

/// Persists what the phase found out and goes where the table says.
Result<std::optional<Phase>> Engine::Impl::follow(const JournalEntry& entry, const Result<Step>& step) {
    const auto event = step ? step->event : Event::Failed;
    {
        const log::Field field("DAVIT_EVENT", std::string(name(event)));
        log::debug("phase '{}' is over: {}", name(entry.phase), name(event));
    }
    const auto next = TRY(next_phase(entry.phase, event));
    if (step && step->prepared) TRY(parts.journal.prepared(*step->prepared));
    if (step && step->event == Event::Confirmed) TRY(note_confirmed(entry, step->message));
    if (next != Phase::Done) {
        if (!step) TRY(parts.journal.failed(outcome_of(step.error())));
        return next;
    }
    Outcome outcome = step ? outcome_of(*step) : outcome_of(step.error());
    if (entry.phase == Phase::RollingBack) {
        const auto way_back = step ? step->message : "going back failed: " + outcome.message;
        outcome = entry.failure.value_or(Outcome{.message = "unknown failure", .cause = cause(Code::Defect)});
        outcome.message += "; " + way_back;
    }
    TRY(finish(entry, outcome, step ? step->floors : Floors{}));
    return std::nullopt;
}

Result<void> Engine::Impl::note_confirmed(const JournalEntry& entry, const std::string& message) {
    if (entry.confirmed) return {};
    TRY(parts.journal.confirmed({.success = true, .message = message, .cause = "confirmed"}, parts.clock.wall_ms()));
    log::notice("deployment {}: {}", entry.deployment.id, message);
    parts.observer.confirmed(entry.deployment);
    return {};
}

Result<void> Engine::Impl::finish(const JournalEntry& entry, const Outcome& outcome, const Floors& floors) {
    // After a rollback the old generation is current and this does nothing; if going back failed, it must not be
    // garbage.
    const auto remembered = parts.generations.remember_previous(entry.from);
    if (!remembered) log::warning("cannot remember the previous generation: {}", remembered.error().message);
    const bool tried = !outcome.canceled() && !outcome.denied();
    if (!entry.deployment.download_only && tried) {  // what was held is current by now, or of no use
        const auto released = parts.generations.release_held();
        if (!released) log::warning("cannot forget what was downloaded before: {}", released.error().message);
    }
    TRY(parts.journal.finish(outcome, parts.clock.wall_ms(), floors));
    parts.cancellation.finished(entry.deployment.id);
    if (!tried) {
        log::notice("deployment {} was {}", entry.deployment.id, outcome.message);
    } else if (outcome.success) {
        log::notice("deployment {} succeeded: {}", entry.deployment.id, outcome.message);
    } else {
        log::error("deployment {} failed: {} (cause={})", entry.deployment.id, outcome.message, outcome.cause);
    }
    parts.observer.finished(entry.deployment, outcome);
    return {};
}

/// Whether the offer is answered by a result that we have: it is the same work, and what the result says is still so.
/// A failure is: trying again what stopped the apps once would do so at each poll of a server that forgets.
Result<bool> Engine::Impl::is_settled(const HistoryEntry& known, const Deployment& offered) {
    if (!is_same_work(known.deployment, offered) || known.outcome.canceled()) return false;
    if (known.outcome.denied()) return offered.confirm;  // if not, somebody with more say has overruled it
    if (!known.outcome.success || known.outcome.downloaded()) return true;
    const auto current = TRY(parts.generations.current());
    return current && TRY(make_plan(*current, offered)).changes_nothing();
}

/// A device without apps gets an empty generation, so that there is always one to go back to.
Result<Generations::Number> Engine::Impl::current_or_empty() {
    if (const auto current = TRY(parts.generations.current())) return current->number;
    const auto empty = TRY(parts.generations.prepare({}));
    TRY(parts.generations.switch_to(empty));
    return empty;
}

/// What fails here is tried again after the next deployment and at the next start; it never changes an outcome.
void Engine::Impl::clean_up(std::stop_token stop) {
    const auto tidied = tidy(std::move(stop));
    if (!tidied) log::warning("cannot clean up: {}", tidied.error().message);
}

Result<void> Engine::Impl::tidy(std::stop_token stop) {
    const auto current = TRY(parts.generations.current());
    if (!current) return {};
    std::vector<std::string> names;
    for (const auto& app : current->apps)
        names.push_back(app.name);
    TRY(parts.apps.forget_all_but(names));
    TRY(parts.generations.collect_garbage());
    const auto in_use = TRY(parts.generations.apps_in_use());
    return parts.content.keep_only(in_use, std::move(stop));
}

Engine::Engine(Parts parts, EngineOptions options) : impl_(new Impl{parts, options}) {}
Engine::~Engine() = default;

Result<void> Engine::resume(std::stop_token stop) {
    if (TRY(impl_->parts.journal.active())) return impl_->carry(std::move(stop));
    impl_->clean_up(std::move(stop));
    return {};
}

Result<void> Engine::run(const Deployment& deployment, std::stop_token stop) {
    const log::Field action("DAVIT_ACTION", deployment.id);
    auto& journal = impl_->parts.journal;
    TRY(impl_->carry(stop));
    const auto known = TRY(journal.find(deployment.id));
    if (known && TRY(impl_->is_settled(*known, deployment))) {
        // A server that asks for a yes goes on asking after a no: it has been told.
        const bool is_told = known->outcome.denied();
        log::info("deployment {} is finished already{}", deployment.id,
                  is_told ? "" : "; its result is reported again");
        if (!is_told) TRY(journal.report_again(deployment.id));
        impl_->parts.observer.finished(deployment, known->outcome);
        return {};
    }
    const auto now = impl_->parts.clock.wall_ms();
    const auto from = impl_->current_or_empty();
    if (!from) {
        const auto outcome = outcome_of(from.error());
        log::error("deployment {} cannot begin: {}", deployment.id, outcome.message);
        TRY(journal.refuse(deployment, outcome, now));
        impl_->parts.observer.finished(deployment, outcome);
        return {};
    }
    TRY(journal.begin(deployment, *from, now));
    return impl_->carry(std::move(stop));
}

}  // namespace davit
