// Phase `rolling-back`: the old generation is current again and its apps run. It goes as far as it can, and what it
// could not do is in the result.

#include <algorithm>
#include <format>
#include <string>
#include <vector>

#include "agent/engine/start.h"
#include "common/log.h"
#include "containers/order.h"

namespace davit {
namespace {

/// What went wrong on the way back, in the order in which it happened.
class Troubles {
public:
    /// @return whether @p result is good
    template <typename T>
    bool check(const Result<T>& result) {
        if (result) return true;
        text_ += (text_.empty() ? "" : "; ") + result.error().message;
        if (result.error().code == Code::Canceled) canceled_ = true;
        return false;
    }
    [[nodiscard]] const std::string& text() const { return text_; }
    /// Something was not done because the device goes down: the next start does it.
    [[nodiscard]] bool canceled() const { return canceled_; }

private:
    std::string text_;
    bool canceled_ = false;
};

/// The bundles of the old generation. One that cannot be read (the policy may have changed) does not keep the others
/// from coming back.
std::vector<Bundle> old_bundles(const Context& context, Troubles& troubles) {
    std::vector<Bundle> out;
    for (const auto& app : context.from.apps) {
        auto bundle = context.content.bundle(app).transform_error(in(label(app)));
        if (troubles.check(bundle)) out.push_back(std::move(*bundle));
    }
    return out;
}

std::vector<std::string> names_of(const std::vector<Bundle>& bundles) {
    std::vector<std::string> out;
    for (const auto& bundle : bundles)
        out.push_back(bundle.manifest.name);
    return out;
}

void stop_new(const Context& context, Troubles& troubles) {
    for (const auto& app : stop_order(context, context.plan.after)) {
        const auto* change = context.plan.find(app.name);
        if (!change || change->action != Action::Install) continue;
        const log::Field field("DAVIT_APP", app.name);
        troubles.check(context.apps.stop(app.name, context.stop).transform_error(in(label(app) + " did not stop")));
    }
}

void start_old(const Context& context, const std::vector<Bundle>& bundles, Troubles& troubles) {
    auto order = start_order(bundles);
    if (!troubles.check(order)) order = names_of(bundles);  // better in any order than not at all
    for (const auto& name : *order) {
        if (context.stop.stop_requested()) return;
        const auto* change = context.plan.find(name);
        if (!change || !change->before || change->action == Action::Nothing) continue;
        const auto bundle = std::ranges::find(bundles, name, [](const Bundle& one) { return one.manifest.name; });
        troubles.check(start_if_needed(context, *change->before, bundle->manifest, Stopped::Start));
    }
}

std::string describe(const Plan& plan) {
    std::string out;
    for (const auto& change : plan.changes) {
        if (change.action == Action::Nothing) continue;
        out += out.empty() ? "" : ", ";
        if (change.before) {
            out += std::format("{} {} again", change.part.app, change.before->version);
        } else {
            out += std::format("{} removed", change.part.app);
        }
    }
    return out.empty() ? "nothing was changed" : "rolled back: " + out;
}

}  // namespace

Result<Step> roll_back(const Context& context) {
    Troubles troubles;
    const auto bundles = old_bundles(context, troubles);
    troubles.check(context.apps.prepare(bundles));
    TRY(context.generations.switch_to(context.from.number));
    stop_new(context, troubles);
    start_old(context, bundles, troubles);
    if (context.stop.stop_requested() || troubles.canceled()) return fail(Code::Canceled, "stopped while rolling back");
    if (troubles.text().empty()) return Step{Event::RolledBack, describe(context.plan)};
    return Step{Event::RolledBack, "rolled back, but: " + troubles.text()};
}

}  // namespace davit
