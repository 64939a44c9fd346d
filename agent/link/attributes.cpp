#include "agent/link/attributes.h"

#include <sys/utsname.h>

#include <sstream>

#include "hawkbit/ddi/client.h"

namespace davit {
namespace {

std::string first_line(const Path& file) {
    auto text = file::read(file).value_or("");
    if (const auto end = text.find_first_of(std::string_view("\n\0", 2)); end != std::string::npos) text.resize(end);
    return text;
}

/// Boards say it in the device tree, PCs in DMI.
std::string hardware_model(const Path& root) {
    const auto board = first_line(root / "sys/firmware/devicetree/base/model");
    return board.empty() ? first_line(root / "sys/class/dmi/id/product_name") : board;
}

std::string os_name(const Path& root) {
    std::istringstream lines(file::read(root / "etc/os-release").value_or(""));
    constexpr std::string_view key = "PRETTY_NAME=";
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(key)) continue;
        auto value = line.substr(key.size());
        if (value.size() >= 2 && (value.front() == '"' || value.front() == '\''))
            value = value.substr(1, value.size() - 2);
        return value;
    }
    return {};
}

}  // namespace

std::map<std::string, std::string> device_attributes(const Path& root, const std::vector<AppVersion>& apps,
                                                     const std::map<std::string, std::string>& extra) {
    std::map<std::string, std::string> values = {
        {"davit.version", DAVIT_VERSION}, {"hw.model", hardware_model(root)}, {"os.name", os_name(root)}};
    if (utsname kernel{}; uname(&kernel) == 0) {
        values["hw.arch"] = kernel.machine;
        values["os.kernel"] = kernel.release;
    }
    for (const auto& app : apps)
        values["app." + app.name] = app.version;
    for (const auto& [key, value] : extra)
        values[key] = value;
    std::erase_if(values, [](const auto& entry) { return entry.second.empty(); });
    for (auto& [key, value] : values)
        value = ddi::clean_attribute(value);
    return values;
}

}  // namespace davit
