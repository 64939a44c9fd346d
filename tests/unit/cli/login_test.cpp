#include "cli/login.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "../hawkbit/matchers.h"
#include "bundles.h"

namespace davit::cli {
namespace {

using test::FailsWith;
using test::Succeeds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class LoginTest : public testing::Test {
protected:
    LoginTest() {
        variables["XDG_CONFIG_HOME"] = workshop.path("xdg").string();
        std::filesystem::create_directories(workshop.path("xdg/davit"));
        test::write(workshop.path("password"), "from file\n");
    }
    void config(std::string_view text) { test::write(workshop.path("xdg/davit/config.json"), text); }
    Result<Connection> find() {
        return find_connection(options, [this](const char* name) {
            const auto found = variables.find(name);
            return found == variables.end() ? std::nullopt : std::optional(found->second);
        });
    }

    test::Workshop workshop;
    std::map<std::string, std::string> variables;
    LoginOptions options;
};

TEST_F(LoginTest, IsReadFromTheFile) {
    test::write(workshop.path("xdg/davit/pw"), "secret\n");
    config(
        R"({"server": "https://hawkbit.example", "user": "ci", "password_file": "pw", "ca_file": "/ca.pem"} // comments are fine)");
    const auto found = find();
    ASSERT_THAT(found, Succeeds());
    EXPECT_EQ(found->login.url, "https://hawkbit.example");
    EXPECT_EQ(found->login.user, "ci");
    EXPECT_EQ(found->login.password, "secret");  // the file is looked for beside config.json
    EXPECT_EQ(found->http.ca_file, "/ca.pem");
}

TEST_F(LoginTest, PrefersTheEnvironmentToTheFileAndOptionsToBoth) {
    config(R"({"server": "http://file", "user": "file", "password_file": "/nonexistent"})");
    variables["DAVIT_HAWKBIT_URL"] = "http://env";
    variables["DAVIT_HAWKBIT_USER"] = "env";
    variables["DAVIT_HAWKBIT_PASSWORD"] = "from env";
    auto found = find();
    ASSERT_THAT(found, Succeeds());
    EXPECT_EQ(found->login.url + found->login.user + found->login.password, "http://envenvfrom env");

    options.server = "http://option";
    options.user = "option";
    options.password_file = workshop.path("password").string();
    found = find();
    ASSERT_THAT(found, Succeeds());
    EXPECT_EQ(found->login.url + found->login.user + found->login.password, "http://optionoptionfrom file");
}

TEST_F(LoginTest, SaysWhereAMissingValueMayBe) {
    EXPECT_THAT(find(),
                FailsWith(Code::InvalidInput, AllOf(HasSubstr("no server"), HasSubstr("--server"),
                                                    HasSubstr("DAVIT_HAWKBIT_URL"), HasSubstr("davit/config.json"))));
    options.server = "http://h";
    EXPECT_THAT(find(), FailsWith(Code::InvalidInput, HasSubstr("no user")));
    options.user = "u";
    EXPECT_THAT(find(), FailsWith(Code::InvalidInput, AllOf(HasSubstr("no password"), HasSubstr("--password-file"))));
}

TEST_F(LoginTest, NamesTheMistakeInTheFile) {
    config(R"({"sever": "http://h"})");
    EXPECT_THAT(find(), FailsWith(Code::InvalidInput,
                                  AllOf(HasSubstr("config.json"), HasSubstr("sever"), HasSubstr("server"))));
    config(R"({"server": 5})");
    EXPECT_THAT(find(), FailsWith(Code::InvalidInput, HasSubstr("server: expected a string")));
    config("{");
    EXPECT_THAT(find(), FailsWith(Code::InvalidInput, HasSubstr("config.json")));
}

TEST_F(LoginTest, NeedsAFileThatWasNamed) {
    options.config = workshop.path("absent.json").string();
    EXPECT_THAT(find(), FailsWith(Code::NotFound, HasSubstr("absent.json")));
}

TEST_F(LoginTest, RefusesAnEmptyPasswordFileAndAServerThatIsNoUrl) {
    options.server = "hawkbit.example";
    options.user = "u";
    options.password_file = workshop.path("password").string();
    EXPECT_THAT(find(),
                FailsWith(Code::InvalidInput, AllOf(HasSubstr("'hawkbit.example'"), Not(HasSubstr("from file")))));
    options.server = "http://hawkbit.example";
    test::write(workshop.path("password"), "\n");
    EXPECT_THAT(find(), FailsWith(Code::InvalidInput, HasSubstr("empty")));
}

}  // namespace
}  // namespace davit::cli
