"""A fresh device for each test (it boots in half a second), and quick versions of the example apps."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.publisher import merged

# Short, so that tests need not wait: probed five times a second, watched for one second.
QUICK = {"health": {"every": "200ms", "stays_up": "1s", "timeout": "1s", "failures": 2}, "start": {"timeout": "10s"}}


class Apps:
    """Bundles of the example apps, with changes to their manifests by keyword."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def hello(self, version: str, *options: str, **manifest: Any) -> Path:
        return self._lab.publisher.app("hello", version, *options, manifest=merged(QUICK, manifest))

    def ticker(self, version: str, *options: str, **manifest: Any) -> Path:
        return self._lab.publisher.app("ticker", version, *options, manifest=merged(QUICK, manifest))


@pytest.fixture(scope="session")
def apps(lab: Lab) -> Apps:
    return Apps(lab)


_numbers = itertools.count(1)

MakeDevice = Callable[..., Device]


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
