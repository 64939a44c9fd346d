#include "agent/gate/gate.h"

#include <algorithm>
#include <format>

#include "agent/gate/rules.h"

namespace davit {
namespace {

using Word = Permission::Answer::Word;

Permission::Answer wait_because(std::string reason, std::optional<Milliseconds> look_again = {}) {
    return {.word = Word::Wait, .reason = std::move(reason), .look_again = look_again};
}

std::string clock_time(int minutes) {
    return std::format("{:02}:{:02}", minutes / 60, minutes % 60);
}

}  // namespace

void Gate::changed() {
    ++version_;
    told_.notify_all();
}

void Gate::terms(const std::string& id, Terms terms) {
    const std::lock_guard lock(mutex_);
    const std::pair now(id, terms);
    if (terms_ == now) return;
    terms_ = now;
    changed();
}

void Gate::offered(const std::string& id) {
    const std::lock_guard lock(mutex_);
    if (terms_ && terms_->first == id) terms_.reset();
    if (said_ && said_->id == id) said_.reset();
}

Result<void> Gate::answer(const std::string& id, bool yes, std::string reason) {
    const std::lock_guard lock(mutex_);
    if (asking_.empty()) return fail(Code::NotFound, "no deployment waits for an answer");
    if (asking_ != id) {
        return fail(Code::NotFound,
                    std::format("deployment {} does not wait for an answer; deployment {} does", id, asking_));
    }
    said_ = Said{.id = id, .yes = yes, .reason = std::move(reason)};
    asking_.clear();
    changed();
    return {};
}

std::string Gate::asking() const {
    const std::lock_guard lock(mutex_);
    return asking_;
}

std::uint64_t Gate::inhibit(Inhibitor inhibitor) {
    const std::lock_guard lock(mutex_);
    inhibitor.id = ++last_inhibitor_;
    inhibitors_.push_back(std::move(inhibitor));
    changed();
    return last_inhibitor_;
}

bool Gate::release(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    if (std::erase_if(inhibitors_, [id](const Inhibitor& one) { return one.id == id; }) == 0) return false;
    changed();
    return true;
}

std::vector<Inhibitor> Gate::inhibitors() {
    const std::lock_guard lock(mutex_);
    forget_expired();
    return inhibitors_;
}

void Gate::forget_expired() {
    std::erase_if(inhibitors_, [now = clock_.now()](const Inhibitor& one) { return one.until <= now; });
}

Permission::Answer Gate::ask(const Deployment& deployment, Step step, bool confirmed) {
    const std::lock_guard lock(mutex_);
    asking_.clear();
    auto answer = step == Step::Begin      ? begin(deployment)
                  : step == Step::Download ? download(deployment, confirmed)
                                           : switch_over(deployment, confirmed);
    answer.as_of = version_;
    return answer;
}

void Gate::wait(const Answer& answer, std::stop_token stop) {
    std::unique_lock lock(mutex_);
    const auto told = [&] { return version_ != answer.as_of; };
    if (answer.look_again) {
        told_.wait_for(lock, stop, *answer.look_again, told);
    } else {
        told_.wait(lock, stop, told);
    }
    asking_.clear();  // asked again at once, unless the deployment is given up
}

Terms Gate::terms_of(const Deployment& deployment) const {
    return terms_ && terms_->first == deployment.id ? terms_->second : deployment.terms;
}

Permission::Answer Gate::begin(const Deployment& deployment) {
    // The server hands terms out only for what needs no yes, or no more: its operator has given it.
    if (terms_ && terms_->first == deployment.id) return {.reason = "confirmed at the server"};
    if (rules_.confirm_by_itself) return {.reason = "confirmed by the device's configuration"};
    return ask_people(deployment, "before anything is done");
}

Permission::Answer Gate::download(const Deployment& deployment, bool confirmed) {
    switch (terms_of(deployment).download) {
        case When::Now:
            return {};
        case When::WhenAllowed:
            return soft(rules_.soft_download, deployment, confirmed, "before it downloads");
        case When::NotYet:
            break;
    }
    return wait_because("the server says: do not download yet");
}

/// Switching is what inhibitors are against: downloading hurts nobody.
Permission::Answer Gate::switch_over(const Deployment& deployment, bool confirmed) {
    const auto when = terms_of(deployment).update;
    if (when == When::NotYet)
        return wait_because("the server says: do not switch yet (outside the maintenance window)");
    const bool is_forced = when == When::Now;
    if (auto held = held_off(is_forced)) return *held;
    return is_forced ? Answer{} : soft(rules_.soft_update, deployment, confirmed, "before it switches");
}

Permission::Answer Gate::soft(const Config::Soft& rule, const Deployment& deployment, bool confirmed,
                              std::string_view what) {
    if (rule.ask) return confirmed ? Answer{} : ask_people(deployment, what);
    if (!rule.hours) return {};
    const auto left = until_open(*rule.hours, clock_.wall_ms());
    if (left == Milliseconds::zero()) return {};
    return wait_because(std::format("waits for {} to {}", clock_time(rule.hours->from), clock_time(rule.hours->to)),
                        left);
}

Permission::Answer Gate::ask_people(const Deployment& deployment, std::string_view what) {
    if (said_ && said_->id == deployment.id) {
        const auto because = said_->reason.empty() ? "" : ": " + said_->reason;
        if (said_->yes) return {.reason = "confirmed at the device" + because};
        return {.word = Word::No, .reason = "denied at the device" + because};
    }
    asking_ = deployment.id;
    return wait_because(
        std::format("waits for a yes of somebody at the device {}: 'davitctl confirm {}' or "
                    "'davitctl deny {}'",
                    what, deployment.id, deployment.id));
}

std::optional<Permission::Answer> Gate::held_off(bool only_strong) {
    forget_expired();
    const auto holds = [&](const Inhibitor& one) { return one.strong || !only_strong; };
    const auto first = std::ranges::find_if(inhibitors_, holds);
    if (first == inhibitors_.end()) return std::nullopt;
    auto until = first->until;
    for (const auto& one : inhibitors_)
        if (holds(one)) until = std::min(until, one.until);
    const auto left = std::chrono::ceil<Milliseconds>(until - clock_.now());
    return wait_because(std::format("held off by {}: {}", first->who, first->why), left);
}

}  // namespace davit
