"""Disks that are full, and disks that fail, in coarse or in fine steps (effort.py)."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.effort import effort
from tests.crash.life import Device, Json
from tests.crash.power import copy_image, make_image, mounted, recorded_disk
from tests.crash.stories import STORIES
from tests.crash.telling import Told, prepared, tell

OLD, NEW = ["hello 1", "ticker 1"], ["hello 2", "ticker 1"]
UPDATE = next(story for story in STORIES if story.name == "update")
BLOCK = 4096
# More than an update needs, with what ext4 keeps back for itself.
ENOUGH = 1 << 20


@pytest.fixture(scope="session")
def image(installed: Device, place: Path) -> Path:
    """An ext4 with the state of `installed` in the directory `davit`."""
    file = place / "disk of installed"
    make_image(file, 24 << 20)
    with mounted(file, place / "mount") as mount:
        subprocess.run(["cp", "-a", installed.state, mount / "davit"], check=True)
    return file


@pytest.fixture
def bench(place: Path, request: pytest.FixtureRequest) -> Path:
    directory = place / request.node.name
    directory.mkdir()
    return directory


def with_state(installed: Device, world: Path, state: Path) -> Device:
    """The world of `installed`, and its state on another disk."""
    shutil.rmtree(world, ignore_errors=True)
    shutil.copytree(installed.world, world, symlinks=True, ignore=shutil.ignore_patterns("state"))
    return Device(installed.server, world, state)


def results(device: Device, number: str = "7") -> list[Json]:
    return [report for report in device.reports() if report["id"] == number]


def check_truth(device: Device) -> None:
    """What was reported of the update is so, and the apps are one complete set."""
    sets = device.sets()
    assert sets["current"] in (OLD, NEW)
    for result in results(device):
        assert sets["current"] == (NEW if result["success"] else OLD)


def goes_on(device: Device, told: Told, boot: bool = False) -> None:
    """Without the fault: the deployment gets its result, the next one succeeds, nothing is left over."""
    known = results(device)
    said = device.live({"resume": True}, {"offer": UPDATE.deployment(device.server)}, boot=boot,
                       env={"OSTREE_BOOTID": "another-boot"} if boot else None)
    assert said and said["errors"] == []
    check_truth(device)
    assert results(device) and all(result == (known or results(device))[0] for result in results(device))
    said = device.live({"resume": True}, {"offer": device.server.deployment("8", "hello 2", "ticker 1")})
    assert said and said["errors"] == [] and results(device, "8")[0]["success"]
    assert device.sets()["current"] == NEW
    device.fsck()
    # A directory of a commit that is kept and that the disk could not read was thrown away, which is noted at the commit. Its
    # checkout is whole, as was just seen; the rest comes again when it is needed.
    kept = {device.server.parts[label]["commit"] for labels in device.sets().values() for label in labels}
    noted = {f"repo/state/{commit}.commitpartial" for commit in kept}
    assert [name for name in device.left_over() if name not in told.end["left over"] and name not in noted] == []


# --- full ---------------------------------------------------------------------------------------------------------------


def leave_bytes(mount: Path, left: int) -> None:
    """Fills the disk until so much is left for root."""
    with (mount / "ballast").open("wb") as ballast:
        while (free := os.statvfs(mount).f_bavail * BLOCK) > left:
            os.posix_fallocate(ballast.fileno(), os.fstat(ballast.fileno()).st_size, max(BLOCK, (free - left) // 2 // BLOCK * BLOCK))
    subprocess.run(["sync", "-f", mount], check=True)


def leave_files(mount: Path, left: int) -> None:
    """Uses up the inodes until so many are left."""
    (mount / "ballast").mkdir()
    for number in range(os.statvfs(mount).f_ffree - left - 1):
        (mount / "ballast" / str(number)).touch()


def free_again(mount: Path) -> None:
    ballast = mount / "ballast"
    shutil.rmtree(ballast) if ballast.is_dir() else ballast.unlink()


def try_full(leave: Callable[[Path, int], None], left: int, installed: Device, image: Path, bench: Path, told: Told) -> bool:
    """One update with so little room. @return whether it succeeded"""
    copy_image(image, bench / "image")
    with mounted(bench / "image", bench / "mount") as mount:
        device = with_state(installed, bench / "world", mount / "davit")
        leave(mount, left)
        said = tell(UPDATE, device)
        assert said is not None
        check_truth(device)
        result = (results(device) or [None])[0]
        if result and not result["success"]:
            assert result["cause"] == "no-space", result
        if not result:  # not even that could be written down: it is offered again
            unopened = "unable to open database file"   # what SQLite says of a log that has no inode
            assert all(error["code"] == "NoSpace" or unopened in error["message"] for error in said["errors"]) and said["errors"]
        else:
            assert device.running() == {label.split()[0]: label for label in device.sets()["current"]}
        free_again(mount)
        goes_on(device, told)
        return bool(result and result["success"])


ROOM = [*range(0, 320 << 10, BLOCK * effort(8, 4, 1)), ENOUGH]
INODES = [*range(0, 90, effort(15, 5, 1)), 200]


@pytest.mark.parametrize("share", range(4))
def test_a_disk_with_too_little_room_is_no_more_than_a_failed_update(
        share: int, installed: Device, image: Path, bench: Path, told: Callable[[str], Told]) -> None:
    for left in ROOM[share::4]:
        try:
            succeeded = try_full(leave_bytes, left, installed, image, bench, told("update"))
            assert succeeded if left == ENOUGH else not succeeded if left == 0 else True
        except AssertionError as error:
            raise AssertionError(f"with {left} bytes left") from error


@pytest.mark.parametrize("share", range(2))
def test_a_disk_with_too_few_inodes_is_no_more_than_a_failed_update(
        share: int, installed: Device, image: Path, bench: Path, told: Callable[[str], Told]) -> None:
    for left in INODES[share::2]:
        try:
            succeeded = try_full(leave_files, left, installed, image, bench, told("update"))
            assert succeeded if left == 200 else not succeeded if left == 0 else True
        except AssertionError as error:
            raise AssertionError(f"with {left} inodes left") from error


# With less than that the journal cannot be opened, and it is systemd that tries again.
@pytest.mark.parametrize("left", range(64 << 10, 320 << 10, BLOCK * effort(16, 8, 2)))
def test_room_that_comes_back_is_used_without_a_restart(left: int, installed: Device, image: Path, bench: Path, told: Callable[[str], Told]) -> None:
    copy_image(image, bench / "image")
    with mounted(bench / "image", bench / "mount") as mount:
        device = with_state(installed, bench / "world", mount / "davit")
        leave_bytes(mount, left)
        offer, next_offer = UPDATE.deployment(device.server), device.server.deployment("8", "hello 2", "ticker 1")
        said = device.live({"resume": True}, {"offer": offer}, {"remove": str(mount / "ballast")}, {"offer": offer}, {"offer": next_offer})
        assert said is not None
        assert all(error["code"] == "NoSpace" for error in said["errors"]), said["errors"]
        assert [result["success"] for result in results(device, "8")] == [True]
        assert all(result["success"] or result["cause"] == "no-space" for result in results(device)) and results(device)
        assert device.sets()["current"] == NEW
        device.fsck()
        assert [name for name in device.left_over() if name not in told("update").end["left over"]] == []


# --- failing ------------------------------------------------------------------------------------------------------------


def try_failing(fault: str, installed: Device, image: Path, bench: Path, told: Told) -> None:
    """The disk fails in the middle of an update. Then the machine is switched off, and gets a good disk with what was on it."""
    copy_image(image, bench / "image")
    shutil.rmtree(bench / "world", ignore_errors=True)
    with recorded_disk(bench / "image", None, bench / "fuse") as disk:
        with mounted(disk / "disk", bench / "mount") as mount:
            device = with_state(installed, bench / "world", mount / "davit")
            (disk / "control").write_text(fault)
            tell(UPDATE, device)
    # As at a boot.
    checked = subprocess.run(["e2fsck", "-p", bench / "image"], capture_output=True, text=True, check=False)
    assert checked.returncode in (0, 1, 2), checked.stdout
    with mounted(bench / "image", bench / "mount") as mount:
        device.state = mount / "davit"
        check_truth(device)
        (device.world / "system.json").unlink()
        goes_on(device, told, boot=True)


@pytest.mark.parametrize("share", range(4))
@pytest.mark.parametrize("kind", ["read", "write", "write once"])
def test_a_disk_that_fails_makes_no_mixture_and_no_wrong_report(
        kind: str, share: int, installed: Device, image: Path, bench: Path, told: Callable[[str], Told]) -> None:
    word, _, once = kind.partition(" ")
    last = 60 if word == "read" else 160
    step = effort(last // 8, last // 20, 1)
    for number in range(1 + share * step, last, 4 * step):
        try:
            try_failing(f"fail {word} {number} {once}", installed, image, bench, told("update"))
        except AssertionError as error:
            raise AssertionError(f"fail {word} {number} {once}") from error
