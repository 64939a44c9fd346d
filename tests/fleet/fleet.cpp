#include "tests/fleet/fleet.h"

#include <algorithm>
#include <format>

#include <nlohmann/json.hpp>

namespace davit::fleet {

Fleet::Fleet(FleetOptions options) : options_(std::move(options)), started_(system_clock().now()) {}

std::string Fleet::name_of(std::size_t number) const {
    return std::format("{}{:04}", options_.prefix, number);
}

Result<void> Fleet::tick() {
    const auto passed = std::chrono::duration_cast<Milliseconds>(system_clock().now() - started_).count();
    const auto due = std::min<std::int64_t>(options_.devices, 1 + passed * options_.starts_per_second / 1000);
    while (std::cmp_less(devices_.size(), due)) {
        auto server = options_.server;
        server.controller_id = name_of(devices_.size() + 1);
        const auto state = options_.state / server.controller_id;
        devices_.push_back(TRY(Device::start(std::move(server), state, options_.behaviour, statistics_, traffic_)));
    }
    if (options_.poll <= Milliseconds::zero()) return {};
    // One after the other, so that the fleet's polls are spread evenly over the interval.
    const auto asked =
        static_cast<std::uint64_t>(passed) * devices_.size() / static_cast<std::uint64_t>(options_.poll.count());
    for (; polls_asked_ < asked; ++polls_asked_)
        devices_[polls_asked_ % devices_.size()]->check_now();
    return {};
}

bool Fleet::are_done(std::uint64_t deployments) const {
    return std::cmp_equal(devices_.size(), options_.devices) && std::ranges::all_of(devices_, [&](const auto& device) {
               return device->deployments_ended() >= deployments && device->busy_with().empty();
           });
}

std::string Fleet::line() const {
    const auto reached = std::ranges::count_if(devices_, [](const auto& device) { return device->reached(); });
    const auto at_work = std::ranges::count_if(devices_, [](const auto& device) { return device->is_at_work(); });
    const auto ends = statistics_.ends();
    const auto size = own_size();
    return std::format(
        "{} devices, {} reach the server, {} at work; deployments: {} succeeded, {} failed, {} canceled; "
        "{} requests, {} refused, {} unanswered; {} MB, {} threads, {} files",
        devices_.size(), reached, at_work, ends.succeeded, ends.failed, ends.canceled, traffic_.requests.load(),
        traffic_.refused.load(), traffic_.unanswered.load(), size.rss_kb / 1000, size.threads, size.files);
}

nlohmann::json Fleet::summary() const {
    auto stuck = nlohmann::json::object();
    auto unreached = nlohmann::json::array();
    std::uint64_t most_requests = 0;
    for (const auto& device : devices_) {
        if (const auto why = device->busy_with(); !why.empty()) stuck[device->name()] = why;
        if (!device->reached()) unreached.push_back(device->name());
        most_requests = std::max(most_requests, device->requests());
    }
    const auto size = own_size();
    const std::chrono::duration<double> seconds = system_clock().now() - started_;
    return {{"devices", devices_.size()},
            {"seconds", seconds.count()},
            {"deployments", statistics_.to_json()},
            {"stuck", stuck},
            {"unreached", unreached},
            {"requests",
             {{"all", traffic_.requests.load()},
              {"refused", traffic_.refused.load()},
              {"unanswered", traffic_.unanswered.load()},
              {"most_by_a_device", most_requests}}},
            {"process", {{"rss_kb", size.rss_kb}, {"threads", size.threads}, {"files", size.files}}}};
}

void Fleet::stop() {
    for (const auto& device : devices_)
        device->request_stop();
    devices_.clear();
}

}  // namespace davit::fleet
