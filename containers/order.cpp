#include "containers/order.h"

#include <algorithm>
#include <format>
#include <map>
#include <set>

namespace davit {
namespace {

using Dependencies = std::map<std::string, std::set<std::string>>;

Dependencies dependencies_of(const std::vector<Bundle>& apps) {
    Dependencies out;
    for (const auto& app : apps)
        out[app.manifest.name];
    for (const auto& app : apps) {
        const auto& manifest = app.manifest;
        for (const auto* list : {&manifest.after, &manifest.wants, &manifest.requires_}) {
            for (const auto& other : *list) {
                if (out.contains(other)) out[manifest.name].insert(other);
            }
        }
    }
    return out;
}

std::vector<Missing> missing_in(const std::vector<Bundle>& apps, std::vector<std::string> Manifest::* relation) {
    std::vector<Missing> out;
    for (const auto& app : apps) {
        for (const auto& other : app.manifest.*relation) {
            const bool there = std::ranges::contains(apps, other, [](const Bundle& one) { return one.manifest.name; });
            if (!there) out.push_back({app.manifest.name, other});
        }
    }
    return out;
}

/// "a → b → a": some circle among @p left, in which every app waits for another one.
std::string circle_in(const Dependencies& left) {
    std::vector<std::string> way{left.begin()->first};
    for (;;) {
        const std::string& next = *left.at(way.back()).begin();
        const bool is_closed = std::ranges::contains(way, next);
        way.push_back(next);
        if (!is_closed) continue;
        std::string out;
        for (auto app = std::ranges::find(way, next); app != way.end(); ++app)
            out += (out.empty() ? "" : " → ") + *app;
        return out;
    }
}

}  // namespace

Result<std::vector<std::string>> start_order(const std::vector<Bundle>& apps) {
    auto left = dependencies_of(apps);
    std::vector<std::string> order;
    while (!left.empty()) {
        const auto ready = std::ranges::find_if(left, [](const auto& entry) { return entry.second.empty(); });
        if (ready == left.end()) {
            return fail(
                Code::InvalidInput,
                std::format("apps wait for each other in a circle: {} (after, wants, requires)", circle_in(left)));
        }
        const std::string app = ready->first;
        left.erase(ready);
        for (auto& [name, waits_for] : left)
            waits_for.erase(app);
        order.push_back(app);
    }
    return order;
}

std::vector<Missing> missing_requirements(const std::vector<Bundle>& apps) {
    return missing_in(apps, &Manifest::requires_);
}

std::vector<Missing> missing_wants(const std::vector<Bundle>& apps) {
    return missing_in(apps, &Manifest::wants);
}

std::set<std::string> dependants(const std::vector<Bundle>& apps, const std::set<std::string>& changed) {
    std::set<std::string> reached = changed;
    for (bool grew = true; grew;) {
        grew = false;
        for (const auto& app : apps) {
            const auto& needs = app.manifest.requires_;
            if (std::ranges::any_of(needs, [&](const auto& other) { return reached.contains(other); }))
                grew |= reached.insert(app.manifest.name).second;
        }
    }
    for (const auto& app : changed)
        reached.erase(app);
    return reached;
}

}  // namespace davit
