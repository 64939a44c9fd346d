#include "agent/engine/engine.h"

#include <gmock/gmock.h>

#include "tests/unit/agent/engine/world.h"

namespace davit {
namespace {

using namespace std::chrono_literals;
using test::app;
using test::EngineTest;
using test::Failed;
using test::FailsWith;
using test::removal;
using test::Succeeded;
using test::Works;
using testing::_;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

TEST_F(EngineTest, InstallsOnAFreshDevice) {
    const auto outcome = deploy({device.publishes(app("hello", "1")), device.publishes(app("ticker", "1"))});

    EXPECT_THAT(outcome, Succeeded("installed hello 1, installed ticker 1"));
    EXPECT_THAT(device.running(), ElementsAre("hello 1", "ticker 1"));
    EXPECT_THAT(current(), ElementsAre("hello 1", "ticker 1"));
    EXPECT_THAT(deliver(), ElementsAre("7"));
    EXPECT_THAT(device.finished_ids(), ElementsAre("7"));
}

TEST_F(EngineTest, RestartsOnlyTheAppThatChanges) {
    device.has({app("hello", "1"), app("ticker", "1")});

    const auto outcome = deploy({device.publishes(app("hello", "2")), app("ticker", "1").part()});

    EXPECT_THAT(outcome, Succeeded("updated hello 1 → 2"));
    EXPECT_THAT(device.running(), ElementsAre("hello 2", "ticker 1"));
    EXPECT_EQ(device.times("start hello 2"), 1);
    EXPECT_THAT(device.did(), Not(Contains(HasSubstr("start ticker"))));
    EXPECT_THAT(previous(), ElementsAre("hello 1", "ticker 1"));
}

TEST_F(EngineTest, TellsEachPhase) {
    device.has({app("hello", "1")});

    deploy({device.publishes(app("hello", "2"))});

    EXPECT_THAT(device.told(),
                ElementsAre("received: plan: update hello 1 → 2", "downloading: fetching what is missing",
                            "verifying: verifying and checking out", "staged: preparing the new set of apps",
                            "switching: update hello 1 → 2", "probation: watching the new apps"));
}

TEST_F(EngineTest, RollsBackBothAppsWhenTheSecondNeverBecomesReady) {
    device.has({app("db", "1"), app("web", "1")});
    device.fault("web 2").never_ready = true;

    const auto outcome = deploy({device.publishes(app("db", "2")), device.publishes(app("web", "2"))});

    EXPECT_THAT(outcome, Failed("app-failed",
                                "app 'web' 2 did not start: web did not become READY within 1m; "
                                "rolled back: db 1 again, web 1 again"));
    EXPECT_THAT(device.running(), ElementsAre("db 1", "web 1"));
    EXPECT_THAT(current(), ElementsAre("db 1", "web 1"));
}

TEST_F(EngineTest, TellsTheReasonBeforeItRollsBack) {
    device.has({app("hello", "1")});
    device.fault("hello 2").unhealthy = true;

    deploy({device.publishes(app("hello", "2"))});

    EXPECT_THAT(device.told().back(), AllOf(HasSubstr("rolling-back: "), HasSubstr("answered 500")));
}

TEST_F(EngineTest, RemovesAnAppAgainWhoseFirstInstallationFailed) {
    device.fault("hello 1").unhealthy = true;

    const auto outcome = deploy({device.publishes(app("hello", "1"))});

    EXPECT_THAT(outcome, Failed("app-failed", HasSubstr("; rolled back: hello removed")));
    EXPECT_THAT(device.running(), IsEmpty());
    EXPECT_THAT(device.units(), IsEmpty());
    EXPECT_THAT(device.commits(), IsEmpty());
    EXPECT_THAT(current(), IsEmpty());
}

TEST_F(EngineTest, RemovesAnApp) {
    device.has({app("hello", "1"), app("old", "3")});

    EXPECT_THAT(deploy({removal("old")}), Succeeded("removed old 3"));

    EXPECT_THAT(device.did(), ElementsAre("stop old"));
    EXPECT_THAT(device.units(), ElementsAre("hello"));
    EXPECT_THAT(current(), ElementsAre("hello 1"));
}

TEST_F(EngineTest, BringsARemovedAppBackWhenAnotherPartFails) {
    device.has({app("hello", "1"), app("old", "3")});
    device.fault("hello 2").unhealthy = true;

    const auto outcome = deploy({removal("old"), device.publishes(app("hello", "2"))});

    EXPECT_THAT(outcome, Failed("app-failed", HasSubstr("rolled back: old 3 again, hello 1 again")));
    EXPECT_THAT(device.running(), ElementsAre("hello 1", "old 3"));
}

TEST_F(EngineTest, KeepsThePreviousGenerationWhenAnUpdateFails) {
    device.has({app("hello", "1")});
    deploy({device.publishes(app("hello", "2"))}, "7");
    device.fault("hello 3").unhealthy = true;

    deploy({device.publishes(app("hello", "3"))}, "8");

    EXPECT_THAT(current(), ElementsAre("hello 2"));
    EXPECT_THAT(previous(), ElementsAre("hello 1"));
    EXPECT_THAT(device.commits(), ElementsAre("hello-1", "hello-2"));
}

TEST_F(EngineTest, SaysTheTruthWhenTheOldAppDoesNotComeBack) {
    device.has({app("hello", "1")});
    device.fault("hello 1").never_ready = true;
    device.fault("hello 2").unhealthy = true;

    const auto outcome = deploy({device.publishes(app("hello", "2"))});

    EXPECT_THAT(
        outcome,
        Failed("app-failed",
               AllOf(HasSubstr("app 'hello' 2 is unhealthy"),
                     HasSubstr("; rolled back, but: app 'hello' 1 did not start: hello did not become READY"))));
    EXPECT_THAT(current(), ElementsAre("hello 1"));
}

TEST_F(EngineTest, BringsTheOthersBackWhenOneOldAppCannotBe) {
    device.has({app("db", "1"), app("web", "1")});
    device.fault("db 1").never_ready = true;
    device.fault("web 2").unhealthy = true;

    deploy({device.publishes(app("db", "2")), device.publishes(app("web", "2"))});

    EXPECT_THAT(device.running(), ElementsAre("web 1"));
}

TEST_F(EngineTest, TouchesNoAppWhenSystemdRefusesTheUnits) {
    device.has({app("hello", "1")});
    device.reload_fails = Error{Code::System, "systemd did not reload: access denied"};

    const auto outcome = deploy({device.publishes(app("hello", "2"))});

    EXPECT_THAT(outcome, Failed("system", HasSubstr("systemd did not reload: access denied")));
    EXPECT_EQ(device.times("start hello 1") + device.times("start hello 2") + device.times("stop hello"), 0);
    EXPECT_THAT(device.running(), ElementsAre("hello 1"));
}

TEST_F(EngineTest, DoesNothingWhenEverythingIsInstalledAndRuns) {
    device.has({app("hello", "1"), app("ticker", "1")});

    const auto outcome = deploy({app("hello", "1").part(), app("ticker", "1").part()});

    EXPECT_THAT(outcome, Succeeded("already installed: hello 1, ticker 1"));
    EXPECT_THAT(device.did(), IsEmpty());
    EXPECT_THAT(previous(), ElementsAre("nothing"));
}

TEST_F(EngineTest, StartsAnAppThatIsInstalledAndDoesNotRun) {
    device.has({app("hello", "1"), app("ticker", "1")});
    device.crashes("hello");

    EXPECT_THAT(deploy({app("hello", "1").part(), app("ticker", "1").part()}), Succeeded(_));

    EXPECT_THAT(device.did(), ElementsAre("start hello 1"));
    EXPECT_THAT(previous(), ElementsAre("nothing")) << "the set is the same, so there is no other one to go back to";
}

TEST_F(EngineTest, InstallsButDoesNotStartAnAppWithoutAutostart) {
    auto tool = app("tool", "1");
    tool.manifest.autostart = false;

    EXPECT_THAT(deploy({device.publishes(tool)}), Succeeded("installed tool 1"));

    EXPECT_THAT(device.running(), IsEmpty());
    EXPECT_THAT(current(), ElementsAre("tool 1"));
    EXPECT_THAT(deploy({tool.part()}, "8"), Succeeded("already installed: tool 1"));
}

TEST_F(EngineTest, RestartsAnAppWithoutAutostartThatTheUserHasStarted) {
    auto tool = app("tool", "1");
    tool.manifest.autostart = false;
    device.has({tool});
    device.user_starts("tool");
    tool.manifest.version = "2";

    EXPECT_THAT(deploy({device.publishes(tool)}), Succeeded(_));

    EXPECT_THAT(device.running(), ElementsAre("tool 2"));
}

TEST_F(EngineTest, StartsAppsInTheOrderOfTheirDependencies) {
    auto a = app("a", "1");
    a.manifest.after = {"z"};
    auto m = app("m", "1");
    m.manifest.requires_ = {"a"};

    deploy({device.publishes(a), device.publishes(m), device.publishes(app("z", "1"))});

    std::vector<std::string> starts;
    for (const auto& deed : device.did()) {
        if (deed.starts_with("start")) starts.push_back(deed);
    }
    EXPECT_THAT(starts, ElementsAre("start z 1", "start a 1", "start m 1"));
}

TEST_F(EngineTest, RefusesACircleOfDependenciesBeforeAnythingStops) {
    device.has({app("a", "1"), app("b", "1")});
    auto a = app("a", "2");
    a.manifest.after = {"b"};
    auto b = app("b", "2");
    b.manifest.after = {"a"};

    EXPECT_THAT(deploy({device.publishes(a), device.publishes(b)}), Failed("invalid-input", HasSubstr("a → b → a")));
    EXPECT_THAT(device.running(), ElementsAre("a 1", "b 1"));
}

TEST_F(EngineTest, RefusesToRemoveAnAppThatAnotherRequires) {
    auto web = app("web", "1");
    web.manifest.requires_ = {"db"};
    device.has({app("db", "1"), web});

    EXPECT_THAT(deploy({removal("db")}), Failed("invalid-input", HasSubstr("app 'web' requires app 'db'")));
    EXPECT_THAT(device.running(), ElementsAre("db 1", "web 1"));
}

TEST_F(EngineTest, RefusesAManifestWithAnotherNameOrVersion) {
    device.has({app("hello", "1")});
    auto part = device.publishes(app("hello", "2"));
    part.version = "2.1";
    EXPECT_THAT(deploy({part}, "7"),
                Failed("invalid-input", HasSubstr("the deployment says version 2.1, its davit.json says 2")));

    part = device.publishes(app("ticker", "2"));
    part.app = "hello";
    EXPECT_THAT(deploy({part}, "8"), Failed("invalid-input", HasSubstr("its davit.json says name 'ticker'")));
    EXPECT_THAT(device.running(), ElementsAre("hello 1"));
}

TEST_F(EngineTest, RefusesWhatThePolicyRefusesWithTheNameOfTheApp) {
    device.has({app("hello", "1")});
    auto camera = app("camera", "1");
    camera.policy_refuses = "capabilities: CAP_SYS_ADMIN is not allowed";

    const auto outcome = deploy({device.publishes(app("hello", "2")), device.publishes(camera)});

    EXPECT_THAT(outcome,
                Failed("policy-refused", HasSubstr("app 'camera' 1: capabilities: CAP_SYS_ADMIN is not allowed")));
    EXPECT_THAT(device.running(), ElementsAre("hello 1"));
}

TEST_F(EngineTest, RefusesADeploymentThatNamesAnAppTwice) {
    const auto part = device.publishes(app("hello", "1"));

    EXPECT_THAT(deploy({part, part}), Failed("invalid-input", HasSubstr("names app 'hello' twice")));
}

TEST_F(EngineTest, RefusedDeploymentsLeaveNothingBehindAndDoNotBlockTheNext) {
    device.has({app("hello", "1")});
    auto bad = app("hello", "2");
    bad.policy_refuses = "no";
    deploy({device.publishes(bad)}, "7");

    EXPECT_THAT(device.commits(), ElementsAre("hello-1"));
    EXPECT_THAT(deploy({device.publishes(app("hello", "3"))}, "8"), Succeeded("updated hello 1 → 3"));
}

TEST_F(EngineTest, ReportsAFinishedDeploymentAgainWithoutTouchingAnything) {
    const auto part = device.publishes(app("hello", "1"));
    deploy({part});
    ASSERT_THAT(deliver(), ElementsAre("7"));
    device.forget_what_it_did();

    deploy({part});

    EXPECT_THAT(deliver(), ElementsAre("7"));
    EXPECT_THAT(device.finished_ids(), ElementsAre("7", "7"));
    EXPECT_THAT(device.did(), IsEmpty());
}

TEST_F(EngineTest, CarriesOutADeploymentWithAKnownIdAndOtherParts) {
    deploy({device.publishes(app("hello", "1"))}, "7");

    EXPECT_THAT(deploy({device.publishes(app("hello", "2"))}, "7"), Succeeded("updated hello 1 → 2"));
}

TEST_F(EngineTest, CarriesWhatIsUnderWayToItsEndBeforeItBeginsTheNext) {
    std::stop_source stop;
    device.before_call = [&] { stop.request_stop(); };
    ASSERT_THAT(try_to_deploy({.id = "7", .parts = {device.publishes(app("hello", "1"))}}, stop.get_token()),
                FailsWith(Code::Canceled, _));
    device.before_call = nullptr;

    EXPECT_THAT(deploy({device.publishes(app("hello", "2"))}, "8"), Succeeded("updated hello 1 → 2"));

    EXPECT_THAT(deliver(), ElementsAre("7", "8"));
}

TEST_F(EngineTest, KeepsItsOutcomeWhenCleaningUpFails) {
    device.has({app("hello", "1")});
    device.keep_only_fails = Error{Code::System, "I/O error"};

    EXPECT_THAT(deploy({device.publishes(app("hello", "2"))}, "7"), Succeeded(_));
    EXPECT_THAT(deploy({device.publishes(app("hello", "3"))}, "8"), Succeeded(_));

    device.keep_only_fails.reset();
    ASSERT_THAT(resume(), Works());
    EXPECT_THAT(device.commits(), ElementsAre("hello-2", "hello-3"));
}

TEST_F(EngineTest, RefusesADeploymentWhenTheCurrentGenerationCannotBeRead) {
    device.has({app("hello", "1")});
    for (const auto* name : {"generation.json", "generation.copy.json"})
        ASSERT_THAT(file::write_durably(state / "generations" / "1" / name, "{"), Works());

    ASSERT_THAT(try_to_deploy({.id = "7", .parts = {device.publishes(app("hello", "2"))}}), Works());

    EXPECT_THAT(journal().find("7").value()->outcome, Failed("corrupt", HasSubstr("generation 1 is damaged")));
    EXPECT_THAT(device.finished_ids(), ElementsAre("7"));
}

TEST_F(EngineTest, DoesNothingThatItCannotPersist) {
    device.has({app("hello", "1")});
    {
        auto database =
            sqlite::Database::open(state / "state.db", {"CREATE TABLE nonsense (a)", "CREATE TABLE more (a)"}).value();
    }

    EXPECT_THAT(try_to_deploy({.id = "7", .parts = {device.publishes(app("hello", "2"))}}),
                FailsWith(Code::Defect, HasSubstr("no such table")));
    EXPECT_THAT(device.did(), IsEmpty());
    EXPECT_THAT(device.told(), IsEmpty());
}

/// Somebody kills davitd again and again, each time in the same phase.
class EngineKilledIn : public EngineTest, public testing::WithParamInterface<Phase> {
protected:
    struct Killed {};

    void deploy_while_killed(const Deployment& deployment) {
        const auto prefix = std::string(name(GetParam())) + ": ";
        device.after_call = [&] {
            if (device.finished_ids().empty() && device.told().back().starts_with(prefix)) throw Killed{};
        };
        while (device.finished_ids().empty() && kills < 200) {
            try {
                ASSERT_THAT(try_to_deploy(deployment), Works());
            } catch (const Killed&) {
                ++kills;
            }
        }
    }

    int kills = 0;
};

TEST_P(EngineKilledIn, GivesUpAfterTheEntriesThatAreAllowedAndLeavesTheOldApps) {
    device.has({app("hello", "1")});
    options.most_download_entries = 12;
    if (GetParam() == Phase::RollingBack) device.fault("hello 2").unhealthy = true;

    deploy_while_killed({.id = "7", .parts = {device.publishes(app("hello", "2"))}});

    EXPECT_EQ(kills, GetParam() == Phase::Downloading ? 12 : 5);
    const auto entry = journal().find("7").value();
    ASSERT_TRUE(entry.has_value());
    const auto why = std::format("phase '{}' was interrupted {} times", name(GetParam()), kills);
    EXPECT_THAT(entry->outcome, Failed(GetParam() == Phase::RollingBack ? "app-failed" : "system", HasSubstr(why)));
    EXPECT_THAT(deliver(), ElementsAre("7"));
    if (GetParam() == Phase::RollingBack) {
        EXPECT_THAT(previous(), ElementsAre("hello 1")) << "what a person may still go back to";
    } else {
        EXPECT_THAT(device.running(), ElementsAre("hello 1"));
    }
}

// `staged` makes no call that a test could break into.
INSTANTIATE_TEST_SUITE_P(Phases, EngineKilledIn,
                         testing::Values(Phase::Downloading, Phase::Verifying, Phase::Switching, Phase::Probation,
                                         Phase::RollingBack),
                         [](const auto& param_info) {
                             std::string out(name(param_info.param));
                             std::erase(out, '-');
                             return out;
                         });

}  // namespace
}  // namespace davit
