"""What the kernel knows about a process: memory, processor time, wake-ups."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Memory:
    """In bytes."""

    rss: int = 0
    pss: int = 0
    private_dirty: int = 0


def memory(pid: int) -> Memory:
    """Zeros if it has ended."""
    values: dict[str, int] = {}
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
            words = line.split()
            values[words[0].rstrip(":")] = int(words[1]) * 1024
    except (OSError, IndexError):
        return Memory()
    return Memory(values.get("Rss", 0), values.get("Pss", 0), values.get("Private_Dirty", 0))


def children(pid: int) -> list[int]:
    """All descendants."""
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *children(int(child))]
    except OSError:
        pass
    return found


@dataclass
class Work:
    """What a process has done since its start, all its threads together."""

    switches: int     # context switches: each wake-up ends with one
    seconds: float    # on a processor
    written: int      # bytes given to the disk

    def __add__(self, other: "Work") -> "Work":
        return Work(self.switches + other.switches, self.seconds + other.seconds, self.written + other.written)

    def __sub__(self, earlier: "Work") -> "Work":
        return Work(self.switches - earlier.switches, self.seconds - earlier.seconds, self.written - earlier.written)


def work(pid: int) -> Work:
    switches, nanoseconds = 0, 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        nanoseconds += int((task / "schedstat").read_text().split()[0])
        for line in (task / "status").read_text().splitlines():
            if "ctxt_switches" in line:
                switches += int(line.split()[1])
    return Work(switches, nanoseconds / 1e9, written(pid))


def processor_time(pid: int) -> float:
    """Seconds, of a process and the children that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def written(pid: int) -> int:
    """Bytes that a process, and the children that it has waited for, gave to the disk.

    Less what was deleted before it got there (the kernel counts a page when it becomes dirty).
    """
    counters = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(counters["write_bytes"]) - int(counters["cancelled_write_bytes"])
