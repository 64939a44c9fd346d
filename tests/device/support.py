"""Quick versions of the example apps, and what the fixtures are called in annotations."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.wait import until

SLOW = "400k"  # bytes a second and connection
BIG = ("--files", "12", "--file-size", "1000000")

MakeDevice = Callable[..., Device]
T = TypeVar("T")

# `./dev test faults`
EVERYTHING = bool(os.environ.get("DAVIT_TEST_EVERYTHING"))


def sweep(cases: Sequence[T], few: int) -> Sequence[T]:
    """All of them, or the first few where time counts (./dev test)."""
    return cases if EVERYTHING else cases[:few]

# Short, so that tests need not wait: probed five times a second, watched for one second.
QUICK = {"health": {"every": "200ms", "stays_up": "1s", "timeout": "1s", "failures": 2}, "start": {"timeout": "10s"}}


def composed(first: Any, second: Any) -> Any:
    """The patch (RFC 7386) that does what the first and then the second does: a null stays, to remove what is there."""
    if not isinstance(first, Mapping) or not isinstance(second, Mapping):
        return second
    return dict(first) | {key: composed(first.get(key), value) for key, value in second.items()}


class Apps:
    """Bundles of the example apps, with changes to their manifests by keyword; None removes a member."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def hello(self, version: str, *options: str, **manifest: Any) -> Path:
        return self._lab.publisher.app("hello", version, *options, manifest=composed(QUICK, manifest))

    def ticker(self, version: str, *options: str, **manifest: Any) -> Path:
        return self._lab.publisher.app("ticker", version, *options, manifest=composed(QUICK, manifest))


def downloading(device: Device, least: int = 300_000) -> None:
    """Returns when the download is well under way."""
    def under_way() -> bool:
        status = device.ctl("status")
        return status["phase"] == "downloading" and status["bytes"] >= least
    until(under_way, "the download to be under way", 30)


class Inhibitor:
    """`davitctl inhibit … -- sleep` on the device."""

    def __init__(self, device: Device, *options: str) -> None:
        self._device = device
        self._process = subprocess.Popen(
            ["nsenter", "-t", str(device.leader), "-a", "--", "davitctl", "inhibit", "--why", "a long measurement", *options, "--",
             "sleep", "1000"], stdin=subprocess.DEVNULL, env={"PATH": "/usr/sbin:/usr/bin", "LANG": "C.UTF-8"})
        until(lambda: device.ctl("status")["inhibitors"], "the inhibitor", 10)

    def killed(self) -> None:
        """The owner and not its command, which must go with it."""
        self._device.sh("pkill -KILL -x davitctl")
        self._process.wait()
        until(lambda: not self._device.sh("pgrep -x sleep || true"), "the end of the command", 10)
