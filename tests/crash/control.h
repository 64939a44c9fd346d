#pragma once
/// What the driver and its preloaded shim (shim.cpp) share: counters of what was done to the files of the device, and
/// orders to make one of these calls fail, or the last one of davitd's life. One page of memory, mapped by the driver
/// and by its children, all zero at first.

#include <atomic>
#include <cstdint>

namespace davit::crash {

struct Control {
    // Counted by the shim.
    std::atomic<std::uint64_t> operations;      ///< calls that change something below `state` (see shim.cpp)
    std::atomic<std::uint64_t> journal_writes;  ///< of them: writes to the journal's log
    std::atomic<std::uint64_t> journal_syncs;   ///< and its syncs: one for each thing that the journal persists

    // Ordered by the driver, before it goes on.
    std::atomic<std::uint64_t> kill_at_operation;          ///< just before the n-th; 0: never
    std::atomic<std::uint64_t> kill_at_journal_sync;       ///< just after the n-th
    std::atomic<std::uint64_t> kill_before_journal_write;  ///< the next after the n-th sync
    std::atomic<std::uint64_t> fail_at_operation;          ///< the n-th
    std::atomic<int> error;                                ///< with this errno
    std::atomic<bool> lasting;                             ///< and all after it
    std::atomic<int> driver;                               ///< the process that stands for davitd

    // Wrong orders: what a careless updater does.
    std::atomic<bool> no_syncfs;
    std::atomic<bool> no_syncfs_in_davitd;  ///< libostree does
    std::atomic<bool> no_directory_sync;
    std::atomic<bool> unlink_first;  ///< a link is removed, and made anew, instead of replaced

    char state[256];  ///< the device's /var/lib/davit, without a slash at the end
};
static_assert(sizeof(Control) <= 4096);

/// Names the file of the Control to child processes.
inline constexpr const char* kControlVariable = "DAVIT_CRASH_CONTROL";

}  // namespace davit::crash
