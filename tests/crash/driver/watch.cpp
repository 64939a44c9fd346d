#include "tests/crash/driver/watch.h"

#include <fcntl.h>

#include <format>

#include "common/fd.h"

namespace davit::crash {

std::string_view name(Seam seam) {
    switch (seam) {
        case Seam::Inspect:
            return "Content::inspect";
        case Seam::Pull:
            return "Content::pull";
        case Seam::Checkout:
            return "Content::checkout";
        case Seam::ReadBundle:
            return "Content::bundle";
        case Seam::KeepOnly:
            return "Content::keep_only";
        case Seam::FreeBytes:
            return "Content::free_bytes";
        case Seam::Prepare:
            return "Apps::prepare";
        case Seam::Restart:
            return "Apps::restart";
        case Seam::Stop:
            return "Apps::stop";
        case Seam::State:
            return "Apps::state";
        case Seam::ForgetAllBut:
            return "Apps::forget_all_but";
        case Seam::ProbeOnce:
            return "Probe::probe";
        case Seam::Ask:
            return "Permission::ask";
        case Seam::Wait:
            return "Permission::wait";
        case Seam::End:
            break;
    }
    std::unreachable();
}

bool Watch::begins(Seam seam) {
    ++calls_;
    if (!visits_.empty()) {
        auto& visit = visits_.back();
        (visit.event.empty() ? visit.calls : visit.cleaning).push_back(seam);
    }
    if (is_last() && !orders_.afterwards) die();
    if (calls_ == orders_.fail_at_call) broken_ = seam;
    return broken_ == seam && (orders_.lasting || calls_ == orders_.fail_at_call);
}

std::unexpected<Error> Watch::broken(Seam seam) const {
    return fail(orders_.code, std::format("{} was made to fail", name(seam)));
}

void Watch::note(Phase phase, bool told) {
    in_phase_ = phase;
    visits_.push_back({.phase = phase,
                       .told = told,
                       .event = {},
                       .journal_sync = control_.journal_syncs,
                       .first_call = calls_ + 1,
                       .first_operation = control_.operations,
                       .operations = 0,
                       .calls = {},
                       .cleaning = {}});
}

void Watch::entered(const Deployment& deployment, const Plan&, Phase phase, const std::string&) {
    if (in_phase_ == phase) return;  // news from the same stay
    note(phase, true);
    mark(std::format("entered {} {}", deployment.id, davit::name(phase)));
    const auto cancels_at = phase_from_name(orders_.cancel);
    if (cancels_at && *cancels_at <= phase) hands_.cancel(deployment.id);
    if (orders_.hide == davit::name(phase)) hands_.hide();
    if (visits_.size() != orders_.visit) return;
    if (orders_.told) die();
    if (orders_.operations > 0) control_.kill_at_operation = control_.operations + orders_.operations;
}

void Watch::left(Phase phase, std::string_view event) {
    if (in_phase_ != phase) note(phase, false);
    auto& visit = visits_.back();
    visit.event = event;
    visit.operations = control_.operations - visit.first_operation;  // nothing is persisted before this
}

void Watch::confirmed(const Deployment& deployment) {
    mark("confirmed " + deployment.id);
}

void Watch::finished(const Deployment& deployment, const Outcome&) {
    mark("finished " + deployment.id);
    if (!orders_.hide.empty()) hands_.show();
}

void Watch::mark(const std::string& text) const {
    if (!orders_.mark) return;
    const Fd file(::open(orders_.mark->c_str(), O_WRONLY | O_CLOEXEC | O_APPEND));
    const auto line = text + "\n";
    if (!file || ::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::abort();
}

namespace {

nlohmann::json names_of(const std::vector<Seam>& seams) {
    auto out = nlohmann::json::array();
    for (const auto seam : seams)
        out.push_back(name(seam));
    return out;
}

}  // namespace

nlohmann::json Watch::trace() const {
    auto out = nlohmann::json::array();
    for (const auto& visit : visits_) {
        out.push_back({{"phase", davit::name(visit.phase)},
                       {"event", visit.event},
                       {"told", visit.told},
                       {"journal_sync", visit.journal_sync},
                       {"first_call", visit.first_call},
                       {"operations", visit.operations},
                       {"first_operation", visit.first_operation},
                       {"calls", names_of(visit.calls)},
                       {"cleaning", names_of(visit.cleaning)}});
    }
    return out;
}

}  // namespace davit::crash
