"""What the tests of crashes share: a published server, and a device with two apps to copy. In memory: how a disk behaves
is only of interest where a test says so."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.life import Device, Server


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="davit-crash-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def server(place: Path) -> Server:
    return Server(place / "server")


@pytest.fixture(scope="session")
def installed(place: Path, server: Server) -> Device:
    """hello 1 and ticker 1, running and reported. Copy it."""
    device = Device.make(server, place / "installed")
    said = device.live({"resume": True}, {"offer": server.deployment("1", "hello 1", "ticker 1")})
    assert said and not said["errors"] and device.running() == {"hello": "hello 1", "ticker": "ticker 1"}, said
    return device


@pytest.fixture
def device(installed: Device, place: Path) -> Iterator[Device]:
    copy = installed.copy(Path(tempfile.mkdtemp(dir=place)) / "device")
    yield copy
    shutil.rmtree(copy.world.parent, ignore_errors=True)
