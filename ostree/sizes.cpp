// How big a commit's files are, inside the commit, so that a device knows what is missing before it fetches anything.
//
// libostree has this too (`ostree.sizes`, 43 bytes per object), but every update carries all of it: 13 kB for a bundle
// of 300 files, 215 kB for one of 5,000. And it holds compressed sizes, so the commit's id would depend on the zlib of
// the build machine. Ours, `davit.sizes`, takes about 6 bytes per file: the first three bytes of the checksum and the
// size as LEB128, ascending. Three bytes are enough to recognise an object among a device's own (of 16,000 it takes one
// in a thousand for one that it has): this is an estimate of disk space, nothing is trusted because of it.

#include <algorithm>
#include <format>
#include <map>
#include <set>

#include "ostree/handle.h"

namespace davit::ostree {
namespace {

constexpr std::size_t kPrefixDigits = 6;

using Sizes = std::map<std::string, std::uint64_t>;  // the checksum's first digits, bytes

Result<void> collect(GFile* directory, Sizes& sizes) {
    GlibError error;
    const Object<GFileEnumerator> children(
        g_file_enumerate_children(directory, "standard::name,standard::type,standard::size",
                                  G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, nullptr, error));
    if (!children) return fail(classify(error, "cannot list what was committed", Code::System));
    while (true) {
        GFileInfo* info = nullptr;
        GFile* child = nullptr;
        if (!g_file_enumerator_iterate(children.get(), &info, &child, nullptr, error))
            return fail(classify(error, "cannot list what was committed", Code::System));
        if (!info) return {};
        const auto type = g_file_info_get_file_type(info);
        if (type == G_FILE_TYPE_DIRECTORY) TRY(collect(child, sizes));
        if (type != G_FILE_TYPE_REGULAR) continue;
        const std::string_view checksum = ostree_repo_file_get_checksum(OSTREE_REPO_FILE(child));
        sizes.emplace(checksum.substr(0, kPrefixDigits), static_cast<std::uint64_t>(g_file_info_get_size(info)));
    }
}

void append_number(Bytes& out, std::uint64_t number) {
    for (; number >= 0x80; number >>= 7)
        out.push_back(static_cast<std::uint8_t>(number | 0x80));
    out.push_back(static_cast<std::uint8_t>(number));
}

Bytes encode(const Sizes& sizes) {
    Bytes out;
    for (const auto& [prefix, size] : sizes) {
        for (std::size_t i = 0; i < kPrefixDigits; i += 2)
            out.push_back(static_cast<std::uint8_t>(std::stoul(prefix.substr(i, 2), nullptr, 16)));
        append_number(out, size);
    }
    return out;
}

std::optional<std::uint64_t> take_number(std::span<const std::uint8_t>& in) {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 63 && !in.empty(); shift += 7) {
        const std::uint8_t byte = in.front();
        in = in.subspan(1);
        number |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) return number;
    }
    return std::nullopt;
}

std::optional<Sizes> decode(std::span<const std::uint8_t> in) {
    Sizes sizes;
    while (!in.empty()) {
        if (in.size() < kPrefixDigits / 2) return std::nullopt;
        std::string prefix;
        for (const auto byte : in.first(kPrefixDigits / 2))
            prefix += std::format("{:02x}", byte);
        in = in.subspan(kPrefixDigits / 2);
        const auto size = take_number(in);
        if (!size) return std::nullopt;
        sizes[prefix] = *size;
    }
    return sizes;
}

// The first digits of every content object here, read a directory at a time as it is needed.
class Present {
public:
    explicit Present(Path objects) : objects_(std::move(objects)) {}

    Result<bool> contains(const std::string& prefix) {
        const auto folder = prefix.substr(0, 2);
        if (!read_.contains(folder)) TRY(read(folder));
        return here_.contains(prefix);
    }

private:
    Result<void> read(const std::string& folder) {
        for (const auto& name : TRY(file::list(objects_ / folder)))
            if (name.ends_with(".file") || name.ends_with(".filez"))
                here_.insert(folder + name.substr(0, kPrefixDigits - 2));
        read_.insert(folder);
        return {};
    }

    Path objects_;
    std::set<std::string> read_, here_;
};

std::uint64_t on_disk(std::uint64_t size) {
    constexpr std::uint64_t kBlock = 4096;
    return (size + kBlock - 1) / kBlock * kBlock;
}

}  // namespace

Result<Variant> sizes_metadata(GFile* root) {
    Sizes sizes;
    TRY(collect(root, sizes));
    const auto bytes = encode(sizes);
    return Variant(g_variant_ref_sink(g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, bytes.data(), bytes.size(), 1)));
}

Result<Cost> Repository::cost(std::string_view commit) const {
    const auto loaded = TRY(load_commit(handle_->get(), commit));
    const Variant metadata(g_variant_get_child_value(loaded.variant.get(), 0));
    const Variant value(g_variant_lookup_value(metadata.get(), kSizesKey, G_VARIANT_TYPE_BYTESTRING));
    if (!value) return Cost{};
    const auto sizes =
        decode({static_cast<const std::uint8_t*>(g_variant_get_data(value.get())), g_variant_get_size(value.get())});
    if (!sizes)
        return fail(Code::InvalidInput, std::format("commit {}: its metadata '{}' is malformed", commit, kSizesKey));
    Cost cost{.known = true};
    Present present(handle_->path / "objects");
    for (const auto& [prefix, size] : *sizes) {
        if (TRY(present.contains(prefix))) continue;
        cost.missing_bytes += on_disk(size);
        cost.missing_wire += size;
        ++cost.missing_objects;
    }
    return cost;
}

}  // namespace davit::ostree
