#include <array>
#include <format>

#include "ostree/handle.h"

namespace davit::ostree {
namespace {

struct Phrase {
    std::string_view words;
    Code code;
};

// libostree 2023.7 to 2026.4; each phrase was seen in a measured fault or read in its source (ostree-repo-commit.c,
// ostree-core.c, ostree-fetcher-curl.c). The first match counts.
constexpr std::array kPhrases{
    Phrase{"min-free-space", Code::NoSpace},
    Phrase{"No space left on device", Code::NoSpace},
    Phrase{"Disk quota exceeded", Code::NoSpace},
    Phrase{"in ref binding metadata", Code::Untrusted},
    Phrase{"missing ref binding", Code::Untrusted},
    Phrase{"Server returned HTTP 401", Code::Unauthorized},
    // Metadata objects of zeroes, left by a power cut: the checksums in them have no bytes. What a server sends damaged
    // is caught earlier, as "Corrupted … object", and is worth another try.
    Phrase{"Invalid checksum of length", Code::Corrupt},
    Phrase{"Invalid commit tree", Code::Corrupt},
    Phrase{"Validating commit", Code::Corrupt},
    // From a sync: the kernel forgets that what it could not write is not on the disk, and shows it from memory until
    // the next boot.
    Phrase{"Input/output error", Code::Corrupt},
    Phrase{"No such branch", Code::NotFound},
    Phrase{"Invalid ref name", Code::InvalidInput},
    Phrase{"Invalid refspec", Code::InvalidInput},
    Phrase{"Invalid rev", Code::InvalidInput},
};

}  // namespace

Error classify(const GlibError& error, std::string_view what, Code otherwise) {
    const GError* e = error.get();
    if (!e) return Error{Code::Defect, std::format("{}: libostree failed without saying why", what)};
    const std::string_view words = e->message ? e->message : "";
    Error plain{otherwise, std::format("{}: {}", what, words)};
    for (const auto& phrase : kPhrases)
        if (words.find(phrase.words) != std::string_view::npos) return Error{phrase.code, plain.message};
    if (g_error_matches(e, G_IO_ERROR, G_IO_ERROR_NO_SPACE)) return Error{Code::NoSpace, plain.message};
    if (g_error_matches(e, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) return Error{Code::NotFound, plain.message};
    return plain;
}

}  // namespace davit::ostree
