"""How long an app is away in an update, beside `systemctl restart` of the same container."""

import statistics
from pathlib import Path

from tests.bench.table import Table, spread
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.poller import Poller
from tests.lab.wait import until

ROUNDS = 15
GOAL = 1.1


def measure(lab: Lab, table: Table) -> None:
    few_files = ("--files", "10", "--file-size", "2000")
    many_files = ("--files", "5000", "--file-size", "2000")
    _compare(lab, table, "10 files", few_files)
    offered = _compare(lab, table, "5,000 files", many_files)
    table.add("offered → new version serves, minus the pull, 5,000 files", spread(offered), "goal ≤ 1 s and the app's start",
              statistics.median(offered) <= 1.1)
    _compare(lab, table, "10 files, second app slow", few_files, slow_second=True)


def _compare(lab: Lab, table: Table, title: str, options: tuple[str, ...], slow_second: bool = False) -> list[float]:
    """Updates and plain restarts in turn, so that both see the same machine. @return offered → serving minus pull"""
    device = lab.device(f"bench-{title.split()[0].replace(',', '')}{'-slow' if slow_second else ''}")
    lab.registered(device)
    tag = title.replace(" ", "").replace(",", "")
    lab.install(device, _hello(lab, f"{tag}-0", options))
    updates, restarts, offered = [], [], []
    for number in range(1, ROUNDS + 1):
        version = f"{tag}-{number}"
        bundles = [_hello(lab, version, options)]
        if slow_second:
            bundles.append(lab.publisher.app("ticker", version, "--files", "4", "--file-size", "1000000", manifest=_QUICK))
        updates.append(_update(lab, device, version, bundles, slow_second))
        offered.append(_offered_to_serving(device, updates[-1][1]))
        restarts.append(_restart(lab, device, version))
    device.close()
    downs = [down for down, _ in updates]
    ratio = statistics.median(downs) / statistics.median(restarts)
    table.add(f"downtime of an update, {title}", spread(downs))
    table.add("  ÷ systemctl restart of the same container", f"{ratio:.2f}", f"restart: {spread(restarts)}; goal ≤ {GOAL}", ratio <= GOAL)
    return offered


_QUICK = {"health": {"every": "200ms", "stays_up": "500ms"}}


def _hello(lab: Lab, version: str, options: tuple[str, ...]) -> Path:
    return lab.publisher.app("hello", version, *options, manifest=_QUICK)


def _poller(lab: Lab, device: Device, name: str) -> Poller:
    return Poller(lab.run, name, f"http://{device.address}:8080/version")


def _update(lab: Lab, device: Device, version: str, bundles: list[Path], slow: bool) -> tuple[float, float]:
    """@return downtime, and when the new version answered first (monotonic)"""
    if slow:
        lab.repository.slow("500k")
    with _poller(lab, device, f"update-{device.name}-{version}") as poller:
        action = lab.deploy(device, *bundles)
        # Asking hawkBit all the time would take the processor away in the very moment that is measured.
        until(lambda: poller.first(version), f"hello {version}", 120, every=0.25)
        lab.succeeded(device, action)
        down, first = poller.downtime(new=version), poller.first(version)
    if slow:
        lab.repository.slow(None)
    assert first
    return down, first


def _restart(lab: Lab, device: Device, version: str) -> float:
    with _poller(lab, device, f"restart-{device.name}-{version}") as poller:
        before = poller.samples()[-1].time
        device.enter("systemctl", "restart", "davit-app-hello.service")
        until(lambda: poller.first(version, after=before + 0.2), "hello after its restart", 10)
        return poller.downtime(after=before)


def _offered_to_serving(device: Device, first_answer: float) -> float:
    """From the phase `received` to the first answer, without the time spent in `downloading`; by the journal's clock."""
    entered: dict[str, float] = {}
    for line in device.journal("_SYSTEMD_UNIT=davitd.service"):
        if "DAVIT_PHASE" in line:
            now = int(line["__MONOTONIC_TIMESTAMP"]) / 1e6
            if line["DAVIT_PHASE"] == "received":
                entered = {}
            entered.setdefault(line["DAVIT_PHASE"], now)
    return first_answer - entered["received"] - (entered["verifying"] - entered["downloading"])
