#include "agent/engine/order.h"

#include <gmock/gmock.h>

#include "tests/unit/common/support.h"

namespace davit {
namespace {

using test::FailsWith;
using test::Gives;
using testing::ElementsAre;
using testing::HasSubstr;

Bundle app(std::string name, std::vector<std::string> after = {}) {
    Bundle bundle;
    bundle.manifest.name = std::move(name);
    bundle.manifest.after = std::move(after);
    return bundle;
}

TEST(StartOrder, IsByNameWhereNothingElseIsSaid) {
    EXPECT_THAT(start_order({app("web"), app("db"), app("cache")}), Gives(ElementsAre("cache", "db", "web")));
}

TEST(StartOrder, PutsAnAppAfterThoseItNames) {
    auto by_wants = app("b");
    by_wants.manifest.wants = {"c"};
    auto by_requires = app("c");
    by_requires.manifest.requires_ = {"d"};

    EXPECT_THAT(start_order({app("a", {"b"}), by_wants, by_requires, app("d")}),
                Gives(ElementsAre("d", "c", "b", "a")));
}

TEST(StartOrder, IgnoresAppsThatAreNotInstalledUnlessTheyAreRequired) {
    auto web = app("web", {"absent"});
    EXPECT_THAT(start_order({web}), Gives(ElementsAre("web")));

    web.manifest.requires_ = {"db"};
    EXPECT_THAT(
        start_order({web}),
        FailsWith(Code::InvalidInput, HasSubstr("app 'web' requires app 'db', which would not be on this device")));
}

TEST(StartOrder, NamesTheCircle) {
    EXPECT_THAT(start_order({app("x"), app("y", {"a"}), app("a", {"b"}), app("b", {"c"}), app("c", {"a"})}),
                FailsWith(Code::InvalidInput, HasSubstr("in a circle: a → b → c → a")));
    EXPECT_THAT(start_order({app("a", {"a"})}), FailsWith(Code::InvalidInput, HasSubstr("a → a")));
}

}  // namespace
}  // namespace davit
