#include "agent/daemon/app_orders.h"

#include <algorithm>
#include <format>

#include "common/log.h"
#include "containers/order.h"

namespace davit {
namespace {

std::string label(const AppVersion& app) {
    return app.name + " " + app.version;
}

/// Those that run now and stop with @p app, since they require it.
std::vector<std::string> who_stops_too(const Generation& generation, const std::string& app, Content& content,
                                       SystemdApps& apps) {
    std::vector<Bundle> bundles;
    for (const auto& one : generation.apps)
        if (auto bundle = content.bundle(one)) bundles.push_back(std::move(*bundle));
    std::vector<std::string> out;
    for (const auto& name : dependants(bundles, {app})) {
        const auto state = apps.state(name);
        if (state && state->active) out.push_back(label(*generation.find(name)));
    }
    return out;
}

Result<std::string> stop_app(const AppVersion& app, const std::vector<std::string>& others, SystemdApps& apps,
                             std::stop_token stop) {
    TRY(apps.stop(app.name, std::move(stop)));
    std::string names;
    for (const auto& other : others)
        names += (names.empty() ? "" : ", ") + other;
    if (names.empty()) return label(app) + " is stopped";
    return std::format("{} is stopped, and with it {}, which require{} it", label(app), names,
                       others.size() == 1 ? "s" : "");
}

}  // namespace

Result<std::string> carry_out(AppVerb verb, const std::string& app, const Generations& generations, Content& content,
                              SystemdApps& apps, std::stop_token stop) {
    const log::Field field("DAVIT_APP", app);
    const auto generation = TRY(generations.current()).value_or(Generation{});
    const auto* installed = generation.find(app);
    if (!installed)
        return fail(Code::NotFound, std::format("no app '{}' is installed; 'davitctl apps' lists those that are", app));
    log::notice("somebody at the device wants to {} app '{}'", name(verb), app);
    if (verb == AppVerb::Stop)
        return stop_app(*installed, who_stops_too(generation, app, content, apps), apps, std::move(stop));
    const auto bundle = TRY(content.bundle(*installed));
    const auto timeout = bundle.manifest.start_timeout;
    TRY(verb == AppVerb::Start ? apps.start(app, timeout, stop) : apps.restart(app, timeout, stop));
    if (bundle.manifest.start == StartType::Oneshot) return label(*installed) + " has run";
    return label(*installed) + " is running";
}

}  // namespace davit
