// The management client against a real hawkBit.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "../../unit/hawkbit/matchers.h"
#include "server.h"

namespace davit::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class Management : public HawkbitContract {};

MATCHER_P3(IsEntry, key, value, visible, "") {
    return arg.key == key && arg.value == value && arg.target_visible == visible;
}

TEST_F(Management, LogsInWithTheRightPasswordOnly) {
    EXPECT_THAT(admin().ping(), Succeeds());
    EXPECT_THAT(admin("wrong").ping(), FailsWith(Code::Unauthorized, HasSubstr("user or password is wrong")));
}

TEST_F(Management, FindsAModuleThatWasCreated) {
    auto client = admin();
    EXPECT_EQ(must(client.find_module("application", unique("app"), "1.0")), std::nullopt);
    const auto created = create_module("1.0");
    const auto found = must(client.find_module("application", unique("app"), "1.0"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, created.id);
    EXPECT_EQ(found->type, "application");
    EXPECT_EQ(must(client.find_module("os", unique("app"), "1.0")), std::nullopt);
    EXPECT_EQ(must(client.find_module("application", unique("app"), "1")), std::nullopt);
}

TEST_F(Management, RefusesASecondModuleOfTheSameNameAndVersion) {
    create_module("1.0");
    EXPECT_THAT(admin().create_module("application", unique("app"), "1.0", ""),
                FailsWith(Code::AlreadyExists, HasSubstr("409")));
}

TEST_F(Management, FindsNamesThatLookLikeAQuery) {
    auto client = admin();
    for (const auto* odd : {"with space", "with \"quotes\"", "a;b,c==d", "Gerät", "100%"}) {
        const auto created = must(client.create_module("application", unique(odd), "1*", ""));
        const auto found = must(client.find_module("application", unique(odd), "1*"));
        ASSERT_TRUE(found) << odd;
        EXPECT_EQ(found->id, created.id) << odd;
    }
}

TEST_F(Management, OverwritesMetadataAndKeepsTheRest) {
    auto client = admin();
    const auto module = create_module(
        "1.0", {{.key = "commit", .value = "old"}, {.key = "note", .value = "n", .target_visible = false}});
    must(client.set_module_metadata(module.id, {{.key = "commit", .value = "new"}, {.key = "ref", .value = "hello"}}));
    EXPECT_THAT(must(client.module_metadata(module.id)),
                testing::UnorderedElementsAre(IsEntry("commit", "new", true), IsEntry("note", "n", false),
                                              IsEntry("ref", "hello", true)));
}

TEST_F(Management, FindsASetWithItsModules) {
    auto client = admin();
    EXPECT_EQ(must(client.find_set(unique("set"), "1.0")), std::nullopt);
    const auto module = create_module("1.0");
    const auto created = create_set("1.0", module);
    const auto found = must(client.find_set(unique("set"), "1.0"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, created.id);
    ASSERT_THAT(found->modules, SizeIs(1));
    EXPECT_EQ(found->modules[0].id, module.id);
    EXPECT_THAT(client.create_set("app", unique("set"), "1.0", "", {module.id}),
                FailsWith(Code::AlreadyExists, HasSubstr("409")));
}

TEST_F(Management, ShowsATargetFromItsCreationToItsDeletion) {
    auto client = admin();
    EXPECT_THAT(client.target(device_id()), FailsWith(Code::NotFound, HasSubstr(device_id())));
    create_device();
    const auto target = must(client.target(device_id()));
    EXPECT_EQ(target.update_status, "unknown");
    EXPECT_EQ(target.security_token, token());
    EXPECT_EQ(target.last_request_ms, 0);
    EXPECT_FALSE(target.assigned);
    EXPECT_FALSE(target.installed);
    EXPECT_THAT(must(client.attributes(device_id())), IsEmpty());
    EXPECT_THAT(must(client.actions(device_id())), IsEmpty());
    EXPECT_THAT(client.create_target(device_id(), ""), Not(Succeeds()));
    must(client.delete_target(device_id()));
    EXPECT_THAT(client.target(device_id()), FailsWith(Code::NotFound, HasSubstr(device_id())));
}

TEST_F(Management, AssignsASetOnce) {
    create_device();
    auto client = admin();
    const auto made = assign("1.0");
    EXPECT_EQ(must(client.assign(made.set.id, device_id(), mgmt::AssignType::Forced)), std::nullopt);
    const auto target = must(client.target(device_id()));
    ASSERT_TRUE(target.assigned);
    EXPECT_EQ(target.assigned->id, made.set.id);
    EXPECT_EQ(target.update_status, "pending");
    const auto action = must(client.action(device_id(), made.action));
    EXPECT_TRUE(action.active);
    EXPECT_EQ(action.force_type, "forced");
    EXPECT_THAT(client.action(device_id(), made.action + 1'000'000), FailsWith(Code::NotFound, HasSubstr("404")));
}

TEST_F(Management, NoticesAnUnknownTarget) {
    const auto set = create_set("1.0", create_module("1.0"));
    EXPECT_THAT(admin().assign(set.id, unique("nosuch"), mgmt::AssignType::Forced),
                FailsWith(Code::NotFound, HasSubstr("no target")));
}

TEST_F(Management, ListsTheNewestActionFirst) {
    create_device();
    const auto first = assign("1.0");
    const auto second = assign("2.0");
    EXPECT_THAT(must(admin().actions(device_id())),
                ElementsAre(Field(&mgmt::Action::id, second.action), Field(&mgmt::Action::id, first.action)));
}

TEST_F(Management, CancelsAnActionOnce) {
    create_device();
    const auto made = assign("1.0");
    auto client = admin();
    must(client.cancel(device_id(), made.action));
    EXPECT_EQ(must(client.action(device_id(), made.action)).status, "canceling");
    EXPECT_THAT(client.cancel(device_id(), made.action), FailsWith(Code::ServerRefused, HasSubstr("405")));
}

TEST_F(Management, RefusesAConfigurationThatDoesNotExist) {
    EXPECT_THAT(admin().set_config("no.such.key", "true"), Not(Succeeds()));
}

}  // namespace
}  // namespace davit::test
