#include "common/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <format>

#include "common/fd.h"

namespace davit::file {

namespace {

std::unexpected<Error> cannot(std::string_view verb, const Path& path, int error_number = errno) {
    return fail(system_error(std::format("cannot {} '{}'", verb, path.string()), error_number));
}

Path directory_of(const Path& path) {
    const auto parent = path.parent_path();
    return parent.empty() ? Path(".") : parent;
}

Result<Fd> open_directory(const Path& directory) {
    Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return cannot("open directory", directory);
    return fd;
}

Result<void> write_all(int fd, std::string_view content, const Path& path) {
    while (!content.empty()) {
        const ssize_t n = ::write(fd, content.data(), content.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cannot("write", path);
        content.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

/// A temporary name beside its target; gone unless it was renamed. ".tmp-" is what start-up sweeps away after a crash.
class Temporary {
public:
    static Result<Temporary> create(const Path& target) {
        std::string name = (directory_of(target) / (".tmp-" + target.filename().string() + "-XXXXXX")).string();
        Fd fd(::mkostemp(name.data(), O_CLOEXEC));
        if (!fd) return cannot("create a temporary file for", target);
        return Temporary(std::move(fd), std::move(name));
    }
    Temporary(Temporary&& other) noexcept : fd_(std::move(other.fd_)), name_(std::exchange(other.name_, {})) {}
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;
    Temporary& operator=(Temporary&&) = delete;
    ~Temporary() {
        if (!name_.empty()) ::unlink(name_.c_str());
    }

    [[nodiscard]] int fd() const { return fd_.get(); }
    Result<void> become(const Path& target) {
        TRY(file::rename(name_, target));
        name_.clear();
        return {};
    }

private:
    Temporary(Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
    Fd fd_;
    std::string name_;
};

enum class Sync { No, Yes };

Result<void> replace(const Path& path, std::string_view content, unsigned mode, Sync sync) {
    auto temporary = TRY(Temporary::create(path));
    if (::fchmod(temporary.fd(), mode) != 0) return cannot("set the mode of", path);
    TRY(write_all(temporary.fd(), content, path));
    if (sync == Sync::Yes && ::fsync(temporary.fd()) != 0) return cannot("sync", path);
    TRY(temporary.become(path));
    return sync == Sync::Yes ? sync_directory(directory_of(path)) : Result<void>{};
}

}  // namespace

Result<std::string> read(const Path& path, std::size_t limit) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return cannot("open", path);
    std::string content;
    std::array<char, 16384> chunk;
    while (true) {  // to its end, not to st_size: files of /proc and /sys say 0
        const ssize_t n = ::read(fd.get(), chunk.data(), chunk.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cannot("read", path);
        if (n == 0) return content;
        content.append(chunk.data(), static_cast<std::size_t>(n));
        if (content.size() > limit)
            return fail(Code::InvalidInput, std::format("'{}' is larger than {} bytes", path.string(), limit));
    }
}

Result<void> write_durably(const Path& path, std::string_view content, unsigned mode) {
    return replace(path, content, mode, Sync::Yes);
}

Result<void> write_atomically(const Path& path, std::string_view content, unsigned mode) {
    return replace(path, content, mode, Sync::No);
}

Result<void> make_directories(const Path& path, unsigned mode) {
    Path made;
    for (const auto& component : path) {
        made /= component;
        if (component.empty() || component == "/") continue;
        if (::mkdir(made.c_str(), mode) == 0) {
            if (::chmod(made.c_str(), mode) != 0) return cannot("set the mode of", made);  // whatever the umask says
            continue;
        }
        if (errno != EEXIST) return cannot("create directory", made);
        struct stat status{};
        if (::stat(made.c_str(), &status) != 0) return cannot("create directory", made);
        if (!S_ISDIR(status.st_mode)) return cannot("create directory", made, ENOTDIR);
    }
    return {};
}

Result<void> symlink(const Path& target, const Path& link) {
    if (::symlink(target.c_str(), link.c_str()) != 0) return cannot("create link", link);
    return {};
}

Result<std::optional<Path>> read_link(const Path& link) {
    std::string target(PATH_MAX, '\0');
    const ssize_t n = ::readlink(link.c_str(), target.data(), target.size());
    if (n < 0 && errno == ENOENT) return std::nullopt;
    if (n < 0) return cannot("read link", link);
    target.resize(static_cast<std::size_t>(n));
    return Path(target);
}

Result<void> rename(const Path& from, const Path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) return cannot(std::format("rename '{}' to", from.string()), to);
    return {};
}

Result<void> remove_if_there(const Path& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return cannot("remove", path);
    return {};
}

Result<void> remove_tree(const Path& path) {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return cannot("remove", path, error.value());
    return {};
}

bool exists(const Path& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0;
}

Result<std::vector<std::string>> list(const Path& directory) {
    std::vector<std::string> names;
    std::error_code error;
    auto entry = std::filesystem::directory_iterator(directory, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
        names.push_back(entry->path().filename());
    if (error == std::errc::no_such_file_or_directory) return std::vector<std::string>{};
    if (error) return cannot("list", directory, error.value());
    std::ranges::sort(names);
    return names;
}

Result<void> sync_directory(const Path& directory) {
    const auto fd = TRY(open_directory(directory));
    if (::fsync(fd.get()) != 0) return cannot("sync directory", directory);
    return {};
}

Result<void> sync_filesystem(const Path& directory) {
    const auto fd = TRY(open_directory(directory));
    if (::syncfs(fd.get()) != 0) return cannot("sync the file system of", directory);
    return {};
}

Result<std::uint64_t> free_bytes(const Path& directory) {
    struct statvfs status{};
    if (::statvfs(directory.c_str(), &status) != 0) return cannot("ask for the free space of", directory);
    return std::uint64_t{status.f_bfree} * status.f_frsize;
}

}  // namespace davit::file
