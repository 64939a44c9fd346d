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


@pytest.fixture
def make_device(lab: Lab) -> Iterator[MakeDevice]:
    """Makes devices that are switched off at the end of the test. The keywords are those of Lab.device(), and
    `registered=False` for one that the server will not know."""
    made: list[Device] = []

    def make(registered: bool = True, **settings: Any) -> Device:
        made.append(lab.device(f"device-{next(_numbers)}", **settings))
        if registered and settings.get("boot", True):
            lab.registered(made[-1])
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
