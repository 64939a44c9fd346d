#include "containers/detail/rules.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <format>
#include <utility>

#include "common/text.h"

namespace davit::rules {
namespace {

// Not <cctype>: its answers depend on the locale and its arguments on the sign of char.
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}
bool is_graph(char c) {
    return c > ' ' && c < 0x7f;
}

bool all_digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_digit);
}

bool is_positive_number(std::string_view text) {
    return all_digits(text) && text.size() <= 15 && text.find_first_not_of('0') != text.npos;
}

bool lies_below(std::string_view path, std::string_view directory) {
    return path == directory || (path.starts_with(directory) && path[directory.size()] == '/');
}

bool is_port(std::string_view text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return all_digits(text) && error == std::errc{} && number >= 1 && number <= 65535;
}

constexpr std::array kCapabilities = std::to_array<std::string_view>({
    "CAP_AUDIT_CONTROL",   "CAP_AUDIT_READ",   "CAP_AUDIT_WRITE",
    "CAP_BLOCK_SUSPEND",   "CAP_BPF",          "CAP_CHECKPOINT_RESTORE",
    "CAP_CHOWN",           "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",          "CAP_FSETID",       "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",       "CAP_KILL",         "CAP_LEASE",
    "CAP_LINUX_IMMUTABLE", "CAP_MAC_ADMIN",    "CAP_MAC_OVERRIDE",
    "CAP_MKNOD",           "CAP_NET_ADMIN",    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",   "CAP_NET_RAW",      "CAP_PERFMON",
    "CAP_SETFCAP",         "CAP_SETGID",       "CAP_SETPCAP",
    "CAP_SETUID",          "CAP_SYSLOG",       "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",        "CAP_SYS_CHROOT",   "CAP_SYS_MODULE",
    "CAP_SYS_NICE",        "CAP_SYS_PACCT",    "CAP_SYS_PTRACE",
    "CAP_SYS_RAWIO",       "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",  "CAP_WAKE_ALARM",
});

}  // namespace

Objection app_name(std::string_view text) {
    const auto allowed = [](char c) { return is_lower(c) || is_digit(c) || c == '.' || c == '_' || c == '-'; };
    if (text.empty() || text.size() > 64 || !std::ranges::all_of(text, allowed) ||
        (!is_lower(text[0]) && !is_digit(text[0]))) {
        return std::format("{} is not an app name (1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit)",
                           quoted(text));
    }
    // /run/davit/<app>.pid lies beside /run/davit/<app>/.
    if (text.ends_with(".pid")) return std::format("{} is not an app name (it must not end in .pid)", quoted(text));
    return std::nullopt;
}

Objection version(std::string_view text) {
    if (!text.empty() && text.size() <= 128 && std::ranges::all_of(text, is_graph)) return std::nullopt;
    return std::format("{} is not a version (1 to 128 printable ASCII characters without space)", quoted(text));
}

Objection argument(std::string_view text) {
    if (!text.contains('\0')) return std::nullopt;
    return std::format("{} has a NUL character", quoted(text));
}

Objection env_name(std::string_view text) {
    const auto allowed = [](char c) { return is_lower(c) || is_upper(c) || is_digit(c) || c == '_'; };
    if (text.empty() || !std::ranges::all_of(text, allowed) || is_digit(text[0])) {
        return std::format("{} is not a name of an environment variable", quoted(text));
    }
    if (text == "NOTIFY_SOCKET" || text == "WATCHDOG_USEC") return std::format("{} is set by Davit", text);
    return std::nullopt;
}

Objection absolute_path(std::string_view text) {
    if (!text.starts_with('/')) return std::format("{} is not an absolute path", quoted(text));
    if (text.size() > 4000) return "is longer than 4000 characters";
    if (std::ranges::any_of(text, is_control)) return std::format("{} has a control character", quoted(text));
    if (text == "/") return std::nullopt;
    for (std::size_t begin = 1; begin <= text.size();) {
        const auto end = std::min(text.find('/', begin), text.size());
        const auto part = text.substr(begin, end - begin);
        if (part.empty() || part == "." || part == "..")
            return std::format("{} has an empty part, \".\" or \"..\"", quoted(text));
        begin = end + 1;
    }
    return std::nullopt;
}

Objection mount_point(std::string_view text) {
    if (auto objection = absolute_path(text)) return objection;
    if (text == "/" || lies_below(text, "/proc") || lies_below(text, "/sys") || lies_below(text, "/dev")) {
        return std::format("{} cannot be a mount point of an app (not / and nothing in /proc, /sys, /dev)",
                           quoted(text));
    }
    return std::nullopt;
}

Objection device_node(std::string_view text) {
    if (auto objection = absolute_path(text)) return objection;
    if (lies_below(text, "/dev") && text != "/dev") return std::nullopt;
    return std::format("{} is not below /dev", quoted(text));
}

Objection memory(std::string_view text) {
    auto number = text;
    if (!number.empty() && std::string_view("KMGT%").contains(number.back())) number.remove_suffix(1);
    const bool percent = text.ends_with('%');
    if (is_positive_number(number) && (!percent || number.size() <= 2 || number == "100")) return std::nullopt;
    return std::format("{} is not an amount of memory (such as \"64M\", \"1G\", \"50%\", or bytes as a string)",
                       quoted(text));
}

Objection cpu(std::string_view text) {
    if (text.ends_with('%') && text.size() <= 7 && is_positive_number(text.substr(0, text.size() - 1)))
        return std::nullopt;
    return std::format("{} is not a share of processor time (such as \"50%\"; \"200%\" is two processors)",
                       quoted(text));
}

Objection http_url(std::string_view text) {
    const auto scheme = text.starts_with("http://") ? 7u : text.starts_with("https://") ? 8u : 0u;
    if (scheme != 0 && text.size() > scheme && text[scheme] != '/' && text.size() <= 2000 &&
        std::ranges::all_of(text, is_graph)) {
        return std::nullopt;
    }
    return std::format("{} is not a URL (such as \"http://127.0.0.1:8080/health\")", quoted(text));
}

Objection host_and_port(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon != text.npos && colon > 0 && std::ranges::all_of(text, is_graph) && is_port(text.substr(colon + 1)))
        return std::nullopt;
    return std::format("{} is not a host and port (such as \"127.0.0.1:5432\")", quoted(text));
}

std::optional<std::string> capability(std::string_view text) {
    std::string name(text);
    std::ranges::transform(name, name.begin(),
                           [](char c) { return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c; });
    if (!name.starts_with("CAP_")) name.insert(0, "CAP_");
    if (!std::ranges::contains(kCapabilities, std::string_view(name))) return std::nullopt;
    return name;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : cut(text, 200)) {
        if (is_control(c))
            out += std::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        else
            out += c;
    }
    return out + '"';
}

}  // namespace davit::rules
