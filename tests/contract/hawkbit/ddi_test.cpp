// The device client against a real hawkBit: logging in, polling, reading a deployment, attributes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "../../unit/hawkbit/matchers.h"
#include "server.h"

namespace davit::test {
namespace {

using ddi::Credentials;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using namespace std::chrono_literals;

class Device : public HawkbitContract {
protected:
    /// The gateway token that the run chose is the tenant's.
    void set_gateway_token() {
        must(admin().set_config("authentication.gatewaytoken.enabled", "true"));
        must(admin().set_config("authentication.gatewaytoken.key", '"' + server_.gateway_token + '"'));
    }
};

TEST_F(Device, IsAskedForItsAttributesWhenItIsNew) {
    create_device();
    const auto poll = must(device().poll());
    EXPECT_TRUE(poll.wants_attributes);
    EXPECT_EQ(poll.deployment, std::nullopt);
    EXPECT_EQ(poll.cancel, std::nullopt);
    EXPECT_GE(poll.sleep, 1s);
    EXPECT_GT(must(admin().target(device_id())).last_request_ms, 0);
}

TEST_F(Device, IsToldThePollingTimeOfTheTenant) {
    create_device();
    must(admin().set_config("pollingTime", "\"00:00:02\""));
    EXPECT_EQ(must(device().poll()).sleep, 2s);
}

TEST_F(Device, SendsItsAttributesUntilTheServerHasThem) {
    create_device();
    must(device().attributes({{"arch", "x86_64"}, {"hw_model", "Gerät ~1"}}));
    EXPECT_FALSE(must(device().poll()).wants_attributes);
    EXPECT_THAT(must(admin().attributes(device_id())),
                ElementsAre(Pair("arch", "x86_64"), Pair("hw_model", "Ger?t ?1")));
}

TEST_F(Device, ForgetsAttributesThatItSendsNoMore) {
    create_device();
    must(device().attributes({{"arch", "x86_64"}, {"app.hello", "1"}, {"app.removed", "1"}}));
    must(device().attributes({{"arch", "x86_64"}, {"app.hello", "2"}}));
    EXPECT_THAT(must(admin().attributes(device_id())), ElementsAre(Pair("app.hello", "2"), Pair("arch", "x86_64")));
}

TEST_F(Device, MaySendLongAttributes) {
    create_device();
    must(device().attributes({{std::string(32, 'k'), std::string(500, 'v')}}));
    EXPECT_THAT(must(admin().attributes(device_id())), ElementsAre(Pair(std::string(32, 'k'), std::string(128, 'v'))));
}

TEST_F(Device, WithAWrongTargetTokenIsRefused) {
    create_device();
    auto wrong = device(device_id(), {.kind = Credentials::Kind::TargetToken, .token = "wrong"});
    EXPECT_THAT(wrong.poll(), FailsWith(Code::Unauthorized, AllOf(HasSubstr("target token"), HasSubstr(device_id()))));
}

TEST_F(Device, WithAWrongGatewayTokenIsRefused) {
    set_gateway_token();
    auto wrong = device(unique("new"), {.kind = Credentials::Kind::GatewayToken, .token = "wrong"});
    EXPECT_THAT(wrong.poll(), FailsWith(Code::Unauthorized, HasSubstr("gateway token")));
}

TEST_F(Device, ThatNobodyKnowsIsRefusedWithATargetToken) {
    EXPECT_THAT(device().poll(), FailsWith(Code::Unauthorized, HasSubstr("whether this target exists")));
}

TEST_F(Device, RegistersItselfWithAGatewayToken) {
    set_gateway_token();
    auto fresh = device(unique("new"), {.kind = Credentials::Kind::GatewayToken, .token = server_.gateway_token});
    EXPECT_TRUE(must(fresh.poll()).wants_attributes);
    EXPECT_EQ(must(admin().target(unique("new"))).update_status, "registered");
}

TEST_F(Device, ReadsTheDeploymentThatItIsOffered) {
    create_device();
    const auto made = assign("1.2.0");
    const auto poll = must(device().poll());
    ASSERT_TRUE(poll.deployment);
    const auto deployment = must(device().deployment(*poll.deployment));
    EXPECT_EQ(deployment.id, made.id());
    EXPECT_EQ(deployment.download, ddi::Mode::Forced);
    EXPECT_EQ(deployment.update, ddi::Mode::Forced);
    EXPECT_EQ(deployment.window_open, std::nullopt);
    ASSERT_THAT(deployment.chunks, SizeIs(1));
    const auto& chunk = deployment.chunks[0];
    EXPECT_EQ(chunk.part, "bApp");  // hawkBit's name for the type 'application'
    EXPECT_EQ(chunk.name, unique("app"));
    EXPECT_EQ(chunk.version, "1.2.0");
    EXPECT_EQ(chunk.meta("commit"), "aaa");
    EXPECT_EQ(chunk.meta("hidden"), std::nullopt);  // not target visible
    EXPECT_THAT(chunk.artifacts, IsEmpty());
}

TEST_F(Device, MayPostponeASoftDeployment) {
    create_device();
    assign("1.0", mgmt::AssignType::Soft);
    const auto deployment = must(device().deployment(must(device().poll()).deployment.value()));
    EXPECT_EQ(deployment.download, ddi::Mode::Attempt);
    EXPECT_EQ(deployment.update, ddi::Mode::Attempt);
}

TEST_F(Device, GetsNoDeploymentThatIsNotItsOwn) {
    create_device();
    auto device = this->device();
    EXPECT_THAT(device.deployment(server_.url + "/DEFAULT/controller/v1/" + device_id() + "/deploymentBase/999999990"),
                FailsWith(Code::NotFound, HasSubstr("deploymentBase/999999990")));
}

}  // namespace
}  // namespace davit::test
