"""davitd killed with -9 in every phase: the next start carries the deployment to its right end.

The moments are exact, not a matter of luck: strace kills davitd at its n-th sync to disk, for n = 1, 2, 3, … until a
deployment needs fewer. A phase is persisted before it acts, so every phase is met right after it became durable.
"""

import re
import subprocess
from pathlib import Path

import pytest

from tests.device.support import Apps
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.wait import until

GOOD = {"received", "downloading", "verifying", "staged", "switching", "probation"}
MOST = 40


@pytest.fixture(autouse=True)
def quickly_back(hello_1: Device) -> None:
    """What a restart of davitd takes is not what these tests are about."""
    hello_1.write("/etc/systemd/system/davitd.service.d/quick.conf", "[Service]\nRestartSec=100ms\n")
    hello_1.enter("systemctl", "daemon-reload")


class Killer:
    """Kills the davitd that runs now at its n-th fsync or fdatasync."""

    def __init__(self, device: Device, number: int) -> None:
        pid = device.host_pid(device.pid("davitd.service"))
        self._strace = subprocess.Popen(
            ["strace", "-f", "-qq", "-p", str(pid), "-o", "/dev/null", "-e", "trace=fsync,fdatasync",
             "-e", f"inject=fsync,fdatasync:signal=KILL:when={number}"], stdin=subprocess.DEVNULL)
        until(lambda: all(_is_traced(task) for task in Path(f"/proc/{pid}/task").iterdir()), "strace to be attached", 10)

    def done(self) -> None:
        self._strace.terminate()
        self._strace.wait()


def _is_traced(task: Path) -> bool:
    return "TracerPid:\t0\n" not in (task / "status").read_text()


def phases_entered_again(device: Device, action: int) -> set[str]:
    """The phases in which the action was found after the kills: the first one that each further davitd entered."""
    found: set[str] = set()
    agents: list[str] = []
    for line in device.journal(f"DAVIT_ACTION={action}"):
        if "DAVIT_PHASE" in line and line["_PID"] not in agents:
            agents.append(line["_PID"])
            if len(agents) > 1:
                found.add(line["DAVIT_PHASE"])
    return found


def test_killed_at_each_of_its_syncs_a_good_deployment_still_succeeds(lab: Lab, apps: Apps, hello_1: Device) -> None:
    ticker, met = hello_1.app_pid("ticker"), set[str]()
    for number in range(1, MOST):
        version = f"7-{number}"
        bundle = apps.hello(version, health={"stays_up": "500ms"})
        agent = hello_1.pid("davitd.service")
        killer = Killer(hello_1, number)
        action = lab.deploy(hello_1, bundle)
        lab.succeeded(hello_1, action)
        killer.done()
        assert hello_1.get("/version") == version
        met |= phases_entered_again(hello_1, action)
        if hello_1.pid("davitd.service") == agent:
            break  # it was through before its n-th sync
    else:
        raise AssertionError(f"a deployment needs {MOST} syncs and more")

    assert met == GOOD
    assert hello_1.app_pid("ticker") == ticker


def test_killed_at_each_of_its_syncs_a_broken_deployment_still_goes_back(lab: Lab, apps: Apps, hello_1: Device) -> None:
    met: set[str] = set()
    for number in range(1, MOST):
        agent = hello_1.pid("davitd.service")
        killer = Killer(hello_1, number)
        action = lab.deploy(hello_1, apps.hello(f"8-{number}", "--health-status", "500"))
        ended = lab.failed(hello_1, action)
        killer.done()
        assert "500" in ended.last
        assert hello_1.get("/version") == "1"
        met |= phases_entered_again(hello_1, action)
        if hello_1.pid("davitd.service") == agent:
            break
    else:
        raise AssertionError(f"a deployment needs {MOST} syncs and more")

    assert "rolling-back" in met


def test_a_kill_of_the_fetching_child_is_only_a_retry(lab: Lab, apps: Apps, hello_1: Device) -> None:
    lab.repository.slow("400k")
    action = lab.deploy(hello_1, apps.hello("9", "--files", "8", "--file-size", "1000000"))
    child = until(lambda: re.search(r"\d+", hello_1.sh("pgrep -x davit-ostree || true")), "the child", 20)
    hello_1.sh(f"kill -9 {child[0]}")
    lab.repository.slow(None)

    lab.succeeded(hello_1, action)
    assert hello_1.get("/version") == "9"
