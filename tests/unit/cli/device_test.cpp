#include "cli/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "../hawkbit/matchers.h"
#include "../hawkbit/scripted_server.h"

namespace davit::cli {
namespace {

using test::FailsWith;
using test::Succeeds;
using testing::HasSubstr;

class DeviceShow : public testing::Test {
protected:
    test::ScriptedServer server;
    mgmt::Client hawkbit{{.url = server.url(), .user = "u", .password = "p"}, {}};
};

TEST_F(DeviceShow, TellsWhatHawkbitKnows) {
    const std::string target = "/rest/v1/targets/dev1";
    server.answers(
        "GET", target,
        {.body =
             R"({"controllerId":"dev1","name":"One","updateStatus":"error","ipAddress":"10.0.0.1","lastControllerRequestAt":0})"});
    server.answers("GET", target + "/assignedDS", {.status = 204});
    server.answers("GET", target + "/installedDS", {.body = R"({"id":3,"name":"shop","version":"2","type":"app"})"});
    server.answers("GET", target + "/attributes", {.body = R"({"app.hello":"2"})"});
    server.answers(
        "GET", target + "/actions",
        {.body = R"({"content":[{"id":20,"status":"error","active":false,"forceType":"forced","createdAt":0}]})"});
    server.answers("GET", target + "/actions/20/status",
                   {.body = R"({"content":[{"type":"error","messages":["hello 3 answered 500"]}]})"});
    const auto device = view_device("dev1", hawkbit);
    ASSERT_THAT(device, Succeeds());
    EXPECT_EQ(to_text(*device),
              "dev1  error\n"
              "  last seen  never  10.0.0.1\n"
              "  assigned   -\n"
              "  installed  shop:2\n"
              "attributes\n"
              "  app.hello        2\n"
              "actions\n"
              "  20     never  error      forced\n"
              "         hello 3 answered 500\n");
    const auto json = nlohmann::json::parse(to_json(*device));
    EXPECT_EQ(json["assigned"], nullptr);
    EXPECT_EQ(json["installed"]["version"], "2");
    EXPECT_EQ(json["actions"][0]["status"], "error");
    EXPECT_EQ(json["attributes"]["app.hello"], "2");
}

TEST_F(DeviceShow, SaysThatThereIsNoSuchDevice) {
    EXPECT_THAT(view_device("dev2", hawkbit), FailsWith(Code::NotFound, HasSubstr("no target 'dev2'")));
}

}  // namespace
}  // namespace davit::cli
