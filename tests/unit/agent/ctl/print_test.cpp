#include "agent/ctl/print.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace davit {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

constexpr std::int64_t kNow = 1'800'000'000'000;

TEST(PrintTest, SaysWhenTheServerAnsweredAndWhenItIsAskedAgain) {
    const Json status = {{"version", "1"},     {"server_url", "http://hawkbit"},  {"server_reached", true},
                         {"generation", 3},    {"last_contact_ms", kNow - 4'000}, {"next_poll_ms", kNow + 26'000},
                         {"deployment_id", ""}};
    const auto text = print_status(status, kNow);
    EXPECT_THAT(text, HasSubstr("http://hawkbit, answered 4 s ago, asks again in 26 s"));
    EXPECT_THAT(text, HasSubstr("none under way"));
}

TEST(PrintTest, ShoutsThatTheServerIsNotReachedAndWhy) {
    const Json status = {{"server_url", "http://hawkbit"},
                         {"server_reached", false},
                         {"server_error", "connection refused"},
                         {"next_poll_ms", kNow + 5'000}};
    EXPECT_THAT(print_status(status, kNow),
                HasSubstr("NOT REACHED: connection refused (last answer: never, asks again in 5 s)"));
}

TEST(PrintTest, ShowsHowFarADownloadIs) {
    const Json status = {{"deployment_id", "7"},
                         {"phase", "downloading"},
                         {"message", "fetching hello"},
                         {"bytes", 25'000},
                         {"expected_bytes", 100'000}};
    EXPECT_THAT(print_status(status, kNow), HasSubstr("7, downloading: fetching hello (25 of 100 kB, 25 %)"));
}

TEST(PrintTest, ShowsThePlanAndWhoHoldsItOff) {
    const Json status = {
        {"deployment_id", "7"},
        {"phase", "waiting-to-switch"},
        {"message", "held off by backup: nightly"},
        {"parts",
         {{{"app", "hello"}, {"todo", "update hello 1 → 2"}},
          {{"app", "same"}, {"todo", ""}},
          {{"app", "web"}, {"todo", "install web 1"}}}},
        {"inhibitors", {{{"who", "backup (pid 12)"}, {"why", "nightly"}, {"strong", false}, {"left_ms", 60'000}}}}};
    EXPECT_THAT(print_status(status, kNow),
                HasSubstr("Deployment:   7, waiting-to-switch: held off by backup: nightly\n"
                          "Plan:         update hello 1 → 2\n"
                          "              install web 1\n"
                          "Held off by:  backup (pid 12): nightly (soft updates, 60 s left)\n"));
}

TEST(PrintTest, LinesUpTheApps) {
    const Json apps = {{{"name", "hello"},
                        {"version", "2"},
                        {"state", "active"},
                        {"pid", 42},
                        {"restarts", 0},
                        {"commit", std::string(64, 'a')},
                        {"since_ms", kNow - 60'000}},
                       {{"name", "a-much-longer-name"},
                        {"version", "10"},
                        {"state", "failed"},
                        {"pid", 0},
                        {"restarts", 3},
                        {"commit", ""},
                        {"last_end", "ended with exit code 3"},
                        {"since_ms", 0}}};
    EXPECT_EQ(print_apps(apps, kNow),
              "APP                 VERSION  STATE   SINCE     PID  RESTARTS  COMMIT        ENDED LAST\n"
              "hello               2        active  60 s ago  42   0         aaaaaaaaaaaa\n"
              "a-much-longer-name  10       failed  never     -    3                       ended with exit code 3\n");
}

TEST(PrintTest, SaysThatAnAppIsCaughtInACircleOfCrashesUntilItIsUpForLong) {
    Json app = {{"name", "hello"}, {"state", "activating"}, {"restarts", 5}, {"since_ms", kNow - 1'000}};
    EXPECT_THAT(print_apps(Json::array({app}), kNow), HasSubstr("restarting (5 times)"));
    app["state"] = "active";
    EXPECT_THAT(print_apps(Json::array({app}), kNow), HasSubstr("restarting (5 times)"));
    app["since_ms"] = kNow - 11 * 60'000;
    EXPECT_THAT(print_apps(Json::array({app}), kNow), HasSubstr("active"));
}

TEST(PrintTest, SaysWhatEachGenerationIsKeptFor) {
    const Json generations = {{{"number", 3}, {"roles", {"previous"}}, {"apps", Json::array()}},
                              {{"number", 12}, {"roles", {"current", "factory"}}, {"apps", {"hello 2", "ticker 1"}}}};
    EXPECT_EQ(print_generations(generations),
              "GENERATION  ROLE              APPS\n"
              "3           previous          none\n"
              "12          current, factory  hello 2, ticker 1\n");
    EXPECT_EQ(print_generations(Json::array()), "No apps were ever installed.\n");
}

TEST(PrintTest, SaysHowDeploymentsEnded) {
    const Json deployments = {{{"id", "7"},
                               {"success", false},
                               {"cause", "app-failed"},
                               {"message", "hello 3 is unhealthy"},
                               {"finished_ms", 0}},
                              {{"id", "6"}, {"success", true}, {"message", "hello 1 → 2"}, {"finished_ms", 0}}};
    const auto text = print_history(deployments);
    EXPECT_THAT(text, HasSubstr("failed (app-failed)  hello 3 is unhealthy"));
    EXPECT_THAT(text, HasSubstr("success"));
}

TEST(PrintTest, SaysInWordsThatThereIsNothing) {
    EXPECT_EQ(print_apps(Json::array(), kNow), "No apps are installed.\n");
    EXPECT_THAT(print_history(Json::array()), HasSubstr("No deployment"));
}

}  // namespace
}  // namespace davit
