// The program itself: words, exit codes, where what is printed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../hawkbit/matchers.h"
#include "../hawkbit/scripted_server.h"
#include "bundles.h"
#include "common/process.h"

namespace davit::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

class Program : public testing::Test {
protected:
    process::Exit davit(std::vector<std::string> words) {
        words.insert(words.begin(), DAVIT_PROGRAM);
        auto ended = process::run({.argv = std::move(words), .extra_env = environment, .input = {}}, 60s);
        if (!ended) throw std::runtime_error(ended.error().message);
        return *ended;
    }
    test::Workshop workshop;
    std::vector<std::string> environment = {"HOME=/nonexistent", "XDG_CONFIG_HOME="};
};

TEST_F(Program, EndsWith2WhenItIsUsedWrongly) {
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{},
                                               {"nonsense"},
                                               {"key"},
                                               {"deploy", "shop:2"},
                                               {"deploy", "shop:2", "--to", "d", "--soft", "--forced"},
                                               {"device", "show", "d", "--password", "p"}}) {
        const auto ended = davit(words);
        EXPECT_EQ(ended.code, 2) << testing::PrintToString(words);
        EXPECT_THAT(ended.err, StartsWith("davit: ")) << testing::PrintToString(words);
        EXPECT_THAT(ended.out, IsEmpty());
    }
}

TEST_F(Program, HasAnExampleForEachVerb) {
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"key", "new"}, {"app", "commit"}, {"publish"}, {"deploy"}, {"device", "show"}}) {
        auto asked = words;
        asked.emplace_back("--help");
        const auto ended = davit(asked);
        EXPECT_EQ(ended.code, 0);
        EXPECT_THAT(ended.out, HasSubstr("Example:\n  davit " + words[0])) << words[0];
    }
}

TEST_F(Program, MakesAKeyAndCommitsWithIt) {
    const auto base = workshop.path("other").string();
    EXPECT_EQ(davit({"key", "new", base}).code, 0);
    const auto again = davit({"key", "new", base});
    EXPECT_EQ(again.code, 1);
    EXPECT_THAT(again.err, AllOf(StartsWith("davit: "), HasSubstr("other")));

    const auto commit = davit({"app", "commit", workshop.bundle("hello", "1").string(), "--key", base + ".key",
                               "--repo", workshop.repository().string()});
    EXPECT_EQ(commit.code, 0) << commit.err;
    EXPECT_THAT(commit.out, StartsWith("hello 1 committed as "));
    EXPECT_THAT(commit.err, IsEmpty());
}

TEST_F(Program, WarnsOnStandardErrorAndGoesOn) {
    const auto bundle = workshop.bundle("hello", "1", R"(,"capabilities":["CAP_SYS_ADMIN"])").string();
    const auto ended = davit({"app", "commit", bundle, "--key", workshop.key().string(), "--repo",
                              workshop.repository().string(), "--json"});
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.err, AllOf(StartsWith("davit: warning: "), HasSubstr("CAP_SYS_ADMIN")));
    EXPECT_THAT(ended.out, StartsWith("{"));
}

TEST_F(Program, SaysWhichServerIsMissing) {
    const auto ended = davit({"device", "show", "dev1"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, AllOf(StartsWith("davit: no server for hawkBit"), HasSubstr("DAVIT_HAWKBIT_URL")));
}

TEST_F(Program, SaysThatThePasswordIsWrongWithoutShowingIt) {
    test::ScriptedServer server;
    server.answers("GET", "/rest/v1/targets/dev1", {.status = 401});
    environment.insert(environment.end(), {"DAVIT_HAWKBIT_URL=" + server.url(), "DAVIT_HAWKBIT_USER=admin",
                                           "DAVIT_HAWKBIT_PASSWORD=s3cret"});
    const auto ended = davit({"device", "show", "dev1"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, AllOf(HasSubstr("user or password is wrong"), Not(HasSubstr("s3cret"))));
}

TEST_F(Program, EndsWith1WhenADeploymentThatItWaitedForFailed) {
    test::ScriptedServer server;
    server.answers("GET", "/rest/v1/distributionsets",
                   {.body = R"({"content":[{"id":3,"name":"shop","version":"2","type":"app"}]})"});
    server.answers("GET", "/rest/v1/distributionsets/3/assignedSM", {.body = R"({"content":[]})"});
    server.answers("POST", "/rest/v1/distributionsets/3/assignedTargets",
                   {.body = R"({"assigned":1,"assignedActions":[{"id":20}]})"});
    server.answers("GET", "/rest/v1/targets/dev1/actions/20", {.body = R"({"id":20,"status":"error","active":false})"});
    server.answers("GET", "/rest/v1/targets/dev1/actions/20/status",
                   {.body = R"({"content":[{"type":"error","messages":["hello answered 500"]}]})"});
    const auto ended = davit({"deploy", "shop:2", "--to", "dev1", "--wait", "--server", server.url(), "--user", "u",
                              "--password-file", workshop.key().string()});
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.out, HasSubstr("error: hello answered 500"));
    EXPECT_EQ(ended.err, "davit: shop:2 on dev1: error\n");
}

}  // namespace
}  // namespace davit::cli
