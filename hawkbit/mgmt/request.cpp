#include "hawkbit/mgmt/request.h"

#include <cstdint>

#include "common/http.h"

namespace davit::mgmt {
namespace {

std::string base64(std::string_view bytes) {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto group = bytes.substr(i, 3);
        std::uint32_t bits = 0;
        for (std::size_t n = 0; n < 3; ++n)
            bits = bits << 8 | (n < group.size() ? static_cast<unsigned char>(group[n]) : 0u);
        for (std::size_t n = 0; n < 4; ++n)
            text += n <= group.size() ? kAlphabet[bits >> (18 - 6 * n) & 63u] : '=';
    }
    return text;
}

/// An RSQL string in double quotes.
std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += c;
    }
    return result + '"';
}

}  // namespace

std::string basic_auth(std::string_view user, std::string_view password) {
    return "Basic " + base64(std::string(user) + ":" + std::string(password));
}

std::string name_query(std::string_view name) {
    return "q=" + http::percent_encode("name==" + quoted(name));
}

std::string name_and_version_query(std::string_view name, std::string_view version) {
    return "q=" + http::percent_encode("name==" + quoted(name) + ";version==" + quoted(version));
}

}  // namespace davit::mgmt
