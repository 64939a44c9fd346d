#include "agent/engine/plan.h"

#include <algorithm>
#include <format>
#include <set>
#include <utility>

namespace davit {
namespace {

struct Verbs {
    std::string_view install, update, remove;
};
constexpr Verbs kTodo{"install", "update", "remove"};
constexpr Verbs kDone{"installed", "updated", "removed"};

Change compare(const AppVersion* before, const Part& part) {
    Change change{.part = part};
    if (before) change.before = *before;
    if (part.remove) {
        change.action = before ? Action::Remove : Action::Nothing;
    } else if (!before) {
        change.action = Action::Install;
    } else {
        change.action = *before == app_version(part) ? Action::Nothing : Action::Update;
    }
    return change;
}

std::string describe(const Change& change, const Verbs& verbs) {
    switch (change.action) {
        case Action::Install:
            return std::format("{} {} {}", verbs.install, change.part.app, change.part.version);
        case Action::Update: {
            const auto& from = change.before->version;
            return std::format("{} {} {} → {}", verbs.update, change.part.app, from, change.part.version);
        }
        case Action::Remove:
            return std::format("{} {} {}", verbs.remove, change.part.app, change.before->version);
        case Action::Nothing:
            return {};
    }
    std::unreachable();
}

std::string describe_nothing(const Plan& plan) {
    std::string present, absent;
    for (const auto& change : plan.changes) {
        if (change.part.remove) {
            absent += std::format("{}{}", absent.empty() ? "" : ", ", change.part.app);
        } else {
            present += std::format("{}{} {}", present.empty() ? "" : ", ", change.part.app, change.part.version);
        }
    }
    if (present.empty() && absent.empty()) return "nothing to do: the deployment names no apps";
    if (absent.empty()) return "already installed: " + present;
    if (present.empty()) return "already absent: " + absent;
    return std::format("already installed: {}; already absent: {}", present, absent);
}

std::string describe(const Plan& plan, const Verbs& verbs) {
    if (plan.changes_nothing()) return describe_nothing(plan);
    std::string out;
    for (const auto& change : plan.changes) {
        if (change.action != Action::Nothing) out += (out.empty() ? "" : ", ") + describe(change, verbs);
    }
    return out;
}

}  // namespace

AppVersion app_version(const Part& part) {
    return {.name = part.app, .version = part.version, .commit = part.commit, .ref = part.ref, .legacy = part.legacy};
}

bool Change::replaces() const {
    if (!brings_content()) return false;
    if (!before || before->commit != part.commit) return true;
    const auto notifies = [](const std::optional<LegacyOptions>& legacy) { return legacy && legacy->notify; };
    return notifies(before->legacy) != notifies(part.legacy);
}

bool Plan::changes_nothing() const {
    return std::ranges::all_of(changes, [](const Change& change) { return change.action == Action::Nothing; });
}

const Change* Plan::find(std::string_view app) const {
    const auto found = std::ranges::find(changes, app, [](const Change& change) { return change.part.app; });
    return found == changes.end() ? nullptr : &*found;
}

std::string Change::todo() const {
    return describe(*this, kTodo);
}
std::string Plan::todo() const {
    return describe(*this, kTodo);
}
std::string Plan::done() const {
    return describe(*this, kDone);
}

Result<Plan> make_plan(const Generation& from, const Deployment& deployment) {
    Plan plan;
    std::set<std::string> named;
    for (const auto& part : deployment.parts) {
        if (!named.insert(part.app).second) {
            return fail(Code::InvalidInput, std::format("the deployment names app '{}' twice", part.app));
        }
        plan.changes.push_back(compare(from.find(part.app), part));
        if (!part.remove) plan.after.push_back(app_version(part));
    }
    for (const auto& app : from.apps) {
        if (!named.contains(app.name)) plan.after.push_back(app);
    }
    std::ranges::sort(plan.after, {}, &AppVersion::name);
    return plan;
}

}  // namespace davit
