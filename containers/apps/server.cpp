#include "containers/apps/server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>
#include <thread>

#include "containers/detail/notify.h"

namespace apps {
namespace {

[[noreturn]] void refuse(const Settings& settings, const std::string& why) {
    std::fprintf(stderr, "%s: %s\n", settings.name.c_str(), why.c_str());
    std::exit(2);
}

int number(const Settings& settings, std::string_view option, const char* text) {
    int value = 0;
    const std::string_view digits = text == nullptr ? "" : text;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size() || value < 0)
        refuse(settings, std::string(option) + " needs a number");
    return value;
}

std::string version_of_the_bundle() {
    std::string version = "unknown";
    std::ifstream("/etc/version") >> version;
    return version;
}

int listen_on(int port) {
    const int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1, no = 0;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);  // a restart must not wait for old connections
    setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(static_cast<std::uint16_t>(port));
    if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && listen(listener, 64) == 0)
        return listener;
    close(listener);
    return -1;
}

/// The path of a GET request; empty for anything else.
std::string read_path(int client) {
    const timeval patience{.tv_sec = 2, .tv_usec = 0};
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::string request;
    char part[2048];
    while (!request.contains("\r\n\r\n") && request.size() < 16'384) {
        const auto size = read(client, part, sizeof part);
        if (size <= 0) return {};
        request.append(part, static_cast<std::size_t>(size));
    }
    if (!request.starts_with("GET ")) return {};
    return request.substr(4, request.find(' ', 4) - 4);
}

struct Answer {
    int status = 200;
    std::string body;
};

Answer answer_to(const std::string& path, const Settings& settings, const std::function<std::string()>& greeting) {
    if (path == "/") return {200, greeting()};
    if (path == "/version") return {200, settings.version};
    if (path == "/health") return {settings.health_status, settings.health_status == 200 ? "ok" : "broken"};
    return {404, "not found"};
}

void talk(int client, const Settings& settings, const std::function<std::string()>& greeting) {
    if (const auto path = read_path(client); !path.empty()) {
        const auto [status, body] = answer_to(path, settings, greeting);
        const auto text =
            "HTTP/1.1 " + std::to_string(status) +
            " -\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\nConnection: close\r\n\r\n" + body;
        send(client, text.data(), text.size(), MSG_NOSIGNAL);
    }
    close(client);
}

/// Feeds systemd's watchdog twice as often as it asks for, if it does.
void feed_watchdog(int hang_after_ms) {
    const char* text = std::getenv("WATCHDOG_USEC");
    const auto period = std::chrono::microseconds(text == nullptr ? 0 : std::strtoll(text, nullptr, 10)) / 2;
    if (period.count() <= 0) return;
    std::thread([=] {
        const auto begin = std::chrono::steady_clock::now();
        while (hang_after_ms < 0 ||
               std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(hang_after_ms)) {
            davit::notify("WATCHDOG=1");
            std::this_thread::sleep_for(period);
        }
    }).detach();
}

void exit_later(int milliseconds) {
    std::thread([=] {
        std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
        std::fputs("exits, as --exit-after says\n", stderr);
        _exit(3);
    }).detach();
}

}  // namespace

Settings read_settings(std::string name, int port, int argc, char** argv) {
    Settings settings{.name = std::move(name), .version = version_of_the_bundle(), .port = port};
    if (const char* from_environment = std::getenv("PORT")) settings.port = number(settings, "PORT", from_environment);
    for (int at = 1; at < argc; ++at) {
        const std::string_view option = argv[at];
        const char* value = at + 1 < argc ? argv[at + 1] : nullptr;
        if (option == "--never-ready") {
            settings.never_ready = true;
            continue;
        }
        if (option == "--version" && value != nullptr)
            settings.version = value;
        else if (option == "--port")
            settings.port = number(settings, option, value);
        else if (option == "--health-status")
            settings.health_status = number(settings, option, value);
        else if (option == "--start-delay")
            settings.start_delay_ms = number(settings, option, value);
        else if (option == "--exit-after")
            settings.exit_after_ms = number(settings, option, value);
        else if (option == "--hang-after")
            settings.hang_after_ms = number(settings, option, value);
        else if (option == "--exit-with")
            std::exit(number(settings, option, value));
        else
            refuse(settings, "unknown option '" + std::string(option) + "'");
        ++at;
    }
    if (settings.port < 1 || settings.port > 65'535) refuse(settings, "the port must be between 1 and 65535");
    return settings;
}

int serve(const Settings& settings, const std::function<std::string()>& greeting) {
    // PID 1 of a container ignores every signal for which it has no handler.
    std::signal(SIGTERM, [](int) { _exit(0); });
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(settings.start_delay_ms));
    const int listener = listen_on(settings.port);
    if (listener < 0) {
        std::fprintf(stderr, "%s: cannot listen on port %d: %s\n", settings.name.c_str(), settings.port,
                     std::strerror(errno));
        return 1;
    }
    std::printf("%s %s serves on port %d\n", settings.name.c_str(), settings.version.c_str(), settings.port);
    if (!settings.never_ready) davit::notify("READY=1\nSTATUS=serves on port " + std::to_string(settings.port));
    feed_watchdog(settings.hang_after_ms);
    if (settings.exit_after_ms >= 0) exit_later(settings.exit_after_ms);
    for (;;) {
        const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) continue;
        try {
            std::thread([client, &settings, &greeting] { talk(client, settings, greeting); }).detach();
        } catch (const std::system_error&) {  // the unit's TasksMax
            close(client);
        }
    }
}

}  // namespace apps
