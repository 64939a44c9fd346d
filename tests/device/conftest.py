"""A fresh device for each test: it boots in half a second."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.device.support import Apps, MakeDevice
from tests.lab.device import Device
from tests.lab.lab import Lab


@pytest.fixture(scope="session")
def apps(lab: Lab) -> Apps:
    return Apps(lab)


_numbers = itertools.count(1)


def _new(lab: Lab, registered: bool = True, **settings: Any) -> Device:
    device = lab.device(f"device-{next(_numbers)}", **settings)
    if registered and settings.get("boot", True):
        lab.registered(device)
    return device


@pytest.fixture
def make_device(lab: Lab) -> Iterator[MakeDevice]:
    """Makes devices that are switched off at the end of the test. The keywords are those of Lab.device(), and
    `registered=False` for one that the server will not know."""
    made: list[Device] = []

    def make(**settings: Any) -> Device:
        made.append(_new(lab, **settings))
        return made[-1]

    yield make
    for device in made:
        device.close()


@pytest.fixture
def device(make_device: MakeDevice) -> Device:
    """Booted, and registered at the server; no apps yet."""
    return make_device()


@pytest.fixture
def hello_1(lab: Lab, apps: Apps, device: Device) -> Device:
    """A device on which hello 1 and ticker 1 run."""
    lab.install(device, apps.hello("1"), apps.ticker("1"))
    return device


@pytest.fixture(scope="module")
def shared_device(lab: Lab, apps: Apps) -> Iterator[Device]:
    """The same, one for all tests of a module: for those that must not change anything (see `unchanged`)."""
    device = _new(lab)
    lab.install(device, apps.hello("1"), apps.ticker("1"))
    yield device
    device.close()


@pytest.fixture
def unchanged(shared_device: Device) -> Iterator[Device]:
    """The shared device, whose apps must be the same processes after the test as before."""
    pids = shared_device.app_pid("hello"), shared_device.app_pid("ticker")
    yield shared_device
    assert (shared_device.app_pid("hello"), shared_device.app_pid("ticker")) == pids
    assert shared_device.get("/version") == "1"
