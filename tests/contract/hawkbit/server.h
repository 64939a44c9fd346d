#pragma once
/// The real hawkBit of a test run, and what every contract test needs of it.
///
/// Each test makes modules, sets and targets of its own with names that no other test and no other run uses, so that
/// one server serves them all.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "hawkbit/ddi/client.h"
#include "hawkbit/mgmt/client.h"

namespace davit::test {

struct Server {
    std::string url, user, password, gateway_token;

    /// From DAVIT_TEST_HAWKBIT_URL, _USER, _PASSWORD_FILE and _GATEWAY_TOKEN_FILE. Errors: NotFound, saying how to run
    /// the tests.
    static Result<Server> from_environment();
};

/// An action that a device can work on.
struct Assignment {
    mgmt::Module module;
    mgmt::DistributionSet set;
    std::int64_t action = 0;
    [[nodiscard]] std::string id() const { return std::to_string(action); }
};

class HawkbitContract : public testing::Test {
protected:
    void SetUp() override;

    [[nodiscard]] std::string unique(const std::string& name) const { return name + "-" + suffix_; }
    [[nodiscard]] mgmt::Client admin(const std::string& password = {}) const;
    /// A device that logs in with @p credentials.
    [[nodiscard]] ddi::Client device(const std::string& controller_id, ddi::Credentials credentials) const;
    /// This test's own device, which create_device() registered.
    [[nodiscard]] ddi::Client device() const {
        return device(device_id(), {.kind = ddi::Credentials::Kind::TargetToken, .token = token()});
    }
    [[nodiscard]] std::string device_id() const { return unique("device"); }
    [[nodiscard]] std::string token() const { return unique("token"); }

    // Each is a step that must succeed; the test goes no further when it does not.
    void create_device();
    mgmt::Module create_module(const std::string& version, const std::vector<mgmt::MetadataEntry>& metadata = {});
    mgmt::DistributionSet create_set(const std::string& version, const mgmt::Module& module);
    /// A new version of one app, assigned to this test's device.
    Assignment assign(const std::string& version, mgmt::AssignType type = mgmt::AssignType::Forced);

    Server server_;
    std::string suffix_;
};

/// The value of a Result that must be one; throws, and so ends the test, with the error's sentence otherwise.
template <typename T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error(std::string(name(result.error().code)) + ": " + result.error().message);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace davit::test
