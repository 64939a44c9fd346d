#include "containers/order.h"

#include <gmock/gmock.h>

#include "tests/unit/common/support.h"

namespace davit {
namespace {

using test::FailsWith;
using test::Gives;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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

TEST(StartOrder, IgnoresAppsThatAreNotInTheSet) {
    EXPECT_THAT(start_order({app("web", {"absent"})}), Gives(ElementsAre("web")));
}

TEST(StartOrder, NamesTheCircle) {
    EXPECT_THAT(start_order({app("x"), app("y", {"a"}), app("a", {"b"}), app("b", {"c"}), app("c", {"a"})}),
                FailsWith(Code::InvalidInput, HasSubstr("in a circle: a → b → c → a")));
    EXPECT_THAT(start_order({app("a", {"a"})}), FailsWith(Code::InvalidInput, HasSubstr("a → a")));
}

Bundle requiring(std::string name, std::vector<std::string> others) {
    auto bundle = app(std::move(name));
    bundle.manifest.requires_ = std::move(others);
    return bundle;
}

TEST(MissingRequirements, AreThoseThatTheSetDoesNotHave) {
    auto web = requiring("web", {"db", "cache"});
    web.manifest.wants = {"metrics"};

    EXPECT_THAT(missing_requirements({web, app("cache")}), ElementsAre(Missing{"web", "db"}));
    EXPECT_THAT(missing_wants({web, app("cache")}), ElementsAre(Missing{"web", "metrics"}));
    EXPECT_THAT(missing_requirements({web, app("cache"), app("db")}), IsEmpty());
}

TEST(Dependants, AreReachedThroughOthers) {
    const std::vector<Bundle> apps = {app("db"), requiring("web", {"db"}), requiring("page", {"web"}),
                                      app("clock", {"db"})};

    EXPECT_THAT(dependants(apps, {"db"}), ElementsAre("page", "web"));
    EXPECT_THAT(dependants(apps, {"web"}), ElementsAre("page"));
    EXPECT_THAT(dependants(apps, {"db", "web"}), ElementsAre("page")) << "not those that change themselves";
    EXPECT_THAT(dependants(apps, {"clock"}), IsEmpty());
}

}  // namespace
}  // namespace davit
