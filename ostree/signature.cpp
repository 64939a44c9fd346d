#include "ostree/signature.h"

#include <fnmatch.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <algorithm>
#include <format>
#include <map>
#include <optional>
#include <ranges>

namespace davit {
namespace {

struct FreePkey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct FreeBio {
    void operator()(BIO* bio) const { BIO_free(bio); }
};
using Pkey = std::unique_ptr<EVP_PKEY, FreePkey>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeContext>;
using Bio = std::unique_ptr<BIO, FreeBio>;

constexpr std::size_t kSignatureSize = 64;

std::string openssl_reason() {
    const char* reason = ERR_reason_error_string(ERR_get_error());
    ERR_clear_error();
    return reason ? reason : "unknown OpenSSL error";
}

// Strict: exactly the 44 characters of 32 bytes. EVP_DecodeBlock leaves the padding in as zero bytes.
std::optional<PublicKeyBytes> decode_public_key(std::string_view base64) {
    if (base64.size() != 44 || base64.back() != '=' || base64[42] == '=') return std::nullopt;
    std::array<unsigned char, 33> decoded{};
    const auto* text = reinterpret_cast<const unsigned char*>(base64.data());
    if (EVP_DecodeBlock(decoded.data(), text, 44) != 33) return std::nullopt;
    PublicKeyBytes bytes{};
    std::copy_n(decoded.begin(), bytes.size(), bytes.begin());
    return bytes;
}

std::string encode_base64(std::span<const std::uint8_t> bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    const int size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

std::vector<std::string> split(std::string_view text, std::string_view separators) {
    std::vector<std::string> parts;
    while (true) {
        const auto begin = text.find_first_not_of(separators);
        if (begin == std::string_view::npos) return parts;
        text.remove_prefix(begin);
        const auto size = std::min(text.find_first_of(separators), text.size());
        parts.emplace_back(text.substr(0, size));
        text.remove_prefix(size);
    }
}

Result<TrustedKey> parse_key_line(const std::vector<std::string>& words, const std::string& place) {
    constexpr auto kExpected = "expected 'ed25519 <32 bytes in base64> [apps=glob,glob]'";
    if (words.size() < 2 || words.size() > 3 || words[0] != "ed25519")
        return fail(Code::InvalidInput, std::format("{}: {}", place, kExpected));
    TrustedKey key;
    const auto bytes = decode_public_key(words[1]);
    if (!bytes)
        return fail(Code::InvalidInput, std::format("{}: the key is not 32 bytes in base64; {}", place, kExpected));
    key.bytes = *bytes;
    key.apps = {"*"};
    if (words.size() == 2) return key;
    if (!words[2].starts_with("apps="))
        return fail(Code::InvalidInput, std::format("{}: unknown '{}'; {}", place, words[2], kExpected));
    key.apps = split(std::string_view(words[2]).substr(5), ",");
    if (key.apps.empty())
        return fail(Code::InvalidInput, std::format("{}: 'apps=' names no app; leave it out to allow all", place));
    return key;
}

bool may_sign(const TrustedKey& key, std::string_view app) {
    const std::string name(app);
    return std::ranges::any_of(key.apps,
                               [&](const std::string& glob) { return fnmatch(glob.c_str(), name.c_str(), 0) == 0; });
}

bool is_signature(std::span<const std::uint8_t> data, const Bytes& signature, const PublicKeyBytes& key) {
    if (signature.size() != kSignatureSize) return false;
    const Pkey pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
    const DigestContext context(EVP_MD_CTX_new());
    const bool good =
        pkey && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
        EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(), data.size()) == 1;
    ERR_clear_error();
    return good;
}

std::string join(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words)
        text += (text.empty() ? "" : ", ") + word;
    return text;
}

Result<PublicKeyBytes> raw_public_key(const EVP_PKEY* key) {
    PublicKeyBytes bytes{};
    std::size_t size = bytes.size();
    if (EVP_PKEY_get_raw_public_key(key, bytes.data(), &size) != 1 || size != bytes.size())
        return fail(Code::System, "cannot read the public half of an Ed25519 key: " + openssl_reason());
    return bytes;
}

// PKCS#8, unencrypted: a build server signs without a person. The file's mode protects it.
Result<std::string> to_pem(const EVP_PKEY* key) {
    const Bio bio(BIO_new(BIO_s_secmem()));
    if (!bio || PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
        return fail(Code::System, "cannot encode the private key: " + openssl_reason());
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return std::string(data, static_cast<std::size_t>(size));
}

}  // namespace

Result<TrustedKey> read_public_key(const Path& file) {
    const auto text = TRY(file::read(file, 64u << 10));
    std::optional<TrustedKey> key;
    int number = 0;
    for (const auto part : std::views::split(std::string_view(text), '\n')) {
        ++number;
        const auto words = split(std::string_view(part), " \t\r");
        if (words.empty() || words[0].starts_with('#')) continue;
        const auto place = std::format("{}: line {}", file.string(), number);
        if (key) return fail(Code::InvalidInput, place + ": a second key; expected one key a file");
        key = TRY(parse_key_line(words, place));
        key->name = file.stem().string();
    }
    if (!key)
        return fail(Code::InvalidInput,
                    file.string() + ": no key in it; expected 'ed25519 <32 bytes in base64> [apps=glob,glob]'");
    return *key;
}

Result<std::vector<TrustedKey>> read_trusted_keys(std::span<const Path> directories) {
    std::map<std::string, TrustedKey> by_name;
    for (const auto& directory : directories) {
        for (const auto& name : TRY(file::list(directory))) {
            if (!name.ends_with(".pub")) continue;
            auto key = TRY(read_public_key(directory / name));
            by_name.insert_or_assign(key.name, std::move(key));
        }
    }
    std::vector<TrustedKey> keys;
    for (auto& [name, key] : by_name)
        keys.push_back(std::move(key));
    return keys;
}

Result<void> make_key_pair(const Path& base) {
    const Path private_file = base.string() + ".key";
    const Path public_file = base.string() + ".pub";
    for (const auto& file : {private_file, public_file})
        if (file::exists(file))
            return fail(Code::AlreadyExists, std::format("'{}' exists; a key is never overwritten", file.string()));

    const Pkey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    if (!key) return fail(Code::System, "cannot make an Ed25519 key: " + openssl_reason());
    const auto public_bytes = TRY(raw_public_key(key.get()));
    auto pem = TRY(to_pem(key.get()));
    const auto written = file::write_durably(private_file, pem, 0600);
    OPENSSL_cleanse(pem.data(), pem.size());
    if (!written) return written;
    return file::write_durably(public_file, std::format("ed25519 {}\n", encode_base64(public_bytes)), 0644);
}

struct SigningKey::Key {
    Pkey pkey;
    PublicKeyBytes public_bytes{};
};

Result<SigningKey> SigningKey::read(const Path& pem_file) {
    struct stat status{};
    if (stat(pem_file.c_str(), &status) != 0)
        return fail(system_error(std::format("cannot read the signing key '{}'", pem_file.string()), errno));
    if ((status.st_mode & 077) != 0)
        return fail(Code::Unauthorized,
                    std::format("the signing key '{0}' can be read by others (mode {1:04o}); run: chmod 600 '{0}'",
                                pem_file.string(), status.st_mode & 07777));
    auto pem = TRY(file::read(pem_file, 64u << 10));
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    // Never ask on the terminal for a pass phrase: an encrypted key is simply not one we can use.
    const auto no_pass_phrase = [](char*, int, int, void*) { return -1; };
    auto key = std::make_shared<Key>();
    key->pkey.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr));
    OPENSSL_cleanse(pem.data(), pem.size());
    ERR_clear_error();
    if (!key->pkey || EVP_PKEY_get_id(key->pkey.get()) != EVP_PKEY_ED25519)
        return fail(
            Code::InvalidInput,
            std::format("'{}' is not an unencrypted Ed25519 private key in PEM form ('davit key new' makes one)",
                        pem_file.string()));
    key->public_bytes = TRY(raw_public_key(key->pkey.get()));
    SigningKey result;
    result.key_ = std::move(key);
    return result;
}

Result<Bytes> SigningKey::sign(std::span<const std::uint8_t> data) const {
    const DigestContext context(EVP_MD_CTX_new());
    Bytes signature(kSignatureSize);
    std::size_t size = signature.size();
    if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_->pkey.get()) != 1 ||
        EVP_DigestSign(context.get(), signature.data(), &size, data.data(), data.size()) != 1 || size != kSignatureSize)
        return fail(Code::System, "cannot sign: " + openssl_reason());
    return signature;
}

PublicKeyBytes SigningKey::public_key() const {
    return key_->public_bytes;
}

Result<std::string> verify(std::span<const std::uint8_t> data, std::span<const Bytes> signatures,
                           std::span<const TrustedKey> keys, std::string_view app) {
    if (keys.empty())
        return fail(Code::Untrusted,
                    "no key is trusted on this device: put the publisher's *.pub file into a keys.d directory");
    if (signatures.empty()) return fail(Code::Untrusted, "it carries no signature");
    const TrustedKey* not_allowed = nullptr;
    for (const auto& key : keys) {
        const bool signed_by_it = std::ranges::any_of(
            signatures, [&](const Bytes& signature) { return is_signature(data, signature, key.bytes); });
        if (signed_by_it && may_sign(key, app)) return key.name;
        if (signed_by_it) not_allowed = &key;
    }
    if (not_allowed)
        return fail(Code::Untrusted,
                    std::format("it is signed by key '{}', which may not sign app '{}' (it may sign: {})",
                                not_allowed->name, app, join(not_allowed->apps)));
    std::vector<std::string> names;
    for (const auto& key : keys)
        names.push_back(key.name);
    return fail(Code::Untrusted, std::format("it is signed by no trusted key (trusted here: {})", join(names)));
}

}  // namespace davit
