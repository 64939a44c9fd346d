#pragma once
/// Ed25519 keys and signatures over commits, with OpenSSL (distributions build libostree without its own engine).
///
/// The format is upstream's: detached metadata `ostree.sign.ed25519` (aay), each element 64 bytes over the raw bytes of
/// the commit object, so that `ostree sign` can read and write it. Source: reference on OSTree §4 (measured).

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/file.h"
#include "common/result.h"

namespace davit {

using PublicKeyBytes = std::array<std::uint8_t, 32>;
using Bytes = std::vector<std::uint8_t>;

/// A key that this device trusts, and for which apps.
struct TrustedKey {
    std::string name;  ///< the file's name without ".pub"
    PublicKeyBytes bytes{};
    std::vector<std::string> apps;  ///< globs over app names ("*", "camera-*"); never empty
};

/// Reads one public key file: a line `ed25519 <base64> [apps=glob,glob]`; empty lines and lines that start with '#' are
/// skipped. Errors: InvalidInput naming file, line and what was expected.
Result<TrustedKey> read_public_key(const Path& file);

/// All `*.pub` of the directories, later directories win by name. Absent directories are empty.
Result<std::vector<TrustedKey>> read_trusted_keys(std::span<const Path> directories);

/// Makes a key pair: `<base>.key` (PKCS#8 PEM, mode 0600) and `<base>.pub`. Refuses to overwrite either.
Result<void> make_key_pair(const Path& base);

class SigningKey {
public:
    /// Errors: NotFound, InvalidInput (not an Ed25519 key), Unauthorized if the file can be read by others.
    static Result<SigningKey> read(const Path& pem_file);
    [[nodiscard]] Result<Bytes> sign(std::span<const std::uint8_t> data) const;
    [[nodiscard]] PublicKeyBytes public_key() const;

private:
    struct Key;
    std::shared_ptr<const Key> key_;
};

/// The name of the first key that is allowed for @p app and made one of @p signatures over @p data.
/// Errors: Untrusted, saying which of: no signature at all; signed by no trusted key; signed by key 'x', which may not
/// sign app 'y'; no trusted keys.
Result<std::string> verify(std::span<const std::uint8_t> data, std::span<const Bytes> signatures,
                           std::span<const TrustedKey> keys, std::string_view app);

}  // namespace davit
