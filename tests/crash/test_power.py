"""The power is cut anywhere in an update and in a rollback (docs/developers.md): on every disk that could be left, the apps are
one complete set, and the device carries on to the right end and tells the truth."""

import fcntl
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.cuts import Bench
from tests.crash.effort import STATES
from tests.crash.life import Server
from tests.crash.power import Cut, Recording, record

SEED = int(os.environ.get("DAVIT_TEST_SEED") or 1)
ONE_STATE = os.environ.get("DAVIT_TEST_STATE")
# Which of the two, for one state after the other: as it comes, and as lazy as ext4 may be.
OPTIONS = {"ordered": "", "writeback": "data=writeback,noauto_da_alloc"}


@pytest.fixture(scope="session")
def bench(server: Server, place: Path) -> Bench:
    (place / "bench").mkdir()
    return Bench(server, place / "bench")


@pytest.fixture(scope="session")
def recordings(server: Server, shared: Path) -> dict[str, Recording]:
    """Of the product as it is; made once for all workers."""
    given = os.environ.get("DAVIT_TEST_RECORDING")
    directory = Path(given) if given else shared
    with (shared / "lock of recordings").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return {name: Recording(directory / name) if (directory / name).exists() else record(server, directory / name, options)
                for name, options in OPTIONS.items()}


def states() -> list[int]:
    return [int(ONE_STATE)] if ONE_STATE else list(range(STATES))


@pytest.mark.parametrize("number", states())
def test_cut(number: int, recordings: dict[str, Recording], bench: Bench, shared: Path) -> None:
    name = list(OPTIONS)[number % len(OPTIONS)]
    recording = recordings[name]
    cut = recording.cut(number, SEED)
    try:
        recovered = bench.recover(recording, cut)
    except Exception as error:  # pylint: disable=broad-except  # whatever it is, it can be repeated
        kept = Path("build/crash") / f"seed-{SEED}"
        keep(shared / "server", *(one.directory for one in recordings.values()), to=kept)
        raise AssertionError(f"state {number} ({name}, {cut}): again with ./dev test crash --seed {SEED} --state {number} "
                             f"--recording {kept}") from error
    with (shared / "recovered").open("a") as file:
        file.write(json.dumps({"new": recovered.was_new, "ms": recovered.recovery_ms}) + "\n")


def keep(*directories: Path, to: Path) -> None:
    """What repeats a failure; once."""
    if os.environ.get("DAVIT_TEST_RECORDING") or to.exists():
        return
    to.mkdir(parents=True)
    subprocess.run(["cp", "-a", *directories, to], check=True)


WRONG = ("no-syncfs", "no-syncfs-in-davitd", "no-directory-sync", "unlink-first", "delete-first")


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_order_is_caught(wrong: str, options: str, server: Server, bench: Bench, place: Path) -> None:
    """Every flush of the disk as the last one, then any state: one of them must be seen to be wrong."""
    recording = record(server, Path(tempfile.mkdtemp(dir=place)) / "wrong", OPTIONS[options], wrong)
    tried = 0
    for tried, cut in enumerate(suspects(recording), 1):
        try:
            bench.found(recording, cut)
        except (AssertionError, OSError, ValueError) as error:
            print(f"{wrong}, {options}: state {tried}, {cut}: {error}")
            return
    pytest.fail(f"{wrong} was not noticed in {tried} states")


@pytest.mark.parametrize("options", OPTIONS)
def test_the_right_order_leaves_nothing_to_catch(options: str, recordings: dict[str, Recording], bench: Bench) -> None:
    """The same states, of the product as it is."""
    for cut in suspects(recordings[options], more=0):
        bench.found(recordings[options], cut)


def suspects(recording: Recording, more: int = 100) -> Iterator[Cut]:
    for flush in recording.flushes():
        yield Cut(flush, flush, "none", "flush")
    for number in range(more):
        yield recording.cut(number, 1)
