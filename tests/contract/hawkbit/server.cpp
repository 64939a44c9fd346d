#include "server.h"

#include <gtest/gtest.h>
#include <cstdlib>
#include <format>
#include <random>

namespace davit::test {
namespace {

Result<std::string> need_variable(const char* name) {
    const auto* value = std::getenv(name);
    if (value == nullptr || *value == '\0') {
        return fail(
            Code::NotFound,
            std::format(
                "{} is not set: these tests need a real hawkBit; './dev test contract' starts one and runs them",
                name));
    }
    return std::string(value);
}

Result<std::string> secret_of(const char* variable) {
    const auto file = TRY(need_variable(variable));
    return ddi::Credentials::read(ddi::Credentials::Kind::GatewayToken, file).transform([](const auto& read) {
        return read.token;
    });
}

std::string random_suffix() {
    std::random_device random;
    return std::format("{:08x}", random());
}

}  // namespace

Result<Server> Server::from_environment() {
    Server server;
    server.url = TRY(need_variable("DAVIT_TEST_HAWKBIT_URL"));
    server.user = TRY(need_variable("DAVIT_TEST_HAWKBIT_USER"));
    server.password = TRY(secret_of("DAVIT_TEST_HAWKBIT_PASSWORD_FILE"));
    server.gateway_token = TRY(secret_of("DAVIT_TEST_HAWKBIT_GATEWAY_TOKEN_FILE"));
    return server;
}

void HawkbitContract::SetUp() {
    auto server = Server::from_environment();
    ASSERT_TRUE(server) << server.error().message;
    server_ = *server;
    suffix_ = random_suffix();
}

mgmt::Client HawkbitContract::admin(const std::string& password) const {
    return {{.url = server_.url, .user = server_.user, .password = password.empty() ? server_.password : password}, {}};
}

ddi::Client HawkbitContract::device(const std::string& controller_id, ddi::Credentials credentials) const {
    return {{.url = server_.url, .tenant = "DEFAULT", .controller_id = controller_id},
            std::move(credentials),
            std::make_unique<http::Client>(http::Options{})};
}

void HawkbitContract::create_device() {
    must(admin().create_target(device_id(), "made by a contract test", token()));
}

mgmt::Module HawkbitContract::create_module(const std::string& version,
                                            const std::vector<mgmt::MetadataEntry>& metadata) {
    auto client = admin();
    const auto module = must(client.create_module("application", unique("app"), version, "made by a contract test"));
    must(client.set_module_metadata(module.id, metadata));
    return module;
}

mgmt::DistributionSet HawkbitContract::create_set(const std::string& version, const mgmt::Module& module) {
    return must(admin().create_set("app", unique("set"), version, "made by a contract test", {module.id}));
}

Assignment HawkbitContract::assign(const std::string& version, mgmt::AssignType type) {
    Assignment made;
    made.module = create_module(
        version, {{.key = "commit", .value = "aaa"}, {.key = "hidden", .value = "x", .target_visible = false}});
    made.set = create_set(version, made.module);
    const auto action = must(admin().assign(made.set.id, device_id(), type));
    if (!action) throw std::runtime_error("hawkBit says that a set made just now is assigned already");
    made.action = *action;
    return made;
}

}  // namespace davit::test
