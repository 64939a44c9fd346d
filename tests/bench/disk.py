"""What an update writes to the disk, beside what is new in it."""

import statistics

from tests.bench.table import Table
from tests.lab.device import STATE, Device
from tests.lab.lab import Lab
from tests.lab.processes import written

ROUNDS = 3
BUNDLE = 30_000_000
NEW = 10_000_000  # of which so much is new in each update
_QUICK = {"health": {"every": "200ms", "stays_up": "200ms"}}


def measure(lab: Lab, table: Table) -> None:
    for files in (30, 300):
        size = BUNDLE // files
        device = lab.device(f"bench-disk-{files}")
        lab.registered(device)
        # The first two rounds fill both generations, so that each later one removes as much as it brings.
        ratios = [_update(lab, device, size, round_) / NEW for round_ in range(2 + ROUNDS)]
        ratio = statistics.median(ratios[2:])
        table.add(f"written to disk ÷ new content, {NEW // size} files of {size // 1000} kB", f"{ratio:.2f}", "goal ≤ 1.2", ratio <= 1.2)
        device.close()


def _update(lab: Lab, device: Device, size: int, round_: int) -> int:
    """@return bytes that davitd and its children wrote"""
    bundle = lab.publisher.app("hello", f"disk-{size}-{round_}", "--files", str(BUNDLE // size), "--file-size", str(size),
                               "--changed", str(NEW // size), "--round", str(round_), manifest=_QUICK)
    before = _written(device)
    lab.install(device, bundle)
    return _written(device) - before


def _written(device: Device) -> int:
    device.sh(f"sync -f {STATE}")
    return written(device.host_pid(device.pid("davitd.service")))
