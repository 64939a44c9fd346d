// What `davit publish` and `davit deploy` do to a real hawkBit, up to what a device reads there.

#include "cli/publish.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../unit/cli/bundles.h"
#include "../../unit/hawkbit/matchers.h"
#include "../hawkbit/server.h"
#include "cli/deploy.h"
#include "cli/device.h"

namespace davit::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::SizeIs;
using namespace std::chrono_literals;

class Publishing : public HawkbitContract {
protected:
    std::string app(const std::string& name) { return unique(name); }
    cli::PublishOptions release(const std::string& version, std::vector<std::string> apps) {
        return {.repository = workshop.repository(),
                .published = workshop.path("published"),
                .apps = std::move(apps),
                .set = unique("set"),
                .set_version = version,
                .metadata = {"notify=1"},
                .repository_url = {}};
    }
    Workshop workshop;
};

TEST_F(Publishing, AReleaseReachesADeviceAndItsResultComesBack) {
    create_device();
    auto hawkbit = admin();
    const auto hello = workshop.commit(app("hello"), "1");
    workshop.commit(app("ticker"), "1");
    must(cli::publish(release("1", {app("hello"), app("ticker")}), hawkbit));

    auto deployed = must(cli::deploy({.set = {.name = unique("set"), .version = {}}, .target = device_id()}, hawkbit));
    ASSERT_TRUE(deployed.action);
    auto link = device();
    const auto deployment = must(link.deployment(must(link.poll()).deployment.value()));
    ASSERT_THAT(deployment.chunks, SizeIs(2));
    const auto& chunk = deployment.chunks[deployment.chunks[0].name == app("hello") ? 0 : 1];
    EXPECT_EQ(chunk.part, "bApp");
    EXPECT_EQ(chunk.meta("commit"), hello);
    EXPECT_EQ(chunk.meta("ref"), app("hello"));
    EXPECT_EQ(chunk.meta("notify"), "1");

    must(link.feedback(
        deployment.id,
        {.execution = ddi::Execution::Closed, .finished = ddi::Finished::Failure, .details = {"cause=app-failed"}}));
    std::vector<std::string> reports;
    must(cli::follow(deployed, hawkbit, system_clock(), 10s,
                     [&](std::string_view report) { reports.emplace_back(report); }));
    EXPECT_TRUE(deployed.failed());
    EXPECT_EQ(deployed.status, "error");
    EXPECT_THAT(reports, Contains("error: cause=app-failed"));
    EXPECT_THAT(cli::to_text(must(cli::view_device(device_id(), hawkbit))),
                AllOf(HasSubstr("error"), HasSubstr("cause=app-failed")));
}

TEST_F(Publishing, TheSameReleaseTwiceIsOneRelease) {
    auto hawkbit = admin();
    workshop.commit(app("hello"), "1");
    const auto first = must(cli::publish(release("1", {app("hello")}), hawkbit));
    EXPECT_FALSE(first.already);
    const auto second = must(cli::publish(release("1", {app("hello")}), hawkbit));
    EXPECT_TRUE(second.already);
    EXPECT_EQ(second.set_id, first.set_id);
    EXPECT_EQ(second.apps[0].module, first.apps[0].module);
}

TEST_F(Publishing, AnAppThatDidNotChangeIsSharedByTwoReleases) {
    auto hawkbit = admin();
    workshop.commit(app("hello"), "1");
    workshop.commit(app("ticker"), "1");
    const auto first = must(cli::publish(release("1", {app("hello"), app("ticker")}), hawkbit));
    workshop.commit(app("hello"), "2");
    const auto second = must(cli::publish(release("2", {app("hello"), app("ticker")}), hawkbit));
    EXPECT_FALSE(second.apps[0].already);
    EXPECT_TRUE(second.apps[1].already);
    EXPECT_EQ(second.apps[1].module, first.apps[1].module);
}

TEST_F(Publishing, OtherContentUnderTheSameVersionIsRefused) {
    auto hawkbit = admin();
    workshop.commit(app("hello"), "1");
    must(cli::publish(release("1", {app("hello")}), hawkbit));
    workshop.commit(app("hello"), "1", R"(,"restart":"always")");
    EXPECT_THAT(cli::publish(release("2", {app("hello")}), hawkbit),
                FailsWith(Code::AlreadyExists, HasSubstr("raise the version")));
    workshop.commit(app("hello"), "2");
    EXPECT_THAT(cli::publish(release("1", {app("hello")}), hawkbit),
                FailsWith(Code::AlreadyExists, HasSubstr("--set-version")));
    EXPECT_EQ(must(hawkbit.find_set(unique("set"), "2")), std::nullopt);
}

}  // namespace
}  // namespace davit::test
