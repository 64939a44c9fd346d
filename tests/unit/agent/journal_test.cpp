#include "agent/journal.h"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <functional>

#include "tests/unit/agent/matchers.h"
#include "tests/unit/agent/scratch.h"

namespace davit {
namespace {

using test::Failed;
using test::FailsWith;
using test::Succeeded;
using test::Works;
using testing::HasSubstr;
using testing::SizeIs;

Deployment hello(std::string id, const std::string& version = "2") {
    return {.id = std::move(id),
            .parts = {{.app = "hello", .version = version, .commit = "c" + version, .ref = "hello"}}};
}
const Outcome kGood{.success = true, .message = "updated hello 1 → 2"};
const Outcome kBad{.success = false, .message = "hello failed", .cause = "app-failed"};

class JournalTest : public testing::Test {
protected:
    Journal open() {
        auto journal = Journal::open(scratch_.path() / "state.db");
        EXPECT_THAT(journal, Works());
        return std::move(*journal);
    }
    Outbox outbox() {
        auto outbox = Outbox::open(scratch_.path() / "state.db");
        EXPECT_THAT(outbox, Works());
        return std::move(*outbox);
    }

    test::Scratch scratch_;
};

TEST_F(JournalTest, IsEmptyAtFirst) {
    auto journal = open();

    const auto active = journal.active();
    ASSERT_THAT(active, Works());
    EXPECT_FALSE(active->has_value());
    EXPECT_THAT(*journal.history(10), SizeIs(0));
}

TEST_F(JournalTest, KnowsTheDeploymentUnderWayAfterARestart) {
    {
        auto journal = open();
        ASSERT_THAT(journal.begin(hello("7"), 4, 1000), Works());
        ASSERT_THAT(journal.enter(Phase::Downloading, 2000), Works());
        ASSERT_THAT(journal.prepared(5), Works());
        ASSERT_THAT(journal.failed(kBad), Works());
    }
    auto journal = open();

    const auto active = *journal.active();
    ASSERT_TRUE(active.has_value());
    EXPECT_EQ(active->deployment, hello("7"));
    EXPECT_EQ(active->phase, Phase::Downloading);
    EXPECT_EQ(active->started_ms, 1000);
    EXPECT_EQ(active->phase_started_ms, 2000);
    EXPECT_EQ(active->from, 4u);
    EXPECT_EQ(active->to, 5u);
    ASSERT_TRUE(active->failure.has_value());
    EXPECT_THAT(*active->failure, Failed("app-failed", "hello failed"));
}

TEST_F(JournalTest, CountsTheEntriesOfAPhaseAndKeepsItsFirstTime) {
    auto journal = open();
    ASSERT_THAT(journal.begin(hello("7"), 1, 1000), Works());
    ASSERT_THAT(journal.enter(Phase::Received, 1100), Works());
    EXPECT_EQ((*journal.active())->entries, 1);
    ASSERT_THAT(journal.enter(Phase::Received, 1200), Works());
    EXPECT_EQ((*journal.active())->entries, 2);
    EXPECT_EQ((*journal.active())->phase_started_ms, 1000);

    ASSERT_THAT(journal.enter(Phase::Downloading, 1300), Works());

    EXPECT_EQ((*journal.active())->entries, 1);
    EXPECT_EQ((*journal.active())->phase_started_ms, 1300);
}

TEST_F(JournalTest, HoldsOneDeploymentAtATime) {
    auto journal = open();
    ASSERT_THAT(journal.begin(hello("7"), 1, 1000), Works());

    EXPECT_THAT(journal.begin(hello("8"), 1, 1000),
                FailsWith(Code::AlreadyExists, HasSubstr("deployment 7 is under way")));
}

TEST_F(JournalTest, RefusesToChangeWhatIsNotUnderWay) {
    auto journal = open();

    EXPECT_THAT(journal.enter(Phase::Switching, 1), FailsWith(Code::Defect, HasSubstr("no deployment under way")));
    EXPECT_THAT(journal.prepared(1), FailsWith(Code::Defect, HasSubstr("no deployment under way")));
    EXPECT_THAT(journal.failed(kBad), FailsWith(Code::Defect, HasSubstr("no deployment under way")));
    EXPECT_THAT(journal.finish(kGood, 1), FailsWith(Code::Defect, HasSubstr("no deployment under way")));
}

TEST_F(JournalTest, PutsAFinishedDeploymentIntoHistoryAndOutbox) {
    auto journal = open();
    ASSERT_THAT(journal.begin(hello("7"), 1, 1000), Works());

    ASSERT_THAT(journal.finish(kGood, 5000), Works());

    EXPECT_FALSE((*journal.active()).has_value());
    const auto found = *journal.find("7");
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->deployment, hello("7"));
    EXPECT_THAT(found->outcome, Succeeded(kGood.message));
    EXPECT_EQ(found->started_ms, 1000);
    EXPECT_EQ(found->finished_ms, 5000);
    const auto item = *outbox().next();
    ASSERT_TRUE(item.has_value());
    EXPECT_EQ(item->deployment_id, "7");
    EXPECT_THAT(item->outcome, Succeeded(kGood.message));
    EXPECT_EQ(item->finished_ms, 5000);
}

TEST_F(JournalTest, PutsARefusedDeploymentIntoHistoryAndOutboxWhileAnotherIsUnderWay) {
    auto journal = open();
    ASSERT_THAT(journal.begin(hello("7"), 1, 1000), Works());

    ASSERT_THAT(journal.refuse({.id = "8", .parts = {}}, kBad, 2000), Works());

    EXPECT_EQ((*journal.active())->deployment.id, "7");
    EXPECT_THAT((*journal.find("8"))->outcome, Failed("app-failed", "hello failed"));
    EXPECT_EQ((*outbox().next())->deployment_id, "8");
}

TEST_F(JournalTest, FindsTheNewestOfSeveralDeploymentsWithOneId) {
    auto journal = open();
    ASSERT_THAT(journal.refuse(hello("7", "2"), kBad, 1), Works());
    ASSERT_THAT(journal.refuse(hello("7", "3"), kGood, 2), Works());

    EXPECT_EQ((*journal.find("7"))->deployment, hello("7", "3"));
}

TEST_F(JournalTest, KeepsTwoHundredFinishedDeployments) {
    auto journal = open();
    for (int i = 1; i <= 203; ++i)
        ASSERT_THAT(journal.refuse(hello(std::to_string(i)), kBad, i), Works());

    const auto history = *journal.history(1000);

    ASSERT_THAT(history, SizeIs(200));
    EXPECT_EQ(history.front().deployment.id, "203");
    EXPECT_EQ(history.back().deployment.id, "4");
}

TEST_F(JournalTest, GivesAsMuchHistoryAsAskedFor) {
    auto journal = open();
    for (int i = 1; i <= 3; ++i)
        ASSERT_THAT(journal.refuse(hello(std::to_string(i)), kBad, i), Works());

    EXPECT_THAT(*journal.history(2), SizeIs(2));
}

TEST_F(JournalTest, ReportsAKnownResultAgainOnceItWasDelivered) {
    auto journal = open();
    auto results = outbox();
    ASSERT_THAT(journal.refuse(hello("7"), kBad, 1), Works());
    ASSERT_THAT(results.delivered((*results.next())->row), Works());

    ASSERT_THAT(journal.report_again("7"), Works());

    EXPECT_THAT((*results.next())->outcome, Failed("app-failed", "hello failed"));
}

TEST_F(JournalTest, DoesNotReportTwiceWhatWaitsInTheOutbox) {
    auto journal = open();
    auto results = outbox();
    ASSERT_THAT(journal.refuse(hello("7"), kBad, 1), Works());

    ASSERT_THAT(journal.report_again("7"), Works());

    ASSERT_THAT(results.delivered((*results.next())->row), Works());
    EXPECT_FALSE((*results.next()).has_value());
}

TEST_F(JournalTest, CannotReportWhatItDoesNotKnow) {
    EXPECT_THAT(open().report_again("7"), FailsWith(Code::NotFound, HasSubstr("no deployment 7")));
}

TEST_F(JournalTest, OutboxGivesTheOldestFirstAndEachUntilDelivered) {
    auto journal = open();
    auto results = outbox();
    ASSERT_THAT(journal.refuse(hello("7"), kBad, 1), Works());
    ASSERT_THAT(journal.refuse(hello("8"), kGood, 2), Works());

    EXPECT_EQ((*results.next())->deployment_id, "7");
    EXPECT_EQ((*results.next())->deployment_id, "7");
    ASSERT_THAT(results.delivered((*results.next())->row), Works());
    EXPECT_EQ((*results.next())->deployment_id, "8");
    ASSERT_THAT(results.delivered((*results.next())->row), Works());
    EXPECT_FALSE((*results.next()).has_value());
}

TEST_F(JournalTest, ThatIsNoDatabaseIsSaidToBeNone) {
    ASSERT_THAT(file::write_durably(scratch_.path() / "state.db", std::string(4096, 'x')), Works());

    EXPECT_THAT(Journal::open(scratch_.path() / "state.db"), FailsWith(Code::Corrupt, HasSubstr("state.db")));
}

TEST_F(JournalTest, AYesIsKeptAndOnItsWayToTheServerInOneStep) {
    auto journal = open();
    journal.begin(hello("7"), 1, 1'000).value();
    EXPECT_FALSE(journal.active().value()->confirmed);
    const Outcome yes{.success = true, .message = "confirmed at the device", .cause = "confirmed"};
    ASSERT_THAT(journal.confirmed(yes, 2'000), Works());
    EXPECT_TRUE(journal.active().value()->confirmed);
    const auto item = outbox().next().value();
    ASSERT_TRUE(item);
    EXPECT_EQ(item->deployment_id, "7");
    EXPECT_TRUE(item->outcome.confirmed());
}

TEST_F(JournalTest, FloorsChangeWithTheResultAndForTheAppsThatItNames) {
    auto journal = open();
    EXPECT_THAT(journal.floors().value(), testing::IsEmpty());
    journal.begin(hello("7"), 1, 1'000).value();
    ASSERT_THAT(journal.finish(kGood, 2'000, {{"hello", 12}, {"web", 3}}), Works());
    journal.begin(hello("8"), 1, 1'000).value();
    ASSERT_THAT(journal.finish(kGood, 2'000, {{"hello", 9}}), Works());
    EXPECT_EQ(journal.floors().value(), (Floors{{"hello", 9}, {"web", 3}}));
}

class DamagedJournalTest : public JournalTest {
protected:
    DamagedJournalTest() {
        auto journal = open();
        EXPECT_THAT(journal.begin(hello("7"), 4, 1000), Works());
        for (int i = 0; i < 50; ++i)
            EXPECT_THAT(journal.refuse(hello(std::to_string(100 + i)), kBad, i), Works());
    }
    /// davitd starts on what @p damage made of the closed database.
    void starts_after(const std::function<void(std::string&)>& damage) {
        auto bytes = file::read(file_).value();
        damage(bytes);
        ASSERT_THAT(file::write_durably(file_, bytes), Works());
        auto journal = Journal::open_or_renew(file_);
        ASSERT_THAT(journal, Works());
        EXPECT_FALSE((*journal->active()).has_value());
        EXPECT_THAT(*journal->history(10), SizeIs(0));
        EXPECT_THAT(journal->begin(hello("8"), 4, 2000), Works());
        EXPECT_EQ(file::read(file_.native() + ".damaged").value(), bytes) << "for whoever wants to know";
        ASSERT_THAT(Outbox::open(file_), Works());
    }
    /// Past the Journal, with nothing of ours in between.
    void write(const std::string& sql) const {
        sqlite3* db = nullptr;
        ASSERT_EQ(sqlite3_open(file_.c_str(), &db), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
        sqlite3_close(db);
    }
    const Path file_ = scratch_.path() / "state.db";
};

TEST_F(DamagedJournalTest, IsRenewedWhenItIsGarbage) {
    starts_after([](std::string& bytes) { bytes.assign(bytes.size(), 'x'); });
}

TEST_F(DamagedJournalTest, IsRenewedWhenItIsCutShort) {
    starts_after([](std::string& bytes) { bytes.resize(bytes.size() / 2); });
}

TEST_F(DamagedJournalTest, IsRenewedWhenOnlyAPageInTheMiddleIsLost) {
    starts_after([](std::string& bytes) { bytes.replace(bytes.size() / 2, 4096, 4096, '\xff'); });
}

TEST_F(DamagedJournalTest, IsRenewedWhenTheDeploymentUnderWayCannotBeRead) {
    write("UPDATE active SET deployment = '{\"id\": 7'");
    starts_after([](std::string&) {});
}

TEST_F(DamagedJournalTest, OfANewerVersionIsRefusedAndLeftAsItIs) {
    write("PRAGMA user_version=1000");

    EXPECT_THAT(Journal::open_or_renew(file_), FailsWith(Code::Unsupported, HasSubstr("newer Davit")));
    EXPECT_FALSE(file::exists(file_.native() + ".damaged"));
    EXPECT_THAT(Journal::open_or_renew(file_), FailsWith(Code::Unsupported, HasSubstr("schema is 1000")));
}

TEST_F(DamagedJournalTest, ThatIsSoundIsKept) {
    auto journal = Journal::open_or_renew(file_);
    ASSERT_THAT(journal, Works());
    EXPECT_EQ((*journal->active())->deployment.id, "7");
    EXPECT_THAT(*journal->history(100), SizeIs(50));
}

}  // namespace
}  // namespace davit
