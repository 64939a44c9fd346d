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
    """Kills the davitd that runs now at the n-th fsync or fdatasync of any of its threads; its children are left alone."""

    def __init__(self, device: Device, number: int) -> None:
        threads = [task.name for task in Path(f"/proc/{device.host_pid(device.pid('davitd.service'))}/task").iterdir()]
        self._strace = subprocess.Popen(
            ["strace", "-qq", *(word for thread in threads for word in ("-p", thread)), "-o", "/dev/null",
             "-e", "trace=fsync,fdatasync", "-e", f"inject=fsync,fdatasync:signal=KILL:when={number}"],
            stdin=subprocess.DEVNULL)
        until(lambda: all(_is_traced(thread) for thread in threads), "strace to be attached", 10)

    def done(self) -> None:
        self._strace.terminate()
        self._strace.wait()


def _is_traced(thread: str) -> bool:
    return "TracerPid:\t0\n" not in Path(f"/proc/{thread}/status").read_text()


def phases_entered_again(device: Device, action: int, first_agent: int) -> set[str]:
    """The phases in which the action was found after a kill: what each further davitd entered first."""
    entered: dict[str, str] = {}
    for line in device.journal(f"DAVIT_ACTION={action}"):
        if "DAVIT_PHASE" in line and line["_PID"] != str(first_agent):
            entered.setdefault(line["_PID"], line["DAVIT_PHASE"])
    return set(entered.values())


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
        met |= phases_entered_again(hello_1, action, agent)
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
        met |= phases_entered_again(hello_1, action, agent)
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
