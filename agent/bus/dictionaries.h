#pragma once
/// Davit's values as the dictionaries of org.davit.Agent1. Their members are documented in units/org.davit.Agent1.xml
/// and only ever added.

#include <sdbus-c++/Types.h>

#include <map>
#include <string>
#include <vector>

#include "agent/journal.h"
#include "agent/status.h"

namespace davit {

using Dictionary = std::map<std::string, sdbus::Variant>;

Dictionary to_dictionary(const PartStatus& part);
Dictionary to_dictionary(const Status& status);
Dictionary to_dictionary(const InhibitorStatus& inhibitor);
Dictionary to_dictionary(const AppView& view);
Dictionary to_dictionary(const HistoryEntry& entry);
Dictionary to_dictionary(const Generations::Named& named);

template <typename T>
std::vector<Dictionary> to_dictionaries(const std::vector<T>& items) {
    std::vector<Dictionary> out;
    for (const auto& item : items)
        out.push_back(to_dictionary(item));
    return out;
}

}  // namespace davit
