"""What an update costs on the network and on the disk, and what it needs of memory."""

import threading
import time
from pathlib import Path

from tests.bench.table import Table
from tests.lab.device import STATE, Device
from tests.lab.lab import Lab
from tests.lab.processes import children, memory, written
from tests.lab.story import amount

FILES, SIZE = 300, 100_000
_QUICK = {"health": {"every": "200ms", "stays_up": "200ms"}}


def measure(lab: Lab, table: Table) -> None:
    device = lab.device("bench-wire")
    lab.registered(device)
    base = _bundle(lab, "wire-0", 0)
    before = lab.repository.traffic()
    with PeakMemory(device) as peak:
        lab.install(device, base)
    first = lab.repository.since(before)
    table.add("first install of 30 MB on the wire", amount(first.bytes), f"{first.count} requests")
    table.add("peak memory of that pull, child included (PSS)", amount(peak.pss), "goal ≤ 30 MB", peak.pss <= 30e6)

    before_writing = _written(device)
    before = lab.repository.traffic()
    lab.install(device, _bundle(lab, "wire-1", 1))
    wire = lab.repository.since(before)
    table.add("one 100 kB file of 30 MB changed, on the wire", amount(wire.bytes), "par 114 kB; incompressible content", wire.bytes <= 116_000)
    table.add("  requests", str(wire.count), "par 11", wire.count <= 11)
    per_update = (_written(device) - before_writing) / SIZE
    table.add("  written to disk ÷ new content (100 kB)", f"{per_update:.2f}", "")

    lab.release(_bundle(lab, "wire-2", 250))  # published, never deployed here
    before = lab.repository.traffic()
    lab.install(device, _bundle(lab, "wire-3", 2))
    skipped = lab.repository.since(before)
    table.add("one version skipped, on the wire", amount(skipped.bytes), "one new file; what only the skipped version had is not fetched",
              skipped.bytes <= SIZE + 30_000)

    before_writing = _written(device)
    lab.install(device, lab.publisher.app("hello", "wire-new", "--files", "100", "--file-size", str(SIZE), "--seed", "99", manifest=_QUICK))
    ratio = (_written(device) - before_writing) / (100 * SIZE)
    table.add("written to disk ÷ new content, 10 MB new", f"{ratio:.2f}", "goal ≤ 1.2", ratio <= 1.2)
    device.close()


def _bundle(lab: Lab, version: str, changed: int) -> Path:
    """30 MB of incompressible files, of which the first `changed` differ from those of wire-0."""
    return lab.publisher.app("hello", version, "--files", str(FILES), "--file-size", str(SIZE), "--changed", str(changed), manifest=_QUICK)


def _written(device: Device) -> int:
    device.sh(f"sync -f {STATE}")
    return written(device.host_pid(device.pid("davitd.service")))


class PeakMemory:
    """Samples davitd and its children while the block runs."""

    def __init__(self, device: Device) -> None:
        self._pid = device.host_pid(device.pid("davitd.service"))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.pss = 0.0

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._ended.is_set():
            self.pss = max(self.pss, sum(memory(pid).pss for pid in [self._pid, *children(self._pid)]))
            time.sleep(0.02)
