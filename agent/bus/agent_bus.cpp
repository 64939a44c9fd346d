#include "agent/bus/agent_bus.h"

#include <sdbus-c++/sdbus-c++.h>

#include "agent/bus/dictionaries.h"
#include "agent/bus/owners.h"
#include "org.davit.Agent1-adaptor.h"

namespace davit {
namespace {

constexpr auto kServiceName = "org.davit.Agent1";
constexpr auto kObjectPath = "/org/davit/Agent1";

/// The value, or a D-Bus error that says why there is none.
template <typename T>
T value_or_throw(Result<T> result) {
    if (!result) throw sdbus::Error(sdbus::Error::Name("org.davit.Error.Failed"), result.error().message);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

Downgrade downgrade_of(const Dictionary& options) {
    auto downgrade = Downgrade::Refuse;
    for (const auto& [name, value] : options) {
        // What is asked for and not done must not pass for done.
        if (name != "downgrade" || !value.containsValueOfType<bool>())
            throw sdbus::Error(sdbus::Error::Name("org.davit.Error.Failed"), "unknown option '" + name + "'");
        if (value.get<bool>()) downgrade = Downgrade::Allow;
    }
    return downgrade;
}

/// Answers a call when what it asked for is done.
AgentBus::Reply later(sdbus::Result<std::string>&& result) {
    return [answer = std::make_shared<sdbus::Result<std::string>>(std::move(result))](const Result<std::string>& done) {
        if (done) return answer->returnResults(*done);
        answer->returnError(sdbus::Error(sdbus::Error::Name("org.davit.Error.Failed"), done.error().message));
    };
}

/// The object; its methods are named by the generated adaptor. sdbus-c++ turns the exceptions thrown here into D-Bus
/// errors.
class Agent1 final : public sdbus::AdaptorInterfaces<org::davit::Agent1_adaptor> {
public:
    Agent1(sdbus::IConnection& connection, AgentBus::Handlers handlers)
        : AdaptorInterfaces(connection, sdbus::ObjectPath(kObjectPath)),
          handlers_(std::move(handlers)),
          owners_(connection, [this](std::uint64_t id) { handlers_.later([this, id] { lose(id); }); }) {
        registerAdaptor();
    }
    ~Agent1() { unregisterAdaptor(); }
    Agent1(const Agent1&) = delete;
    Agent1& operator=(const Agent1&) = delete;
    Agent1(Agent1&&) = delete;
    Agent1& operator=(Agent1&&) = delete;

private:
    void Check() override {
        if (!handlers_.check())
            throw sdbus::Error(sdbus::Error::Name("org.davit.Error.NoServer"),
                               "no server is configured (hawkbit.url in davitd.json)");
    }
    Dictionary GetStatus() override {
        auto status = to_dictionary(handlers_.status());
        const auto asking = handlers_.asking();
        status["asking"] = sdbus::Variant(!asking.empty() && asking == handlers_.status().deployment.id);
        status["inhibitors"] = sdbus::Variant(to_dictionaries(handlers_.inhibitors()));
        return status;
    }
    std::vector<Dictionary> ListApps() override { return to_dictionaries(handlers_.apps()); }
    std::vector<Dictionary> GetHistory(const uint32_t& limit) override {
        return to_dictionaries(value_or_throw(handlers_.history(static_cast<int>(std::min<uint32_t>(limit, 1000)))));
    }
    std::vector<Dictionary> ListGenerations() override {
        return to_dictionaries(value_or_throw(handlers_.generations()));
    }
    std::string Rollback(const uint64_t& generation) override { return value_or_throw(handlers_.rollback(generation)); }
    void Confirm(const std::string& id, const std::string& reason) override {
        value_or_throw(handlers_.answer(id, true, reason));
    }
    void Deny(const std::string& id, const std::string& reason) override {
        value_or_throw(handlers_.answer(id, false, reason));
    }
    uint64_t Inhibit(const std::string& who, const std::string& why, const uint64_t& at_most_ms,
                     const bool& strong) override {
        const auto id = value_or_throw(handlers_.inhibit(
            {.who = who, .why = why, .strong = strong, .left = Milliseconds(static_cast<std::int64_t>(at_most_ms))}));
        owners_.owns(getObject().getCurrentlyProcessedMessage().getSender(), id);
        return id;
    }
    void Release(const uint64_t& id) override {
        if (!lose(id)) throw sdbus::Error(sdbus::Error::Name("org.davit.Error.Failed"), "there is no such inhibitor");
    }
    std::string Install(const std::vector<std::string>& places, const Dictionary& options) override {
        return value_or_throw(handlers_.install(places, downgrade_of(options)));
    }
    std::string Remove(const std::string& app) override { return value_or_throw(handlers_.remove(app)); }
    std::string Cancel() override { return value_or_throw(handlers_.cancel()); }
    void StartApp(sdbus::Result<std::string>&& result, std::string app) override {
        handlers_.app(AppVerb::Start, app, later(std::move(result)));
    }
    void StopApp(sdbus::Result<std::string>&& result, std::string app) override {
        handlers_.app(AppVerb::Stop, app, later(std::move(result)));
    }
    void RestartApp(sdbus::Result<std::string>&& result, std::string app) override {
        handlers_.app(AppVerb::Restart, app, later(std::move(result)));
    }
    std::string Version() override { return DAVIT_VERSION; }

    bool lose(std::uint64_t id) {
        owners_.forget(id);
        return handlers_.release(id);
    }

    AgentBus::Handlers handlers_;
    Owners owners_;
};

}  // namespace

struct AgentBus::Impl {
    std::unique_ptr<sdbus::IConnection> connection;
    std::unique_ptr<Agent1> object;

    ~Impl() {
        object.reset();
        if (connection) connection->detachSdEventLoop();
    }
};

Result<std::unique_ptr<AgentBus>> AgentBus::create(sd_event* event, Handlers handlers) {
    try {
        auto impl = std::make_unique<Impl>();
        impl->connection = sdbus::createSystemBusConnection();
        impl->object = std::make_unique<Agent1>(*impl->connection, std::move(handlers));
        impl->connection->attachSdEventLoop(event, 0);
        impl->connection->requestName(sdbus::ServiceName(kServiceName));
        return std::unique_ptr<AgentBus>(new AgentBus(std::move(impl)));
    } catch (const sdbus::Error& error) {
        return fail(Code::System, std::string("cannot offer ") + kServiceName + " on the system bus: " + error.what());
    }
}

AgentBus::AgentBus(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AgentBus::~AgentBus() = default;

void AgentBus::phase_changed(const DeploymentStatus& deployment) {
    try {
        impl_->object->emitPhaseChanged(deployment.id, deployment.phase, deployment.message);
    } catch (const sdbus::Error&) {  // a lost bus is noticed by everybody else; nothing here depends on the signal
    }
}

}  // namespace davit
