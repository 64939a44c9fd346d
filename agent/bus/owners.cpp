#include "agent/bus/owners.h"

#include <format>

namespace davit {

void Owners::owns(const std::string& name, std::uint64_t thing) {
    const auto match = std::format(
        "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',"
        "arg0='{}'",
        name);
    const auto on_change = [this, thing](sdbus::Message message) {
        std::string changed, before, now;
        message >> changed >> before >> now;
        if (now.empty()) gone_(thing);
    };
    matches_.insert_or_assign(thing, connection_.addMatch(match, on_change, sdbus::return_slot));
}

}  // namespace davit
