#include "agent/ctl/client.h"

#include <sdbus-c++/sdbus-c++.h>

#include <nlohmann/json.hpp>

#include "org.davit.Agent1-proxy.h"

namespace davit {
namespace {

using Json = nlohmann::json;
using Dictionary = std::map<std::string, sdbus::Variant>;

/// An app may take its start timeout to start, and its stop timeout before.
constexpr std::chrono::minutes kLongestCall{60};

Json to_json(const std::vector<Dictionary>& list);

Json to_json(const sdbus::Variant& value) {
    const std::string_view type = value.peekValueType();
    if (type == "s") return value.get<std::string>();
    if (type == "b") return value.get<bool>();
    if (type == "t") return value.get<std::uint64_t>();
    if (type == "x") return value.get<std::int64_t>();
    if (type == "u") return value.get<std::uint32_t>();
    if (type == "as") return value.get<std::vector<std::string>>();
    if (type == "aa{sv}") return to_json(value.get<std::vector<Dictionary>>());
    return nullptr;  // a newer davitd may say more than this davitctl knows
}

Json to_json(const Dictionary& dictionary) {
    Json object = Json::object();
    for (const auto& [key, value] : dictionary)
        object[key] = to_json(value);
    return object;
}

Json to_json(const std::vector<Dictionary>& list) {
    Json array = Json::array();
    for (const auto& item : list)
        array.push_back(to_json(item));
    return array;
}

class AgentProxy final : public sdbus::ProxyInterfaces<org::davit::Agent1_proxy> {
public:
    explicit AgentProxy(sdbus::IConnection& connection)
        : ProxyInterfaces(connection, sdbus::ServiceName("org.davit.Agent1"), sdbus::ObjectPath("/org/davit/Agent1")) {
        registerProxy();
    }
    ~AgentProxy() { unregisterProxy(); }
    AgentProxy(const AgentProxy&) = delete;
    AgentProxy& operator=(const AgentProxy&) = delete;
    AgentProxy(AgentProxy&&) = delete;
    AgentProxy& operator=(AgentProxy&&) = delete;

private:
    void onPhaseChanged(const std::string&, const std::string&, const std::string&) override {}
};

Error to_error(const sdbus::Error& error) {
    const std::string& name = error.getName();
    if (name == "org.freedesktop.DBus.Error.ServiceUnknown" || name == "org.freedesktop.DBus.Error.NameHasNoOwner") {
        return {Code::Network, "davitd is not running (apps run without it; see 'systemctl status davitd')"};
    }
    if (name == "org.freedesktop.DBus.Error.AccessDenied") return {Code::Unauthorized, "this needs root"};
    if (name == "org.freedesktop.DBus.Error.FileNotFound")
        return {Code::Network, "there is no system bus here; davitctl runs on the device"};
    return {Code::System, error.getMessage()};
}

}  // namespace

struct AgentClient::Bus {
    std::unique_ptr<sdbus::IConnection> connection;
    std::unique_ptr<AgentProxy> agent;

    template <typename F>
    auto call(F f) -> Result<decltype(f())> {
        try {
            if constexpr (std::is_void_v<decltype(f())>) {
                f();
                return {};
            } else {
                return f();
            }
        } catch (const sdbus::Error& error) {
            return fail(to_error(error));
        }
    }

    /// What systemd says about a unit. A unit that it does not know is "not-found".
    [[nodiscard]] Json unit_state(const std::string& unit) const {
        constexpr auto service = "org.freedesktop.systemd1";
        constexpr auto unit_interface = "org.freedesktop.systemd1.Unit";
        constexpr auto service_interface = "org.freedesktop.systemd1.Service";
        try {
            const auto manager = sdbus::createProxy(*connection, sdbus::ServiceName(service),
                                                    sdbus::ObjectPath("/org/freedesktop/systemd1"));
            sdbus::ObjectPath path;
            manager->callMethod("GetUnit")
                .onInterface("org.freedesktop.systemd1.Manager")
                .withArguments(unit)
                .storeResultsTo(path);
            const auto proxy = sdbus::createProxy(*connection, sdbus::ServiceName(service), path);
            return {
                {"state", proxy->getProperty("ActiveState").onInterface(unit_interface).get<std::string>()},
                {"sub_state", proxy->getProperty("SubState").onInterface(unit_interface).get<std::string>()},
                {"since_ms",
                 proxy->getProperty("ActiveEnterTimestamp").onInterface(unit_interface).get<std::uint64_t>() / 1000},
                {"pid", proxy->getProperty("MainPID").onInterface(service_interface).get<std::uint32_t>()},
                {"restarts", proxy->getProperty("NRestarts").onInterface(service_interface).get<std::uint32_t>()}};
        } catch (const sdbus::Error&) {
            return {{"state", "not-found"}, {"sub_state", ""}, {"since_ms", 0}, {"pid", 0}, {"restarts", 0}};
        }
    }
};

Result<AgentClient> AgentClient::connect() {
    try {
        auto bus = std::make_unique<Bus>();
        bus->connection = sdbus::createSystemBusConnection();
        bus->connection->setMethodCallTimeout(kLongestCall);
        bus->connection->enterEventLoopAsync();
        bus->agent = std::make_unique<AgentProxy>(*bus->connection);
        return AgentClient(std::move(bus));
    } catch (const sdbus::Error& error) {
        return fail(to_error(error));
    }
}

AgentClient::AgentClient(std::unique_ptr<Bus> bus) : bus_(std::move(bus)) {}
AgentClient::~AgentClient() = default;
AgentClient::AgentClient(AgentClient&&) noexcept = default;
AgentClient& AgentClient::operator=(AgentClient&&) noexcept = default;

Result<Json> AgentClient::status() {
    return bus_->call([&] { return to_json(bus_->agent->GetStatus()); });
}

Result<Json> AgentClient::apps() {
    auto apps = TRY(bus_->call([&] { return to_json(bus_->agent->ListApps()); }));
    for (auto& app : apps)
        app.update(bus_->unit_state(app.value("unit", "")));
    return apps;
}

Result<Json> AgentClient::history(unsigned limit) {
    return bus_->call([&] { return to_json(bus_->agent->GetHistory(limit)); });
}

Result<Json> AgentClient::generations() {
    return bus_->call([&] { return to_json(bus_->agent->ListGenerations()); });
}

Result<std::string> AgentClient::rollback(std::uint64_t generation) {
    return bus_->call([&] { return bus_->agent->Rollback(generation); });
}

Result<void> AgentClient::answer(const std::string& deployment, bool yes, const std::string& reason) {
    return bus_->call([&] {
        if (yes) {
            bus_->agent->Confirm(deployment, reason);
        } else {
            bus_->agent->Deny(deployment, reason);
        }
    });
}

Result<void> AgentClient::inhibit(const std::string& who, const std::string& why, Milliseconds at_most, bool strong) {
    return bus_->call([&] { bus_->agent->Inhibit(who, why, static_cast<std::uint64_t>(at_most.count()), strong); });
}

Result<std::string> AgentClient::install(const std::vector<std::string>& places, bool downgrade) {
    const Dictionary options = downgrade ? Dictionary{{"downgrade", sdbus::Variant(true)}} : Dictionary{};
    return bus_->call([&] { return bus_->agent->Install(places, options); });
}

Result<std::string> AgentClient::remove(const std::string& app) {
    return bus_->call([&] { return bus_->agent->Remove(app); });
}

Result<std::string> AgentClient::cancel() {
    return bus_->call([&] { return bus_->agent->Cancel(); });
}

Result<std::string> AgentClient::start(const std::string& app) {
    return bus_->call([&] { return bus_->agent->StartApp(app); });
}

Result<std::string> AgentClient::stop(const std::string& app) {
    return bus_->call([&] { return bus_->agent->StopApp(app); });
}

Result<std::string> AgentClient::restart(const std::string& app) {
    return bus_->call([&] { return bus_->agent->RestartApp(app); });
}

Result<void> AgentClient::check() {
    return bus_->call([&] { bus_->agent->Check(); });
}

}  // namespace davit
