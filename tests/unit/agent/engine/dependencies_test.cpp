// Apps that need each other: in which order they start and stop, and who is watched.

#include <gmock/gmock.h>

#include "tests/unit/agent/engine/world.h"

namespace davit {
namespace {

using namespace std::chrono_literals;
using test::app;
using test::Failed;
using test::Release;
using test::removal;
using test::Succeeded;
using testing::_;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Release web(const std::string& version, std::vector<std::string> needs = {"db"}) {
    auto release = app("web", version);
    release.manifest.requires_ = std::move(needs);
    return release;
}

class DependenciesTest : public test::EngineTest {};

TEST_F(DependenciesTest, AnAppStartsAfterThoseThatItNeeds) {
    auto after = app("a", "1");
    after.manifest.after = {"web"};

    EXPECT_THAT(deploy({device.publishes(after), device.publishes(web("1")), device.publishes(app("db", "1"))}),
                Succeeded(_));

    EXPECT_THAT(device.did(), Contains("start a 1"));
    auto starts = device.did();
    std::erase_if(starts, [](const auto& deed) { return !deed.starts_with("start "); });
    EXPECT_THAT(starts, ElementsAre("start db 1", "start web 1", "start a 1"));
}

TEST_F(DependenciesTest, AppsAreRemovedInTheReverseOrder) {
    device.has({app("db", "1"), web("1"), app("hello", "1")});

    EXPECT_THAT(deploy({removal("db"), removal("web")}), Succeeded("removed db 1, removed web 1"));

    EXPECT_THAT(device.did(), ElementsAre("stop web", "stop db"));
}

TEST_F(DependenciesTest, NewAppsThatFailAreStoppedInTheReverseOrder) {
    device.fault("web 1").unhealthy = true;

    deploy({device.publishes(app("db", "1")), device.publishes(web("1"))});

    auto stops = device.did();
    std::erase_if(stops, [](const auto& deed) { return !deed.starts_with("stop "); });
    EXPECT_THAT(stops, ElementsAre("stop web", "stop db"));
}

TEST_F(DependenciesTest, ARequiredAppThatIsMissingFailsTheDeploymentBeforeAnythingIsStopped) {
    device.has({app("hello", "1")});

    EXPECT_THAT(deploy({device.publishes(app("hello", "2")), device.publishes(web("1"))}),
                Failed("invalid-input", "app 'web' requires app 'db', which would not be on this device"));

    EXPECT_THAT(device.running(), ElementsAre("hello 1"));
    EXPECT_THAT(device.did(), Not(Contains(HasSubstr("st"))) /* neither start nor stop */);
}

TEST_F(DependenciesTest, AnAppThatAnotherOneRequiresCannotBeRemoved) {
    device.has({app("db", "1"), web("1")});

    EXPECT_THAT(deploy({removal("db")}),
                Failed("invalid-input", "app 'web' requires app 'db', which this deployment removes"));

    EXPECT_THAT(device.running(), ElementsAre("db 1", "web 1"));
    EXPECT_THAT(device.did(), IsEmpty());
}

TEST_F(DependenciesTest, ACircleWithAnInstalledAppFailsTheDeploymentBeforeAnythingIsStopped) {
    auto db = app("db", "1");
    db.manifest.after = {"web"};
    device.has({db});

    EXPECT_THAT(deploy({device.publishes(web("1"))}), Failed("invalid-input", HasSubstr("in a circle: db → web → db")));

    EXPECT_THAT(device.running(), ElementsAre("db 1"));
}

TEST_F(DependenciesTest, AnAppThatRequiresAnUpdatedOneIsWatchedToo) {
    device.has({app("db", "1"), web("1")});
    bool broken = false;
    device.when_told = [&] {  // web 1 does not get on with db 2
        if (device.told().back().starts_with("probation") && !std::exchange(broken, true))
            device.fault("web 1").unhealthy = true;
        if (device.told().back().starts_with("rolling-back")) device.fault("web 1").unhealthy = false;
    };

    EXPECT_THAT(deploy({device.publishes(app("db", "2"))}),
                Failed("app-failed", HasSubstr("app 'web' 1 is unhealthy")));

    EXPECT_THAT(device.running(), ElementsAre("db 1", "web 1"));
    EXPECT_EQ(device.times("restart web 1"), 2) << "with the new db, and with the old one again";
}

TEST_F(DependenciesTest, WatchesAlsoThoseThatAreReachedThroughOthers) {
    auto page = app("page", "1");
    page.manifest.requires_ = {"web"};
    device.has({app("db", "1"), web("1"), page});
    device.fault("page 1").dies_after = 10s;

    EXPECT_THAT(deploy({device.publishes(app("db", "2"))}),
                Failed("app-failed", HasSubstr("app 'page' 1 did not stay up")));
}

TEST_F(DependenciesTest, AnAppThatOnlyWantsAnUpdatedOneIsNeitherRestartedNorWatched) {
    auto wanting = app("wanting", "1");
    wanting.manifest.wants = {"db"};
    auto after = app("after", "1");
    after.manifest.after = {"db"};
    device.has({app("db", "1"), wanting, after});

    EXPECT_THAT(deploy({device.publishes(app("db", "2"))}), Succeeded(_));

    EXPECT_THAT(device.did(), Not(Contains(HasSubstr("start wanting"))));
    EXPECT_THAT(device.did(), Not(Contains("probe wanting")));
    EXPECT_THAT(device.did(), Not(Contains("probe after")));
}

TEST_F(DependenciesTest, AnAppThatWasBrokenBeforeDoesNotKeepTheOneThatItRequiresFromBeingMended) {
    device.has({app("db", "1"), web("1")});
    clock.passes(1s);
    device.crashes("web");
    clock.passes(1s);

    EXPECT_THAT(deploy({device.publishes(app("db", "2"))}), Succeeded("updated db 1 → 2"));
    EXPECT_THAT(device.did(), Not(Contains("probe web")));
}

TEST_F(DependenciesTest, AnAppThatSomebodyStoppedStaysStoppedWhenOthersAreUpdated) {
    device.has({app("db", "1"), web("1"), app("hello", "1")});
    device.user_stops("web");
    device.user_stops("hello");

    EXPECT_THAT(deploy({device.publishes(app("db", "2")), app("hello", "1").part()}), Succeeded("updated db 1 → 2"));

    EXPECT_THAT(device.running(), ElementsAre("db 2"));
}

TEST_F(DependenciesTest, AnAppThatSomebodyStoppedRunsAgainWhenItIsUpdated) {
    device.has({app("hello", "1")});
    device.user_stops("hello");

    EXPECT_THAT(deploy({device.publishes(app("hello", "2"))}), Succeeded(_));

    EXPECT_THAT(device.running(), ElementsAre("hello 2"));
}

// FullMetalUpdate's form: what the app is comes from the server's metadata.
class LegacyOptionsTest : public test::EngineTest {
protected:
    LegacyOptionsTest() {
        auto legacy = app("hello", "1");
        legacy.manifest.health.http.reset();
        part_ = device.publishes(legacy);
        part_.legacy = LegacyOptions{.notify = false, .autostart = true};
        deploy({part_}, "6");
        device.forget_what_it_did();
    }

    Part part_;
};

TEST_F(LegacyOptionsTest, AnAppThatShallSendReadyIsRestartedAndWatched) {
    part_.legacy->notify = true;
    const auto begin = clock.now();

    EXPECT_THAT(deploy({part_}), Succeeded("updated hello 1 → 1"));

    EXPECT_THAT(device.did(), ElementsAre("start hello 1"));
    EXPECT_EQ(clock.now() - begin, 30s) << "it must show that it does";
}

TEST_F(LegacyOptionsTest, AnAppThatDoesNotSendReadyAfterAllGoesBackToWhatItWas) {
    part_.legacy->notify = true;
    device.when_told = [&] { device.fault("hello 1").never_ready = device.told().back().starts_with("switching"); };

    EXPECT_THAT(deploy({part_}), Failed("app-failed", HasSubstr("did not become READY")));

    EXPECT_EQ(device.times("start hello 1"), 2);
    EXPECT_THAT(device.running(), ElementsAre("hello 1"));
}

TEST_F(LegacyOptionsTest, OptionsThatCountFromTheNextStartRestartNothing) {
    part_.legacy->timeout = 5s;
    EXPECT_THAT(deploy({part_}, "7"), Succeeded(_));
    part_.legacy->autostart = false;
    EXPECT_THAT(deploy({part_}, "8"), Succeeded(_));

    EXPECT_THAT(device.did(), IsEmpty());
    EXPECT_THAT(device.running(), ElementsAre("hello 1"));
}

}  // namespace
}  // namespace davit
