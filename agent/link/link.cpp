#include "agent/link/link.h"

#include <algorithm>
#include <random>

#include "agent/link/translate.h"
#include "common/log.h"

namespace davit {
namespace {

/// hawkBit keeps at most 1,000 statuses of an action, and one more than fits loses the result; ours stay far below.
constexpr int kMostProgress = 15;
constexpr Milliseconds kGatherProgress{1'000};

/// Of one result, by a server whose polls are fine.
constexpr int kMostRefusals = 10;
/// Of one deployment that makes no sense, when what came before it did: a proxy's error page would go away.
constexpr int kMostUnreadable = 5;

/// Servers close a connection that is quiet for longer (60 s and 75 s are usual): keeping ours, and the process that
/// holds it, would only cost memory.
constexpr Milliseconds kKeepConnection{60'000};

template <typename... T>
struct Overloaded : T... {
    using T::operator()...;
};

ddi::Feedback canceled_feedback(std::string why, std::int64_t now_ms) {
    return {.execution = ddi::Execution::Closed,
            .finished = ddi::Finished::Success,
            .details = {std::move(why)},
            .timestamp_ms = now_ms};
}

/// The server will never take more for this action, so neither do we keep it.
bool closed_for_good(const Error& error) {
    return error.code == Code::Gone || error.code == Code::NotFound;
}

ddi::Feedback final_feedback(const Outbox::Item& item) {
    ddi::Feedback feedback{.execution = ddi::Execution::Closed,
                           .finished = item.outcome.success ? ddi::Finished::Success : ddi::Finished::Failure,
                           .details = {item.outcome.message},
                           .timestamp_ms = item.finished_ms};
    if (item.outcome.downloaded()) {
        feedback.execution = ddi::Execution::Downloaded;
        feedback.finished = ddi::Finished::None;
    }
    if (!item.outcome.success) feedback.details.push_back("cause=" + item.outcome.cause);
    return feedback;
}

}  // namespace

Link::Link(Config::Hawkbit config, Outbox outbox, Queue<LinkEvent>& events, Outputs outputs, Senders senders,
           Clock& clock, std::optional<std::string> under_way)
    : config_(std::move(config)),
      outbox_(std::move(outbox)),
      events_(events),
      outputs_(std::move(outputs)),
      senders_(std::move(senders)),
      clock_(clock),
      schedule_(config_.longest_retry, std::mt19937{std::random_device{}()}),
      under_way_(std::move(under_way)) {
    // How much was sent before the restart is not known, and a device may restart often: only the result is.
    if (under_way_) progress_sent_ = kMostProgress;
}

void Link::run(std::stop_token stop) {
    auto next_poll = clock_.now();
    while (!stop.stop_requested()) {
        const bool poll_now = check_now_ || clock_.now() >= next_poll;
        const auto connected = connect();
        if (poll_now || clock_.now() >= progress_due_) send_progress();
        if (connected) deliver();
        if (poll_now) {
            check_now_ = false;
            const auto interval = poll();
            const auto wait = interval ? schedule_.answered(*interval) : schedule_.failed();
            next_poll = clock_.now() + wait;
            report_status(wait, interval ? std::nullopt : std::optional(interval.error()));
        }
        const auto left = std::chrono::ceil<Milliseconds>(std::min(next_poll, progress_due_) - clock_.now());
        if (left > kKeepConnection) client_.reset();
        take_events(left, stop);
        if (std::exchange(has_news_, false)) next_poll = std::min(next_poll, schedule_.reported(clock_.now()));
    }
}

/// The token is read when it is needed and again after a refusal: a device may get it, or a new one, after davitd
/// started.
Result<void> Link::connect() {
    if (client_) return {};
    const bool by_gateway = config_.gateway_token_file.has_value();
    const auto kind = by_gateway ? ddi::Credentials::Kind::GatewayToken : ddi::Credentials::Kind::TargetToken;
    const auto file = by_gateway ? config_.gateway_token_file : config_.target_token_file;
    auto credentials = TRY(ddi::Credentials::read(kind, file.value_or(Path())));
    client_.emplace(
        ddi::ServerAddress{.url = config_.url, .tenant = config_.tenant, .controller_id = config_.controller_id},
        std::move(credentials),
        senders_(
            {.ca_file = config_.ca_file, .total_timeout = config_.timeout, .user_agent = "davitd/" DAVIT_VERSION}));
    return {};
}

/// Results first: the server must know how the last deployment ended before it is asked for the next.
void Link::deliver() {
    while (outbox_may_have_more_) {
        const auto item = outbox_.next();
        if (!item) return log::error("cannot read the results that wait for the server: {}", item.error().message);
        outbox_may_have_more_ = item->has_value();
        if (!outbox_may_have_more_) return;
        const log::Field action("DAVIT_ACTION", (*item)->deployment_id);
        // What led to it goes first: after its result an action takes nothing more.
        if (progress_.id == (*item)->deployment_id) send_progress();
        const auto sent = send_result(**item);
        if (!sent && !closed_for_good(sent.error()) && !is_refused_for_good(**item, sent.error())) {
            return log::warning("the result of deployment {} waits, the server did not take it: {}",
                                (*item)->deployment_id, sent.error().message);
        }
        if (!sent)
            log::notice("the server will not take the result of deployment {}: {}", (*item)->deployment_id,
                        sent.error().message);
        if (const auto noted = outbox_.delivered((*item)->row); !noted)
            return log::error("cannot note that a result was delivered: {}", noted.error().message);
    }
}

/// A server that answers, but never to this (its quota is used up, a proxy forbids it), must not keep the device from
/// the next deployment for ever. The result stays in the history.
bool Link::is_refused_for_good(const Outbox::Item& item, const Error& error) {
    const bool refused =
        error.code == Code::ServerRefused || error.code == Code::Quota || error.code == Code::Unauthorized;
    if (!refused || !last_error_.empty()) return false;
    if (refused_row_ != item.row) refusals_ = 0;
    refused_row_ = item.row;
    return ++refusals_ >= kMostRefusals;
}

/// A canceled deployment is the answer to the cancel, not a result of the deployment. A server that knows of no cancel
/// (it was restored from a backup, say, or had only lost sight of the action) wants it done, and offers it again.
Result<void> Link::send_result(const Outbox::Item& item) {
    const auto& outcome = item.outcome;
    if (outcome.confirmed() && confirmed_there_ == item.deployment_id) return {};
    if (outcome.confirmed()) {
        auto sent = client_->confirm(item.deployment_id, true, outcome.message);
        if (sent) asks_ = false;
        return sent;
    }
    if (outcome.denied()) {
        // A soft deployment that was denied waits for no confirmation: then the no is its result.
        auto sent = client_->confirm(item.deployment_id, false, outcome.message);
        if (sent || !closed_for_good(sent.error())) return sent;
    }
    if (item.outcome.canceled()) {
        const auto answer = canceled_feedback(item.outcome.message, item.finished_ms);
        auto sent = client_->cancel_feedback(item.deployment_id, answer);
        const bool is_wanted_again = !sent && sent.error().code == Code::ServerRefused;
        if (is_wanted_again) log::notice("the server wants deployment {} done after all", item.deployment_id);
        return is_wanted_again ? Result<void>() : sent;
    }
    return client_->feedback(item.deployment_id, final_feedback(item));
}

/// All that waits is one status. Best effort: progress that cannot be sent is worth nothing later.
void Link::send_progress() {
    progress_due_ = MonotonicTime::max();
    if (asks_) return;  // it is kept for the time after the yes
    const auto [id, details] = std::exchange(progress_, {});
    if (!client_ || details.empty() || progress_sent_ >= kMostProgress) return;
    ++progress_sent_;
    const ddi::Feedback feedback{
        .execution = ddi::Execution::Proceeding, .details = details, .timestamp_ms = clock_.wall_ms()};
    if (const auto sent = client_->feedback(id, feedback); !sent)
        log::debug("progress was not sent: {}", sent.error().message);
}

/// A short wait gathers the phases that pass in no time, and keeps this device and the server from talking at the very
/// moment in which apps restart.
void Link::gather_progress(const ProgressMessage& message) {
    if (message.deployment_id != under_way_) return;
    waits_ = message.waits;
    if (progress_due_ == MonotonicTime::max() && !asks_) progress_due_ = clock_.now() + kGatherProgress;
    progress_.id = message.deployment_id;
    progress_.details.push_back(message.text);
}

Result<Milliseconds> Link::poll() {
    TRY(connect());
    const auto answer = client_->poll();
    if (!answer) {
        if (answer.error().code == Code::Unauthorized) client_.reset();
        return fail(answer.error());
    }
    last_contact_ms_ = clock_.wall_ms();
    send_attributes(answer->wants_attributes);
    if (answer->cancel) answer_cancel(*answer->cancel);
    if (!answer->cancel) notice_what_is_offered(*answer);
    if (answer->deployment) take(*answer->deployment, false);
    if (answer->confirmation) take(*answer->confirmation, true);
    return answer->sleep;
}

/// The server offers one action at a time. When it is another one than ours, or none, ours was closed there, deleted,
/// replaced, or forgotten with a backup: nobody wants it any more, unless it switches already.
void Link::notice_what_is_offered(const ddi::Poll& answer) {
    if (!under_way_ || outbox_may_have_more_ || given_up_ == *under_way_) return;
    const auto& offered = answer.deployment ? answer.deployment : answer.confirmation;
    const bool is_missing = !offered;
    const bool was_missing = std::exchange(is_missing_, is_missing);
    if (offered && ddi::action_id(*offered) == *under_way_) return;
    if (is_missing && !was_missing) return;  // one of several servers may be behind the others for a moment
    given_up_ = *under_way_;
    const log::Field action("DAVIT_ACTION", *under_way_);
    const bool in_time = outputs_.cancel(*under_way_);
    log::notice("the server no longer offers deployment {}: it {}", *under_way_,
                in_time ? "is given up" : "has switched already, and ends by its own result");
}

/// Until its switch begins a deployment can be stopped, and its end is the answer. What never began here, or is over,
/// is answered at once.
void Link::answer_cancel(const std::string& url) {
    const auto id = client_->cancel(url);
    if (!id) return log::warning("cannot read what the server wants to cancel: {}", id.error().message);
    if (outbox_may_have_more_) return;  // its result is on its way and says more than a cancel
    const log::Field action("DAVIT_ACTION", *id);
    auto feedback = canceled_feedback("canceled before it began", clock_.wall_ms());
    if (*id == under_way_) {
        if (outputs_.cancel(*id) || refused_cancel_ == *id) return;
        refused_cancel_ = *id;
        feedback = {.execution = ddi::Execution::Rejected,
                    .details = {"too late: the device is switching to the new apps, or watching them; the deployment "
                                "ends by its own result"},
                    .timestamp_ms = clock_.wall_ms()};
    }
    const auto sent = client_->cancel_feedback(*id, feedback);
    if (!sent)
        return log::warning("the answer to the cancel of deployment {} was not taken: {}", *id, sent.error().message);
    log::notice("cancel of deployment {}: {}", *id, feedback.details.front());
}

void Link::take(const std::string& url, bool to_confirm) {
    const auto id = ddi::action_id(url);
    if (under_way_ == id && !to_confirm) {
        if (std::exchange(asks_, false)) confirmed_there_ = id;
        return read_terms_again(url);
    }
    if (under_way_ || outbox_may_have_more_) return;  // one at a time; the server goes on offering it
    if (to_confirm && denied_ == id) return;
    const auto offered = to_confirm ? client_->confirmation(url) : client_->deployment(url);
    if (!offered) return not_readable(id, offered.error());
    read_url_ = url;
    offer(*offered, to_confirm);
}

void Link::offer(const ddi::Deployment& offered, bool to_confirm) {
    const log::Field action("DAVIT_ACTION", offered.id);
    Offer offer{.deployment = {.id = offered.id, .parts = {}}, .refused = {}};
    if (auto deployment = translate(offered)) {
        offer.deployment = std::move(*deployment);
        offer.deployment.confirm = to_confirm;
    } else {
        offer.refused = deployment.error();
    }
    under_way_ = offered.id;
    for (const auto& word : offered.unknown)
        log::warning("deployment {}: the server says {}, which is not known; taken for 'attempt'", offered.id, word);
    progress_ = {};
    progress_sent_ = 0;
    waits_ = false;
    asks_ = to_confirm;
    confirmed_there_.clear();
    given_up_.clear();
    is_missing_ = false;
    outputs_.offer(std::move(offer));
}

/// A forced time comes, a window opens, an operator gets impatient: the link of the action changes then. Only asked
/// when it matters, since each answer is a line in the server's history of the action.
void Link::read_terms_again(const std::string& url) {
    if (!waits_ || url == read_url_) return;
    const auto offered = client_->deployment(url);
    if (!offered) return log::warning("cannot read the deployment under way again: {}", offered.error().message);
    read_url_ = url;
    outputs_.terms(offered->id, terms_of(*offered));
}

/// An action that makes no sense would be offered for ever: after a while the server is told so.
void Link::not_readable(const std::string& id, const Error& error) {
    log::warning("cannot read the deployment that the server offers: {}", error.message);
    if (error.code != Code::InvalidInput) return;
    unreadable_times_ = unreadable_ == id ? unreadable_times_ + 1 : 1;
    unreadable_ = id;
    if (unreadable_times_ < kMostUnreadable) return;
    under_way_ = id;
    outputs_.offer({.deployment = {.id = id, .parts = {}}, .refused = error});
}

void Link::send_attributes(bool wanted) {
    if (attributes_.empty()) return;
    auto now = attributes_;
    if (outputs_.conditions) now.merge(outputs_.conditions());
    if (!wanted && now == attributes_sent_) return;
    const auto sent = client_->attributes(now);
    if (!sent) log::warning("the server did not take the attributes: {}", sent.error().message);
    // A server that has no place for them, or does not like them, says the same at the next poll.
    const bool in_vain = !sent && (closed_for_good(sent.error()) || sent.error().code == Code::ServerRefused);
    if (sent || in_vain) attributes_sent_ = std::move(now);
}

/// Sleeps until there is something to do, and takes everything that waits.
void Link::take_events(Milliseconds at_most, std::stop_token stop) {
    auto event = events_.pop_for(std::max(at_most, Milliseconds::zero()), stop);
    while (event) {
        handle(std::move(*event));
        event = events_.try_pop();
    }
}

void Link::handle(LinkEvent event) {
    std::visit(Overloaded{
                   [this](CheckNow) { check_now_ = true; },
                   [this](const ProgressMessage& message) { gather_progress(message); },
                   [this](ConfirmedHere) { outbox_may_have_more_ = true; },
                   [this](const ResultReady& result) {
                       outbox_may_have_more_ = true;
                       if (result.denied) denied_ = result.deployment_id;
                       if (under_way_ == result.deployment_id) under_way_.reset();
                       // One that the server offers again after its result waits for the server's interval.
                       has_news_ |= std::exchange(last_result_, result.deployment_id) != result.deployment_id;
                   },
                   [this](Attributes attributes) { attributes_ = std::move(attributes.values); },
               },
               std::move(event));
}

/// Logged when it changes, not at every poll.
void Link::report_status(Milliseconds until_next_poll, const std::optional<Error>& error) {
    const auto text = error ? error->message : std::string();
    if (text != last_error_) {
        if (error) log::warning("hawkBit at {}: {}", config_.url, text);
        if (!error) log::notice("hawkBit at {} answers again", config_.url);
        last_error_ = text;
    }
    outputs_.status({.url = config_.url,
                     .reached = !error,
                     .error = text,
                     .last_contact_ms = last_contact_ms_,
                     .next_poll_ms = clock_.wall_ms() + until_next_poll.count()});
}

}  // namespace davit
