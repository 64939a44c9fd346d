"""Many updates in a row on one device: nothing grows. Ten here; `./dev test soak` does two hundred, or as many as fit into
--minutes, and prints the table."""

import os
import stat
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.device.support import Apps
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.processes import memory
from tests.lab.wait import until

MINUTES = float(os.environ.get("DAVIT_TEST_MINUTES", "0"))
UPDATES = int(os.environ.get("DAVIT_TEST_UPDATES", "100000" if MINUTES else "10"))
SHOWN = (5, 10, 20, 50, 100, 200)
WARM = 5           # what is there then is what everything later is compared with
NEW = 1_000_000    # bytes that each update brings


@dataclass
class Figures:
    descriptors: int
    threads: int
    rss: int
    repository: int
    checkouts: int     # without what they share with the repository
    versions: int
    generations: int
    journal: int       # state.db, its -wal and -shm

    def row(self, number: int) -> str:
        return (f"soak: {number:7} {self.descriptors:6} {self.threads:8} {self.rss / 1024:9.0f} {self.repository / 1e6:11.2f}"
                f" {self.checkouts / 1e6:10.2f} {self.versions:9} {self.generations:12} {self.journal / 1024:12.0f}")


HEAD = "soak: updates    fds  threads  RSS [kB]   repo [MB]  +checkouts  versions  generations  journal [kB]"


def used(place: Path, seen: set[int]) -> int:
    """Bytes on the disk of the files below, each once. Not of directories: objects/ has 256 of them sooner or later."""
    total = 0
    for path in place.rglob("*"):
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode) and status.st_ino not in seen:
            seen.add(status.st_ino)
            total += status.st_blocks * 512
    return total


def at_rest(device: Device) -> bool:
    """The server has the result a moment before the old version is gone: first its name, then what only it had."""
    names = list((device.state / "repo/refs/heads/deploy/hello").iterdir())
    return len(names) <= 2 and device.attempt("pgrep", "-x", "davit-ostree").returncode != 0


def figures(device: Device, agent: int) -> Figures:
    until(lambda: at_rest(device), "the old version to be gone", 30)
    seen: set[int] = set()
    return Figures(
        descriptors=len(list(Path(f"/proc/{agent}/fd").iterdir())), threads=len(list(Path(f"/proc/{agent}/task").iterdir())),
        rss=memory(agent).rss, repository=used(device.state / "repo", seen), checkouts=used(device.state / "checkouts", seen),
        versions=len(list((device.state / "checkouts/hello").iterdir())),
        generations=len([entry for entry in (device.state / "generations").iterdir() if entry.is_dir()]),
        journal=sum(path.stat().st_size for path in device.state.glob("state.db*")))


def test_many_updates_in_a_row_leave_nothing_behind(lab: Lab, apps: Apps, device: Device) -> None:
    lab.install(device, apps.ticker("1"))
    agent = device.host_pid(device.pid("davitd.service"))
    ticker = device.app_pid("ticker")
    end = time.monotonic() + (MINUTES * 60 or 1e9)
    found: dict[int, Figures] = {}
    print("\n" + HEAD)
    number = 0
    while number < UPDATES and time.monotonic() < end:
        number += 1
        version = f"soak-{number}"
        bundle = apps.hello(version, "--files", "1", "--file-size", str(NEW), "--seed", str(number),
                            health={"stays_up": "300ms", "every": "100ms"})
        lab.install(device, bundle)
        assert device.get("/version") == version
        subprocess.run(["rm", "-rf", bundle], check=True)  # this machine's disk is not what fills up either
        if number in SHOWN or number % 200 == 0 or number >= UPDATES:
            found[number] = figures(device, agent)
            print(found[number].row(number), flush=True)
    found[number] = figures(device, agent)

    assert number > WARM
    assert device.host_pid(device.pid("davitd.service")) == agent, "davitd was started anew"
    assert device.app_pid("ticker") == ticker
    assert len(device.ctl("history")) <= 200
    before, after = found[WARM], found[number]
    assert after.threads == before.threads
    assert after.descriptors <= before.descriptors + 6, "of davit-http and what it is asked, if it happens to be there"
    assert after.rss <= before.rss + (1 << 20)
    assert after.repository <= before.repository + NEW / 4
    assert after.checkouts <= before.checkouts + NEW / 4
    assert after.versions <= 2 and after.generations <= 3
    assert after.journal <= 2 << 20, "200 deployments, and a log that SQLite begins anew after 1,000 pages of 1 KiB"
