#include "ostree/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include "tests/unit/ostree/fixture.h"

namespace davit {
namespace {

using namespace davit::test;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SignatureTest : public OstreeTest {
protected:
    SignatureTest() {
        must(make_key_pair(dir / "other"));
        mine = must(read_public_key(dir / "publisher.pub"));
        other = must(read_public_key(dir / "other.pub"));
    }
    Bytes sign_with(const std::string& key) { return must(must(SigningKey::read(dir / (key + ".key"))).sign(data)); }

    const Bytes data{1, 2, 3, 4};
    TrustedKey mine, other;
};

TEST_F(SignatureTest, AcceptsASignatureOfATrustedKeyAndNamesIt) {
    EXPECT_EQ(must(verify(data, std::vector<Bytes>{sign_with("publisher")}, std::vector{other, mine}, "hello")),
              "publisher");
}

TEST_F(SignatureTest, AcceptsOneGoodSignatureAmongOthers) {
    const std::vector<Bytes> signatures{{}, Bytes(64, 0), sign_with("other"), sign_with("publisher")};
    EXPECT_EQ(must(verify(data, signatures, std::vector{mine}, "hello")), "publisher");
}

TEST_F(SignatureTest, RefusesASignatureOverOtherData) {
    const Bytes tampered{1, 2, 3, 5};
    EXPECT_THAT(verify(tampered, std::vector<Bytes>{sign_with("publisher")}, std::vector{mine}, "hello"),
                FailsWith(Code::Untrusted, HasSubstr("no trusted key")));
}

TEST_F(SignatureTest, RefusesAShortenedSignature) {
    auto signature = sign_with("publisher");
    signature.pop_back();
    EXPECT_THAT(verify(data, std::vector<Bytes>{signature}, std::vector{mine}, "hello"),
                FailsWith(Code::Untrusted, HasSubstr("no trusted key")));
}

TEST_F(SignatureTest, SaysThatNothingIsSigned) {
    EXPECT_THAT(verify(data, {}, std::vector{mine}, "hello"), FailsWith(Code::Untrusted, HasSubstr("no signature")));
}

TEST_F(SignatureTest, SaysThatNoKeyIsTrusted) {
    EXPECT_THAT(verify(data, std::vector<Bytes>{sign_with("publisher")}, {}, "hello"),
                FailsWith(Code::Untrusted, HasSubstr("keys.d")));
}

TEST_F(SignatureTest, NamesTheTrustedKeysWhenAStrangerSigned) {
    EXPECT_THAT(verify(data, std::vector<Bytes>{sign_with("other")}, std::vector{mine}, "hello"),
                FailsWith(Code::Untrusted, HasSubstr("trusted here: publisher")));
}

TEST_F(SignatureTest, NamesTheKeyThatMayNotSignThisApp) {
    mine.apps = {"camera-*", "db"};
    const std::vector<Bytes> signatures{sign_with("publisher")};
    EXPECT_THAT(
        verify(data, signatures, std::vector{mine}, "hello"),
        FailsWith(Code::Untrusted, AllOf(HasSubstr("'publisher'"), HasSubstr("'hello'"), HasSubstr("camera-*, db"))));
    EXPECT_THAT(verify(data, signatures, std::vector{mine}, "camera-front"), Works());
    EXPECT_THAT(verify(data, signatures, std::vector{mine}, "my-camera-front"),
                FailsWith(Code::Untrusted, HasSubstr("may not sign")));
}

TEST_F(SignatureTest, SigningTwiceGivesTheSame64Bytes) {
    EXPECT_EQ(sign_with("publisher").size(), 64u);
    EXPECT_EQ(sign_with("publisher"), sign_with("publisher"));
}

TEST_F(SignatureTest, ThePublicFileHoldsThePublicHalfOfThePrivateOne) {
    EXPECT_EQ(must(SigningKey::read(dir / "publisher.key")).public_key(), mine.bytes);
    EXPECT_NE(mine.bytes, other.bytes);
}

TEST_F(SignatureTest, ThePrivateKeyIsForItsOwnerOnly) {
    EXPECT_EQ(status_of(dir / "publisher.key").st_mode & 07777, 0600u);
    EXPECT_THAT(read(dir / "publisher.key"), HasSubstr("BEGIN PRIVATE KEY"));
}

TEST_F(SignatureTest, AKeyIsNeverOverwritten) {
    const auto before = read(dir / "publisher.key");
    EXPECT_THAT(make_key_pair(dir / "publisher"), FailsWith(Code::AlreadyExists, HasSubstr("publisher.key")));
    std::filesystem::remove(dir / "publisher.key");
    EXPECT_THAT(make_key_pair(dir / "publisher"), FailsWith(Code::AlreadyExists, HasSubstr("publisher.pub")));
    EXPECT_FALSE(file::exists(dir / "publisher.key"));
}

TEST_F(SignatureTest, RefusesAPrivateKeyThatOthersCanRead) {
    std::filesystem::permissions(dir / "publisher.key", std::filesystem::perms(0640));
    EXPECT_THAT(SigningKey::read(dir / "publisher.key"),
                FailsWith(Code::Unauthorized, AllOf(HasSubstr("0640"), HasSubstr("chmod 600"))));
}

TEST_F(SignatureTest, RefusesAFileThatIsNoPrivateKey) {
    must(file::write_durably(dir / "bad.key", "hello\n", 0600));
    EXPECT_THAT(SigningKey::read(dir / "bad.key"), FailsWith(Code::InvalidInput, HasSubstr("bad.key")));
    EXPECT_THAT(SigningKey::read(dir / "absent.key"), FailsWith(Code::NotFound, HasSubstr("absent.key")));
}

TEST_F(SignatureTest, ReadsTheAppsThatAKeyMaySign) {
    const auto line = read(dir / "publisher.pub");
    EXPECT_THAT(mine.apps, ElementsAre("*"));
    write(dir / "limited.pub", "# made 2026\n\n" + line.substr(0, line.size() - 1) + " apps=db,camera-*\n");
    const auto key = must(read_public_key(dir / "limited.pub"));
    EXPECT_EQ(key.name, "limited");
    EXPECT_EQ(key.bytes, mine.bytes);
    EXPECT_THAT(key.apps, ElementsAre("db", "camera-*"));
}

class BadPublicKeyTest : public SignatureTest,
                         public testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(BadPublicKeyTest, IsRefusedWithPlaceAndReason) {
    const auto [text, reason] = GetParam();
    write(dir / "bad.pub", text);
    EXPECT_THAT(read_public_key(dir / "bad.pub"),
                FailsWith(Code::InvalidInput, AllOf(HasSubstr("bad.pub"), HasSubstr(reason))));
}

constexpr auto kGood = "ed25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
INSTANTIATE_TEST_SUITE_P(
    Forms, BadPublicKeyTest,
    testing::Values(std::pair("", "no key in it"), std::pair("# only a comment\n", "no key in it"),
                    std::pair("rsa AAAA\n", "line 1"), std::pair("\ned25519\n", "line 2"),
                    std::pair("ed25519 AAAA\n", "not 32 bytes"),
                    std::pair("ed25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n", "not 32 bytes"),
                    std::pair("ed25519 !AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "not 32 bytes"),
                    std::pair("ed25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= apps=\n", "names no app"),
                    std::pair("ed25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= app=x\n", "unknown 'app=x'"),
                    std::pair("ed25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\ned25519 "
                              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
                              "line 2: a second key")));

TEST_F(SignatureTest, LaterDirectoriesWinByName) {
    write(dir / "a/one.pub", kGood + std::string("\n"));
    write(dir / "a/two.pub", kGood + std::string("\n"));
    write(dir / "a/README", "not a key");
    write(dir / "b/two.pub", kGood + std::string(" apps=db\n"));
    const std::vector<Path> directories{dir / "a", dir / "absent", dir / "b"};
    const auto found = must(read_trusted_keys(directories));
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].name, "one");
    EXPECT_EQ(found[1].name, "two");
    EXPECT_THAT(found[1].apps, ElementsAre("db"));
    EXPECT_THAT(must(read_trusted_keys(std::vector{dir / "absent"})), IsEmpty());
}

TEST_F(SignatureTest, ABrokenKeyFileIsAnErrorNotAKeyLess) {
    write(keys / "broken.pub", "nonsense\n");
    EXPECT_THAT(read_trusted_keys(std::vector{keys}), FailsWith(Code::InvalidInput, HasSubstr("broken.pub")));
}

}  // namespace
}  // namespace davit
