#include "agent/daemon/turns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit {
namespace {

using testing::Eq;
using testing::Optional;

constexpr auto kServer = Turns::From::Server;
constexpr auto kDevice = Turns::From::Device;

TEST(Turns, AreFreeWhenNothingIsUnderWay) {
    EXPECT_EQ(Turns().refusal({}), std::nullopt);
    EXPECT_EQ(Turns().wait({}), std::nullopt);
    EXPECT_EQ(Turns().first().id, "");
}

TEST(Turns, RefuseSomebodyAtTheDeviceWithWhatTheServerDoes) {
    Turns turns;
    turns.take("7", kServer, "received");

    EXPECT_THAT(turns.refusal({}), Optional(Eq("deployment 7 of the server is under way (received); it must end first, "
                                               "or be canceled at the server")));
    EXPECT_THAT(turns.refusal({.id = "7", .phase = "downloading", .message = "fetching what is missing"}),
                Optional(Eq("deployment 7 of the server is under way (downloading: fetching what is missing); it must "
                            "end first, or be canceled at the server")));
}

TEST(Turns, TellTheServerWhatItsDeploymentWaitsFor) {
    Turns turns;
    turns.take("local-1", kDevice, "asked for at the device");

    EXPECT_THAT(turns.wait({.id = "local-1", .phase = "probation", .message = "watching the new apps"}),
                Optional(Eq("waits: deployment local-1 of somebody at the device is under way (probation: watching the "
                            "new apps) and ends first")));
}

TEST(Turns, NameWhatIsNoDeployment) {
    Turns turns;
    turns.take_order("order-1", "the start of app 'hello'");

    EXPECT_THAT(turns.refusal({}), Optional(Eq("the start of app 'hello' is under way; it must end first")));
    EXPECT_THAT(turns.wait({}), Optional(Eq("waits: the start of app 'hello' is under way and ends first")));
    EXPECT_EQ(turns.first().id, "");
}

TEST(Turns, KnowWhichDeploymentSomebodyAtTheDeviceCanCancel) {
    Turns turns;
    EXPECT_EQ(turns.local().error().message, "no deployment is under way");
    turns.take("7", kServer, "received");
    EXPECT_EQ(turns.local().error().message, "deployment 7 is the server's: cancel it there");
    turns.take("local-1", kDevice, "asked for at the device");
    EXPECT_EQ(turns.local().value(), "local-1");
}

TEST(Turns, SayNothingOfWaitingForTheServersOwn) {
    Turns turns;
    turns.take("7", kServer, "received");
    EXPECT_EQ(turns.wait({}), std::nullopt);
}

TEST(Turns, GoOnWithTheNextWhenOneHasEnded) {
    Turns turns;
    turns.take("local-1", kDevice, "asked for at the device");
    turns.take("7", kServer, "received");
    turns.take("7", kServer, "offered again");
    EXPECT_EQ(turns.first().id, "local-1");

    turns.ended("local-1");
    EXPECT_EQ(turns.first().id, "7");
    turns.ended("7");
    EXPECT_EQ(turns.refusal({}), std::nullopt);
}

}  // namespace
}  // namespace davit
