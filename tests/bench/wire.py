"""What an update costs on the network, and what it needs of memory."""

import subprocess
import threading
import time
from pathlib import Path

from tests.bench.table import Table
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.nginx import Traffic
from tests.lab.processes import children, memory
from tests.lab.story import amount

FILES, SIZE = 300, 100_000
_QUICK = {"health": {"every": "200ms", "stays_up": "200ms"}}


def measure(lab: Lab, table: Table) -> None:
    device = lab.device("bench-wire")
    lab.registered(device)
    base = _bundle(lab, "wire-0", 0)
    lab.hawkbit.configure("pollingTime", "00:05:00")  # hawkBit's own default
    device.ctl("check")
    before = lab.repository.traffic()
    with PeakMemory(device) as peak:
        action = lab.deploy(device, base)
        device.ctl("check")
        lab.succeeded(device, action)
    lab.hawkbit.configure("pollingTime", "00:00:01")
    device.ctl("check")
    first = lab.repository.since(before)
    table.add("first install of 30 MB on the wire", amount(first.bytes), f"{first.count} requests")
    plain = PlainOstree(lab)
    plain.pull()
    table.add("peak memory of that pull, child included (PSS)", amount(peak.pss), "goal ≤ 30 MB", peak.pss <= 30e6)

    before = lab.repository.traffic()
    lab.install(device, _bundle(lab, "wire-1", 1))
    wire = lab.repository.since(before)
    par = plain.pull()
    table.add("one 100 kB file of 30 MB changed, on the wire", amount(wire.bytes),
              f"plain `ostree pull` of the same: {amount(par.bytes)}", wire.bytes <= 1.02 * par.bytes)
    table.add("  requests", str(wire.count), f"plain: {par.count}", wire.count <= par.count)

    lab.release(_bundle(lab, "wire-2", 250))  # published, never deployed here
    before = lab.repository.traffic()
    lab.install(device, _bundle(lab, "wire-3", 2))
    skipped = lab.repository.since(before)
    table.add("one version skipped, on the wire", amount(skipped.bytes), "one new file; what only the skipped version had is not fetched",
              skipped.bytes <= SIZE + 30_000)
    device.close()


def _bundle(lab: Lab, version: str, changed: int) -> Path:
    """30 MB of incompressible files, of which the first `changed` differ from those of wire-0."""
    return lab.publisher.app("hello", version, "--files", str(FILES), "--file-size", str(SIZE), "--changed", str(changed), manifest=_QUICK)


class PlainOstree:
    """What fetching the same with OSTree's own tool and defaults costs: the machine's own baseline."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._repository = lab.run.path("plain-ostree")
        self._ostree("init", "--mode=bare-user")
        self._ostree("remote", "add", "--no-gpg-verify", "--no-sign-verify", "lab", lab.repository.url("127.0.0.1"))

    def pull(self) -> Traffic:
        before = self._lab.repository.traffic()
        self._ostree("pull", "lab", "hello")
        return self._lab.repository.since(before)

    def _ostree(self, *words: str) -> None:
        subprocess.run(["ostree", f"--repo={self._repository}", *words], check=True, capture_output=True)


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
