"""What the tests of crashes share: a published server, and a device with two apps to copy. In memory: how a disk behaves
is only of interest where a test says so."""

import fcntl
import functools
import json
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.register_assert_rewrite("tests.crash.cuts", "tests.crash.life", "tests.crash.test_errors")

from tests.crash.stories import STORIES  # noqa: E402  # pylint: disable=wrong-import-position
from tests.crash.telling import Told, prepared  # noqa: E402  # pylint: disable=wrong-import-position
from tests.crash.life import Device, Server  # noqa: E402  # pylint: disable=wrong-import-position

# In memory, and of this run alone (./dev has a /run of its own each time): with a fixed name, because deployments on a disk
# that was kept for another run say where their content is.
SHARED = Path("/run/davit-crash")
SEED = "DAVIT_TEST_SEED"


def pytest_configure(config: pytest.Config) -> None:
    """Workers get what they share from the one that starts them."""
    if hasattr(config, "workerinput"):
        return
    SHARED.mkdir()
    if not os.environ.get(SEED):
        os.environ[SEED] = str(random.SystemRandom().randrange(1, 1_000_000))


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(SHARED, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What one wants to know of the power cuts beside their number."""
    lines = SHARED / "recovered"
    tried = sum("test_power.py::test_cut[" in report.nodeid and report.when == "call"
                for reports in terminalreporter.stats.values() for report in reports if isinstance(report, pytest.TestReport))
    if tried == 0:
        return
    recovered = [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []
    new = sum(one["new"] for one in recovered)
    terminalreporter.write_line(f"{tried} states: {len(recovered)} recovered, {len(recovered) - new} old, {new} new (seed {os.environ[SEED]})")
    terminalreporter.write_line(f"the longest recovery took {max((one['ms'] for one in recovered), default=0)} ms")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The same for all workers of a run."""
    return SHARED


@pytest.fixture(scope="session")
def place(shared: Path) -> Iterator[Path]:
    """Of this worker alone."""
    directory = Path(tempfile.mkdtemp(dir=shared))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def server(shared: Path) -> Server:
    """The first worker publishes, or takes what was published for a recording that was kept."""
    kept = os.environ.get("DAVIT_TEST_RECORDING")
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept and not (shared / "server").exists():
            subprocess.run(["cp", "-a", Path(kept) / "server", shared / "server"], check=True)
        return Server(shared / "server")


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


@pytest.fixture(scope="session")
def told(installed: Device, place: Path) -> Callable[[str], Told]:
    """A story without interruption, by its name; told once a session."""
    @functools.cache
    def by_name(name: str) -> Told:
        story = next(story for story in STORIES if story.name == name)
        copy = installed.copy(Path(tempfile.mkdtemp(dir=place)) / "told")
        try:
            return Told(story, prepared(story, copy))
        finally:
            shutil.rmtree(copy.world.parent)
    return by_name
