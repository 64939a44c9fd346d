"""A fleet and its server: what many devices do when the server forgets what it has seen."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.lab.fleet import Fleet
from tests.lab.hawkbit import HawkBit
from tests.lab.run import Run
from tests.lab.wait import until

DEVICES = int(os.environ.get("DAVIT_TEST_FLEET", "50"))
LONG = 60 + DEVICES  # seconds for what a loaded machine does with all of them


@pytest.fixture(scope="module")
def server(run: Run) -> Iterator[HawkBit]:
    """One with its database on disk."""
    server = HawkBit(run, polling="00:00:02" if DEVICES <= 100 else "00:00:20", database_on_disk=True).wait_ready()
    yield server
    server.stop()


@pytest.fixture
def make_fleet(run: Run, server: HawkBit) -> Iterator[Callable[[str], Fleet]]:
    """Fleets by the prefix of their names."""
    made: list[Fleet] = []

    def make(prefix: str) -> Fleet:
        made.append(Fleet(run, server, DEVICES, prefix))
        return made[-1]

    yield make
    for fleet in made:
        fleet.close()


def all_are(fleet: Fleet, query: str) -> None:
    """Returns when the server sees every device so."""
    until(lambda: fleet.count(query) == DEVICES, f"{DEVICES} devices with {query}", LONG, every=1)


def print_cost(summary: dict[str, Any]) -> None:
    print(f"{DEVICES} devices: {summary['seconds']:.0f} s, {summary['requests']}, {summary['process']}")


def test_every_device_of_a_fleet_ends_by_its_own_result(make_fleet: Callable[[str], Fleet]) -> None:
    fleet = make_fleet("mixed")
    fleet.start("--app-failures", "20", "--network-failures", "20")
    until(lambda: fleet.count("updatestatus==registered") == DEVICES, "the registration of all", LONG, every=1)
    fleet.assign(fleet.create_set("mixed", "1"))
    until(lambda: fleet.count("updatestatus==in_sync") + fleet.count("updatestatus==error") == DEVICES,
          "the end of all", LONG, every=1)

    failed = fleet.count("updatestatus==error")
    summary = fleet.stop()
    print_cost(summary)
    ends = summary["deployments"]["hello 1"]
    assert (ends["succeeded"], ends["failed"]) == (DEVICES - failed, failed)
    assert ends["causes"] == {"app-failed": failed} and 0 < failed < DEVICES
    assert summary["stuck"] == {} and summary["unreached"] == []


def test_a_server_restored_from_a_backup_offers_what_is_older_and_is_refused(
        server: HawkBit, make_fleet: Callable[[str], Fleet]) -> None:
    fleet = make_fleet("shop")
    fleet.register()
    fleet.assign(fleet.create_set("shop", "4"))
    server.back_up("with 4")
    server.start()
    fleet.assign(fleet.create_set("shop", "5"))
    fleet.start()
    all_are(fleet, "updatestatus==in_sync;installedds.version==5")

    server.restore("with 4")
    server.start()
    all_are(fleet, "updatestatus==error")
    for name in (fleet.names[0], fleet.names[-1]):
        action, = server.actions(name)
        assert action.status == "error" and not action.active
        assert "downgrade" in action.text and action.reports[0][-1] == "cause=sequence"

    fleet.assign(fleet.create_set("shop", "6"))
    all_are(fleet, "updatestatus==in_sync;installedds.version==6")
    summary = fleet.stop()
    print_cost(summary)
    assert summary["deployments"]["hello 4"]["failed"] == DEVICES
    assert summary["deployments"]["hello 4"]["causes"] == {"sequence": DEVICES}
    assert summary["deployments"]["hello 6"]["succeeded"] == DEVICES
    assert summary["stuck"] == {} and summary["unreached"] == []
