// Preloaded into the driver and its children: stands between them and the C library's calls that change files.
//
// Counts the calls that touch something below the device's state directory, and can make one of them fail, kill the
// process that stands for davitd at it, or do it in a wrong order. Nothing of this is in the product.

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/crash/control.h"

namespace {

using davit::crash::Control;

Control* control = nullptr;

void attach(const char* file) {
    const int fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0));
    if (fd < 0) return;
    void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    if (page != MAP_FAILED) control = static_cast<Control*>(page);
}

__attribute__((constructor)) void attach_child() {
    if (const char* file = ::getenv(davit::crash::kControlVariable)) attach(file);
}

/// The C library's own.
template <typename F>
F* real(const char* name, F* /*like*/) {
    return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

struct Text {
    char text[PATH_MAX + 64] = {};
};

bool is_ours(const char* path) {
    const auto length = std::strlen(control->state);
    return length > 0 && std::strncmp(path, control->state, length) == 0 &&
           (path[length] == '/' || path[length] == '\0');
}

Text path_of(int fd) {
    Text link;
    Text path;
    std::snprintf(link.text, sizeof link.text, "/proc/self/fd/%d", fd);
    const auto size = ::readlink(link.text, path.text, PATH_MAX);
    if (size <= 0) path.text[0] = '\0';
    return path;
}

Text path_at(int directory, const char* name) {
    Text path;
    if (name[0] == '/') {
        std::snprintf(path.text, sizeof path.text, "%s", name);
        return path;
    }
    if (directory != AT_FDCWD) path = path_of(directory);
    const auto length = std::strlen(path.text);
    std::snprintf(path.text + length, sizeof path.text - length, "/%s", name);
    return path;
}

bool is_journal(const char* path) {
    const auto length = std::strlen(path);
    return length > 4 && std::strcmp(path + length - 4, "-wal") == 0;
}

[[noreturn]] void end_of_davitd() {
    ::kill(control->driver, SIGKILL);
    ::kill(::getpid(), SIGKILL);  // a child: it dies with its parent
    for (;;)
        ::pause();
}

/// One call that changes something. @return whether it is to fail; errno says how
bool fails(const char* path) {
    if (!control || !is_ours(path)) return false;
    const auto number = ++control->operations;
    if (number == control->kill_at_operation) end_of_davitd();
    const auto at = control->fail_at_operation.load();
    if (at == 0 || (control->lasting ? number < at : number != at)) return false;
    errno = control->error;
    return true;
}
bool fails(int fd) {
    return control && fails(path_of(fd).text);
}
bool fails(int directory, const char* name) {
    return control && fails(path_at(directory, name).text);
}

bool write_fails(int fd) {
    if (!control) return false;
    const auto path = path_of(fd);
    if (!is_ours(path.text)) return false;
    if (is_journal(path.text)) {
        ++control->journal_writes;
        const auto after = control->kill_before_journal_write.load();
        if (after > 0 && control->journal_syncs >= after) end_of_davitd();
    }
    return fails(path.text);
}

template <typename Sync>
int sync(int fd, Sync* really) {
    if (!control) return really(fd);
    const auto path = path_of(fd);
    if (fails(path.text)) return -1;
    if (!is_ours(path.text)) return really(fd);
    struct stat status{};
    if (control->no_directory_sync && ::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) return 0;
    const int done = really(fd);
    if (is_journal(path.text) && ++control->journal_syncs == control->kill_at_journal_sync) end_of_davitd();
    return done;
}

bool changes(int flags) {
    return (flags & (O_CREAT | O_TRUNC)) != 0 || (flags & O_TMPFILE) == O_TMPFILE || (flags & O_ACCMODE) != O_RDONLY;
}

/// What is renamed over an existing link, the careless way.
void remove_first(Text to) {
    struct stat status{};
    if (!is_ours(to.text) || ::lstat(to.text, &status) != 0 || !S_ISLNK(status.st_mode)) return;
    ::syscall(SYS_unlinkat, AT_FDCWD, to.text, 0);
    // A careless updater need not sync here for the disk to do so at that moment: it does every few seconds.
    *std::strrchr(to.text, '/') = '\0';
    const int directory = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, to.text, O_RDONLY | O_CLOEXEC, 0));
    ::syscall(SYS_fsync, directory);
    ::close(directory);
}

}  // namespace

#define REAL(name) static auto* const really = real(#name, &name)

extern "C" {

__attribute__((visibility("default"))) void davit_crash_attach(const char* file) {
    attach(file);
}

#define OPEN(name, first, path_first)                                  \
    int name first {                                                   \
        REAL(name);                                                    \
        va_list more;                                                  \
        va_start(more, flags);                                         \
        const auto mode = static_cast<mode_t>(va_arg(more, unsigned)); \
        va_end(more);                                                  \
        if (changes(flags) && fails path_first) return -1;             \
        return really OPEN_ARGUMENTS;                                  \
    }

#define OPEN_ARGUMENTS (path, flags, mode)
OPEN(open, (const char* path, int flags, ...), (AT_FDCWD, path))
OPEN(open64, (const char* path, int flags, ...), (AT_FDCWD, path))
#undef OPEN_ARGUMENTS
#define OPEN_ARGUMENTS (directory, path, flags, mode)
OPEN(openat, (int directory, const char* path, int flags, ...), (directory, path))
OPEN(openat64, (int directory, const char* path, int flags, ...), (directory, path))
#undef OPEN_ARGUMENTS

#define PASS_ON(type, name, parameters, arguments, failing) \
    type name parameters {                                  \
        REAL(name);                                         \
        if (failing) return -1;                             \
        return really arguments;                            \
    }

PASS_ON(int, mkostemp, (char* path, int flags), (path, flags), fails(AT_FDCWD, path))
PASS_ON(ssize_t, write, (int fd, const void* data, size_t size), (fd, data, size), write_fails(fd))
PASS_ON(ssize_t, writev, (int fd, const iovec* parts, int count), (fd, parts, count), write_fails(fd))
PASS_ON(ssize_t, pwrite, (int fd, const void* data, size_t size, off_t at), (fd, data, size, at), write_fails(fd))
PASS_ON(ssize_t, pwrite64, (int fd, const void* data, size_t size, off64_t at), (fd, data, size, at), write_fails(fd))
PASS_ON(int, ftruncate, (int fd, off_t size) noexcept, (fd, size), fails(fd))
PASS_ON(int, ftruncate64, (int fd, off64_t size) noexcept, (fd, size), fails(fd))
PASS_ON(int, fchmod, (int fd, mode_t mode) noexcept, (fd, mode), fails(fd))
PASS_ON(int, fchown, (int fd, uid_t user, gid_t group) noexcept, (fd, user, group), fails(fd))
PASS_ON(int, mkdir, (const char* path, mode_t mode) noexcept, (path, mode), fails(AT_FDCWD, path))
PASS_ON(int, mkdirat, (int at, const char* path, mode_t mode) noexcept, (at, path, mode), fails(at, path))
PASS_ON(int, symlink, (const char* target, const char* path) noexcept, (target, path), fails(AT_FDCWD, path))
PASS_ON(int, symlinkat, (const char* target, int at, const char* path) noexcept, (target, at, path), fails(at, path))
PASS_ON(int, link, (const char* from, const char* to) noexcept, (from, to), fails(AT_FDCWD, to))
PASS_ON(int, linkat, (int at, const char* from, int to_at, const char* to, int flags) noexcept,
        (at, from, to_at, to, flags), fails(to_at, to))
PASS_ON(int, unlink, (const char* path) noexcept, (path), fails(AT_FDCWD, path))
PASS_ON(int, unlinkat, (int at, const char* path, int flags) noexcept, (at, path, flags), fails(at, path))
PASS_ON(int, rmdir, (const char* path) noexcept, (path), fails(AT_FDCWD, path))

int rename(const char* from, const char* to) noexcept {
    REAL(rename);
    if (fails(AT_FDCWD, to)) return -1;
    if (control && control->unlink_first) remove_first(path_at(AT_FDCWD, to));
    return really(from, to);
}

PASS_ON(int, renameat, (int at, const char* from, int to_at, const char* to) noexcept, (at, from, to_at, to),
        fails(to_at, to))
PASS_ON(int, renameat2, (int at, const char* from, int to_at, const char* to, unsigned flags) noexcept,
        (at, from, to_at, to, flags), fails(to_at, to))

int fsync(int fd) {
    REAL(fsync);
    return sync(fd, really);
}

int fdatasync(int fd) {
    REAL(fdatasync);
    return sync(fd, really);
}

int syncfs(int fd) noexcept {
    REAL(syncfs);
    if (fails(fd)) return -1;
    if (control && (control->no_syncfs || (control->no_syncfs_in_davitd && control->driver == ::getpid()))) return 0;
    return really(fd);
}

}  // extern "C"
