"""Damaged data, on the device and at the server: refused, fetched again, reported in a sentence, and never run.

Objects are damaged where they lie in the device's repository, as a bad flash would do it; libostree's names for their
kinds are commit, dirtree, dirmeta and file.
"""

import itertools
import json
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.device.support import Apps, sweep
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.proxy import Fault, Proxy
from tests.lab.wait import until

STATE = "/var/lib/davit"
KINDS = ("commit", "dirtree", "dirmeta", "file")


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1:]


def cut_short(data: bytes) -> bytes:
    return data[:len(data) // 2]


def zeroed(data: bytes) -> bytes:
    return bytes(len(data))


DAMAGES = (flipped, cut_short, zeroed)


def in_place(path: Path, damage: Callable[[bytes], bytes]) -> None:
    """Changes the blocks, not the name: every hard link sees it."""
    data = damage(path.read_bytes())
    with path.open("r+b") as file:
        file.write(data)
        file.truncate()


def objects(device: Device, kind: str) -> list[Path]:
    """Regular ones only, the smallest that are not empty first."""
    found = [path for path in (device.state / "repo/objects").rglob(f"*.{kind}") if stat.S_ISREG(path.lstat().st_mode)]
    return sorted((path for path in found if path.stat().st_size), key=lambda path: (path.stat().st_size, path.name))


def files(device: Device, app: str = "hello") -> list[Path]:
    """Of a checkout: hard links to the repository's objects."""
    return sorted(path for path in checkout(device, app).rglob("*")
                  if stat.S_ISREG(path.lstat().st_mode) and path.lstat().st_size)


def links(device: Device) -> list[Path]:
    return [path for path in (device.state / "repo/objects").rglob("*.file") if path.is_symlink()]


def checkout(device: Device, app: str = "hello") -> Path:
    """Of the current generation, from outside."""
    link = os.readlink(device.state / "current")
    target = Path(os.readlink(device.state / link / "apps" / app))
    return device.state / "checkouts" / app / target.name


def with_a_link(bundle: Path) -> Path:
    """Apps are seldom without one."""
    link = bundle / "rootfs/etc/also-version"
    if not link.is_symlink():
        link.symlink_to("version")
    return bundle


@pytest.fixture
def hello(lab: Lab, apps: Apps, device: Device) -> Device:
    """A device with hello 1 and ticker 1; hello has every kind of object."""
    lab.install(device, with_a_link(apps.hello("1-with-a-link")), apps.ticker("1"))
    return device


def good(device: Device, version: str) -> None:
    assert device.get("/version") == version
    assert device.get("/version", 8081) == "1"


# --- the device's repository --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_objects_are_noticed_by_the_next_deployment_and_fetched_again(
        lab: Lab, apps: Apps, hello: Device, kind: str) -> None:
    for turn, version in enumerate((f"2-{kind}", "1-with-a-link")):
        # hello's program runs, and nobody can write to it then; see the test of its checkout. A file is its app's, too.
        damaged = [path for path in (objects(hello, kind) if kind != "file" else files(hello)) if path.stat().st_size < 50_000]
        assert damaged
        for number, path in enumerate(damaged):
            in_place(path, DAMAGES[(number + turn) % len(DAMAGES)])
        # The next version shares most of its objects with the last one; one that is here already shares all.
        lab.install(hello, with_a_link(apps.hello(version)))
        good(hello, version)


def test_a_link_that_points_elsewhere_is_noticed_and_fetched_again(lab: Lab, apps: Apps, hello: Device) -> None:
    for path in links(hello):
        path.unlink()
        path.symlink_to("/etc/shadow")
    lab.install(hello, with_a_link(apps.hello("2-link")))

    good(hello, "2-link")
    assert os.readlink(checkout(hello) / "rootfs/etc/also-version") == "version"


def test_missing_objects_are_fetched_again(lab: Lab, apps: Apps, hello: Device) -> None:
    for kind in KINDS:
        for path in objects(hello, kind):
            path.unlink()
    lab.install(hello, with_a_link(apps.hello("2-missing")))

    good(hello, "2-missing")


def test_a_repository_that_is_lost_altogether_is_begun_anew(lab: Lab, apps: Apps, hello: Device) -> None:
    hello.sh(f"rm -rf {STATE}/repo")
    lab.install(hello, with_a_link(apps.hello("2-lost")))

    good(hello, "2-lost")


# --- checkouts ----------------------------------------------------------------------------------------------------


def test_a_damaged_checkout_is_mended_by_a_deployment_of_the_same_version(lab: Lab, apps: Apps, hello: Device) -> None:
    hello.stop()
    (checkout(hello) / "rootfs/bin/hello").unlink()
    (checkout(hello) / "davit.json").write_text("{")
    (checkout(hello) / "rootfs/etc/passwd").write_text("root::0:0::/:/bin/sh\n")
    hello.boot()
    until(lambda: hello.get("/version", 8081) == "1", "ticker, which is not damaged", 20)
    assert hello.get("/version") is None
    assert "hello" in hello.log("davit-units") and "davit.json" in hello.log("davit-units"), "said by whom it was noticed"

    lab.install(hello, with_a_link(apps.hello("1-with-a-link")))
    good(hello, "1-with-a-link")
    assert not (checkout(hello) / "rootfs/etc/passwd").exists()


def test_an_app_whose_program_is_damaged_is_mended_by_a_deployment_of_the_same_version(
        lab: Lab, apps: Apps, hello: Device) -> None:
    hello.stop()
    in_place(checkout(hello) / "rootfs/bin/hello", zeroed)  # the repository's object, too: a hard link
    hello.boot()
    until(lambda: hello.get("/version", 8081) == "1", "ticker, which is not damaged", 20)
    assert hello.get("/version") is None

    lab.install(hello, with_a_link(apps.hello("1-with-a-link")))
    good(hello, "1-with-a-link")


# --- generations --------------------------------------------------------------------------------------------------


def description(device: Device) -> Path:
    return device.state / os.readlink(device.state / "current") / "generation.json"


@pytest.mark.parametrize("damage", sweep([cut_short, flipped, zeroed, lambda data: b""], 1),
                         ids=sweep(["cut short", "flipped", "zeroed", "empty"], 1))
def test_a_damaged_description_of_the_current_set_is_read_from_its_copy(
        lab: Lab, apps: Apps, hello: Device, damage: Callable[[bytes], bytes]) -> None:
    before = json.loads(description(hello).read_text())
    hello.stop()
    text = description(hello).read_bytes()
    description(hello).write_bytes(damage(text) if damage is not flipped else b"[" + text)
    hello.boot()

    until(lambda: hello.get("/version") == "1-with-a-link", "hello", 20)
    until(lambda: json.loads(description(hello).read_text()) == before, "the description to be written anew", 20)
    assert "generation" in hello.log("davitd") and "is damaged" in hello.log("davitd")
    lab.install(hello, with_a_link(apps.hello("2-described")))
    good(hello, "2-described")


def test_a_description_that_is_lost_twice_is_said_to_be_and_nothing_else_is_done(lab: Lab, apps: Apps, hello: Device) -> None:
    pids = hello.app_pid("hello"), hello.app_pid("ticker")
    for name in ("generation.json", "generation.copy.json"):
        description(hello).with_name(name).write_text("{")
    action = lab.failed(hello, lab.deploy(hello, with_a_link(apps.hello("2-lost-twice"))))

    assert "generation" in action.last and "is damaged" in action.last and "cause=corrupt" in action.last
    assert (hello.app_pid("hello"), hello.app_pid("ticker")) == pids


# --- the journal --------------------------------------------------------------------------------------------------


def lost_page(data: bytes) -> bytes:
    return data[:2048] + b"\xff" * 2048 + data[4096:]


@pytest.mark.parametrize("damage", sweep([lost_page, zeroed, cut_short], 1), ids=sweep(["a lost page", "zeroed", "cut short"], 1))
def test_a_damaged_journal_is_put_aside_and_the_device_goes_on(
        lab: Lab, apps: Apps, hello: Device, damage: Callable[[bytes], bytes]) -> None:
    pids = hello.app_pid("hello"), hello.app_pid("ticker")
    hello.enter("systemctl", "stop", "davitd")
    with sqlite3.connect(hello.state / "state.db") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # all of it is in the file that is damaged
    database.close()
    in_place(hello.state / "state.db", damage)
    hello.enter("systemctl", "start", "davitd")

    assert hello.ctl("history") == []
    assert "state.db" in hello.log("davitd") and "a new one begun" in hello.log("davitd")
    assert (hello.state / "state.db.damaged").exists()
    assert (hello.app_pid("hello"), hello.app_pid("ticker")) == pids
    lab.install(hello, with_a_link(apps.hello("2-journal")))
    good(hello, "2-journal")


def test_a_deployment_whose_journal_is_lost_in_the_middle_is_offered_again_and_ends_well(
        lab: Lab, apps: Apps, hello: Device) -> None:
    action = lab.deploy(hello, with_a_link(apps.hello("2-middle", health={"stays_up": "5s"})))
    until(lambda: hello.ctl("status")["phase"] == "probation", "the probation", 30)
    hello.power_cut()
    with sqlite3.connect(hello.state / "state.db") as database:
        assert database.execute("SELECT count(*) FROM active").fetchone() == (1,)
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    in_place(hello.state / "state.db", zeroed)
    hello.boot()

    lab.succeeded(hello, action)
    good(hello, "2-middle")


# --- the server ---------------------------------------------------------------------------------------------------


@pytest.fixture
def proxy(lab: Lab) -> Iterator[Proxy]:
    proxy = Proxy(lab.run, lab.repository.url())
    yield proxy
    proxy.close()


@pytest.fixture
def behind_proxy(lab: Lab, apps: Apps, make_device: Any, proxy: Proxy) -> Device:
    device: Device = make_device(repository=proxy)
    lab.install(device, apps.hello("1"), apps.ticker("1"))
    return device


@pytest.mark.parametrize("kind", sweep([".dirtree", ".filez", ".commit", ".dirmeta"], 2))
def test_what_a_server_sends_damaged_is_refused_and_fetched_when_it_is_good(
        lab: Lab, apps: Apps, behind_proxy: Device, proxy: Proxy, kind: str) -> None:
    pids = behind_proxy.app_pid("hello"), behind_proxy.app_pid("ticker")
    bundle = apps.hello(f"2-server-{kind[1:]}")
    (bundle / "rootfs/new").mkdir(exist_ok=True)
    (bundle / "rootfs/new").chmod(0o700 + KINDS.index(kind[1:].rstrip("z")))  # a dirmeta of its own
    turns = itertools.cycle(DAMAGES)
    proxy.fault(Fault("damage", change=lambda data: next(turns)(data), only=kind))
    before = proxy.log()
    action = lab.deploy(behind_proxy, bundle)
    seen: set[str] = set()

    def tried_often() -> bool:
        seen.add(behind_proxy.ctl("status")["message"])
        return proxy.since(before).faulty.count >= 4
    until(tried_often, "some attempts", 40)
    assert any("trying again" in message for message in seen)
    assert (behind_proxy.app_pid("hello"), behind_proxy.app_pid("ticker")) == pids
    print("\n".join(sorted(seen)))
    proxy.fault(None)

    lab.succeeded(behind_proxy, action)
    assert behind_proxy.get("/version") == f"2-server-{kind[1:]}"
    assert behind_proxy.app_pid("ticker") == pids[1]
