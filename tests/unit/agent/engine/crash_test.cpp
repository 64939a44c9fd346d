// There is one way to resume: enter the persisted phase again. The proof is by exhaustion: each story is told once
// without interruption, and then again with davitd killed (or the power cut, or davitd stopped) at the first, second,
// third … call that the engine makes. Afterwards the device must look the same.

#include <gmock/gmock.h>

#include <ostream>

#include "tests/unit/agent/engine/world.h"

namespace davit {
namespace {

using test::app;
using test::removal;
using test::Works;
using test::World;

struct Story {
    const char* name;
    std::function<std::vector<Part>(World&)> begin;
    bool confirm = false;
};
void PrintTo(const Story& story, std::ostream* out) {
    *out << story.name;
}

using Answer = Permission::Answer;

/// People and server take their time before each step.
void says_after_waits(World& world, Answer::Word last) {
    world.device.says = [last, waits = 0](Permission::Step step, bool) mutable -> Answer {
        if (++waits % 3 != 0) return {.word = Answer::Word::Wait, .reason = "waits"};
        const bool is_no = last == Answer::Word::No && step == Permission::Step::Begin;
        return {.word = is_no ? last : Answer::Word::Yes, .reason = "said"};
    };
}

const Story kStories[] = {
    {"FirstInstallation",
     [](World& world) {
         return std::vector{world.device.publishes(app("hello", "1")), world.device.publishes(app("ticker", "1"))};
     }},
    {"FirstInstallationThatFails",
     [](World& world) {
         world.device.fault("hello 1").unhealthy = true;
         return std::vector{world.device.publishes(app("hello", "1")), world.device.publishes(app("ticker", "1"))};
     }},
    {"GoodUpdate",
     [](World& world) {
         world.device.has({app("hello", "1"), app("ticker", "1")});
         return std::vector{world.device.publishes(app("hello", "2"))};
     }},
    {"UnhealthyUpdate",
     [](World& world) {
         world.device.has({app("hello", "1"), app("ticker", "1")});
         world.device.fault("hello 2").unhealthy = true;
         return std::vector{world.device.publishes(app("hello", "2"))};
     }},
    {"SecondOfTwoAppsIsBroken",
     [](World& world) {
         world.device.has({app("db", "1"), app("ticker", "1"), app("web", "1")});
         world.device.fault("web 2").never_ready = true;
         auto web = app("web", "2");
         web.manifest.requires_ = {"db"};
         return std::vector{world.device.publishes(app("db", "2")), world.device.publishes(web)};
     }},
    {"RemovalWithUpdate",
     [](World& world) {
         world.device.has({app("hello", "1"), app("old", "1"), app("ticker", "1")});
         return std::vector{removal("old"), world.device.publishes(app("hello", "2"))};
     }},
    {"RemovalThatGoesBack",
     [](World& world) {
         world.device.has({app("hello", "1"), app("old", "1"), app("ticker", "1")});
         world.device.fault("hello 2").dies_after = Milliseconds{7'000};
         return std::vector{removal("old"), world.device.publishes(app("hello", "2")),
                            world.device.publishes(app("new", "1"))};
     }},
    {"UpdateThatMustWait",
     [](World& world) {
         world.device.has({app("hello", "1"), app("ticker", "1")});
         says_after_waits(world, Answer::Word::Yes);
         return std::vector{world.device.publishes(app("hello", "2"))};
     }},
    {"UpdateThatIsConfirmed",
     [](World& world) {
         world.device.has({app("hello", "1"), app("ticker", "1")});
         says_after_waits(world, Answer::Word::Yes);
         return std::vector{world.device.publishes(app("hello", "2"))};
     },
     true},
    {"UpdateThatIsDenied",
     [](World& world) {
         world.device.has({app("hello", "1"), app("ticker", "1")});
         says_after_waits(world, Answer::Word::No);
         return std::vector{world.device.publishes(app("hello", "2"))};
     },
     true},
};

enum class Interruption { Killed, PowerCut, Stopped };
void PrintTo(Interruption how, std::ostream* out) {
    *out << (how == Interruption::Killed ? "Killed" : how == Interruption::PowerCut ? "PowerCut" : "Stopped");
}

struct Dead {};

/// Counts the points at which davitd can end, and ends it at one of them.
class Fate {
public:
    Fate(World& world, int at, Interruption how) : world_(world), at_(at), how_(how) {
        world.device.before_call = world.device.after_call = world.clock.called = [this] { point(); };
    }
    ~Fate() { world_.device.before_call = world_.device.after_call = world_.clock.called = nullptr; }
    Fate(const Fate&) = delete;
    Fate& operator=(const Fate&) = delete;

    [[nodiscard]] std::stop_token stop() const { return stop_.get_token(); }
    [[nodiscard]] bool has_come() const { return points_ >= at_; }

private:
    void point() {
        if (++points_ != at_) return;
        if (how_ != Interruption::Stopped) throw Dead{};
        stop_.request_stop();
    }

    World& world_;
    int at_;
    Interruption how_;
    int points_ = 0;
    std::stop_source stop_;
};

/// davitd meets its fate, starts again, and the server offers again what it has no result for.
/// @return whether the fate came before the story was over
bool tell(World& world, const Deployment& deployment, int at, Interruption how) {
    bool came = false;
    {
        Fate fate(world, at, how);
        try {
            const auto result = world.try_to_deploy(deployment, fate.stop());
            EXPECT_TRUE(result || result.error().code == Code::Canceled) << result.error().message;
        } catch (const Dead&) {
        }
        came = fate.has_come();
    }
    if (came && how == Interruption::PowerCut) world.device.reboots();
    EXPECT_THAT(world.resume(), Works());
    if (!world.journal().find(deployment.id).value()) {
        EXPECT_THAT(world.try_to_deploy(deployment), Works());
    }
    return came;
}

class CrashTest : public testing::TestWithParam<std::tuple<Story, Interruption>> {};

TEST_P(CrashTest, EndsAsIfNothingHadHappened) {
    const auto& [story, how] = GetParam();
    constexpr int kNever = 1'000'000;
    World undisturbed;
    const auto deployment = [&story](World& world) -> Deployment {
        return {.id = "7", .parts = story.begin(world), .confirm = story.confirm};
    };
    tell(undisturbed, deployment(undisturbed), kNever, how);
    const auto expected = undisturbed.describe();
    ASSERT_THAT(expected, testing::ContainsRegex("results: (7, )?7\n"));

    int at = 1;
    for (;; ++at) {
        World world;
        if (!tell(world, deployment(world), at, how)) break;
        ASSERT_EQ(world.describe(), expected) << "interrupted at point " << at;
        // A device that boots starts apps by itself, and a stop may come in the middle of a start; a mere kill must
        // cost no app a second restart.
        if (how != Interruption::Killed) continue;
        for (const auto* good : {"start hello 1", "start hello 2", "start db 1", "start db 2", "start web 1",
                                 "start old 1", "start ticker 1"}) {
            ASSERT_EQ(world.device.times(good), undisturbed.device.times(good)) << good << ", killed at point " << at;
        }
    }
    EXPECT_GT(at, story.confirm ? 15 : 40) << "the story has too few points to prove anything";
}

INSTANTIATE_TEST_SUITE_P(Stories, CrashTest,
                         testing::Combine(testing::ValuesIn(kStories),
                                          testing::Values(Interruption::Killed, Interruption::PowerCut,
                                                          Interruption::Stopped)),
                         [](const auto& param_info) {
                             return std::string(std::get<0>(param_info.param).name) +
                                    testing::PrintToString(std::get<1>(param_info.param));
                         });

}  // namespace
}  // namespace davit
