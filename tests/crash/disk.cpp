// crash_disk: a FUSE file system with one file, `disk`, that a loop device can be put on. Writes down every write, with
// its data, and every flush, in the order in which they come; what is written to `mark` goes into the record between
// them. What is written to `control` makes requests fail with EIO: `fail write 17 once` the 17th write from now on,
// `fail write 17` that one and all after it.
//
//   crash_disk IMAGE RECORD MOUNTPOINT      serves until MOUNTPOINT is unmounted
//
// The record: {uint32 type, uint32 length, uint64 offset} and `length` bytes; type 1 write, 2 flush, 3 mark.

#define FUSE_USE_VERSION 31

#include <fcntl.h>
#include <fuse3/fuse.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace {

enum class Type : std::uint32_t { Write = 1, Flush = 2, Mark = 3 };

struct Header {
    Type type;
    std::uint32_t length;
    std::uint64_t offset;
};

/// Requests of one kind, until one fails.
struct Fault {
    long left = -1;  ///< -1: never
    bool once = false;
    bool comes() {
        if (left > 0) --left;
        if (left != 0) return false;
        if (once) left = -1;
        return true;
    }
};

int image = -1;
int record = -1;
Fault read_fault, write_fault;

int note(Type type, const char* data, std::size_t length, off_t offset) {
    const Header header{type, static_cast<std::uint32_t>(length), static_cast<std::uint64_t>(offset)};
    if (record < 0) return 0;
    if (::write(record, &header, sizeof header) != sizeof header) return -EIO;
    if (length > 0 && ::write(record, data, length) != static_cast<ssize_t>(length)) return -EIO;
    return 0;
}

bool is_disk(const char* path) {
    return std::strcmp(path, "/disk") == 0;
}

int get_attributes(const char* path, struct stat* out, fuse_file_info*) {
    std::memset(out, 0, sizeof *out);
    if (std::strcmp(path, "/") == 0) {
        out->st_mode = S_IFDIR | 0755;
        out->st_nlink = 2;
        return 0;
    }
    out->st_mode = S_IFREG | 0600;
    out->st_nlink = 1;
    if (!is_disk(path)) return std::strcmp(path, "/mark") == 0 || std::strcmp(path, "/control") == 0 ? 0 : -ENOENT;
    struct stat status{};
    if (::fstat(image, &status) != 0) return -errno;
    out->st_size = status.st_size;
    out->st_blocks = status.st_blocks;
    return 0;
}

int read_directory(const char*, void* out, fuse_fill_dir_t fill, off_t, fuse_file_info*, fuse_readdir_flags) {
    for (const auto* name : {".", "..", "disk", "mark", "control"})
        fill(out, name, nullptr, 0, fuse_fill_dir_flags{});
    return 0;
}

int read_disk(const char* path, char* out, std::size_t size, off_t offset, fuse_file_info*) {
    if (!is_disk(path)) return 0;
    if (read_fault.comes()) return -EIO;
    const auto done = ::pread(image, out, size, offset);
    return done < 0 ? -errno : static_cast<int>(done);
}

int order(std::string_view text) {
    char kind[8] = {};
    char once[8] = {};
    long number = 0;
    if (std::sscanf(std::string(text).c_str(), "fail %7s %ld %7s", kind, &number, once) < 2) return -EINVAL;
    auto& fault = std::strcmp(kind, "read") == 0 ? read_fault : write_fault;
    fault = {.left = number, .once = std::strcmp(once, "once") == 0};
    return 0;
}

int write_something(const char* path, const char* data, std::size_t size, off_t offset, fuse_file_info*) {
    const auto length = static_cast<int>(size);
    if (!is_disk(path)) {
        const bool is_mark = std::strcmp(path, "/mark") == 0;
        const int done = is_mark ? note(Type::Mark, data, size, 0) : order({data, size});
        return done < 0 ? done : length;
    }
    if (write_fault.comes()) return -EIO;
    if (::pwrite(image, data, size, offset) != static_cast<ssize_t>(size)) return -EIO;
    const int done = note(Type::Write, data, size, offset);
    return done < 0 ? done : length;
}

int flush_disk(const char* path, int, fuse_file_info*) {
    if (!is_disk(path)) return 0;
    if (write_fault.left == 0) return -EIO;
    return note(Type::Flush, nullptr, 0, 0);
}

int open_something(const char* path, fuse_file_info* file) {
    file->direct_io = !is_disk(path);  // marks come at once, whatever size the file seems to have
    return 0;
}

int truncate_something(const char*, off_t, fuse_file_info*) {
    return 0;
}

}  // namespace

int main(int, char** argv) {
    image = ::open(argv[1], O_RDWR | O_CLOEXEC);
    if (image < 0) return EXIT_FAILURE;
    if (*argv[2] != '\0') {
        record = ::open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (record < 0) return EXIT_FAILURE;
    }
    fuse_operations operations{};
    operations.getattr = get_attributes;
    operations.readdir = read_directory;
    operations.open = open_something;
    operations.read = read_disk;
    operations.write = write_something;
    operations.truncate = truncate_something;
    operations.fsync = flush_disk;
    // In one thread: the order of the record is the order of the disk.
    std::string words[] = {argv[0], "-s", "-f", "-o", "allow_other", argv[3]};
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(),
                         words[3].data(), words[4].data(), words[5].data()};
    return fuse_main(6, arguments, &operations, nullptr);
}
