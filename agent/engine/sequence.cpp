#include "agent/engine/sequence.h"

#include <algorithm>
#include <format>

#include "agent/engine/start.h"

namespace davit {
namespace {

std::int64_t noted_floor(const Context& context, const std::string& app) {
    const auto found = context.floors.find(app);
    return found == context.floors.end() ? 0 : found->second;
}

/// An app that the image shipped was kept by nobody, and is no older for that. One whose bundle cannot be read says
/// nothing.
std::int64_t installed_sequence(const Context& context, const std::string& app) {
    const auto* installed = context.from.find(app);
    if (!installed) return 0;
    const auto bundle = context.content.bundle(*installed);
    return bundle ? bundle->manifest.sequence : 0;
}

}  // namespace

Result<void> check_sequence(const Context& context, const Part& part, const Manifest& manifest) {
    if (part.downgrade) return {};
    const auto floor = std::max(noted_floor(context, part.app), installed_sequence(context, part.app));
    if (manifest.sequence >= floor) return {};
    return fail(Code::Sequence,
                std::format("app '{}' {} has sequence {}, but this device has had sequence {} already; to go back on "
                            "purpose, {}",
                            part.app, part.version, manifest.sequence, floor,
                            context.deployment().local ? "say 'davitctl install --downgrade'"
                                                       : "set metadata 'downgrade' of the software module to 'true'"));
}

Result<Floors> raised_floors(const Context& context) {
    Floors floors;
    for (const auto& change : context.plan.changes) {
        if (!change.brings_content()) continue;
        const auto app = app_version(change.part);
        const auto bundle = TRY(context.content.bundle(app).transform_error(in(label(app))));
        const auto sequence = bundle.manifest.sequence;
        const auto floor = noted_floor(context, app.name);
        const bool may_fall = change.part.downgrade && !context.deployment().local;
        if (sequence > floor || (may_fall && sequence < floor)) floors[app.name] = sequence;
    }
    return floors;
}

}  // namespace davit
