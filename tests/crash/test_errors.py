"""Every call across every seam of the engine fails, with every kind of error, once or from then on; and every call that changes
a file of the device fails, in davitd and in davit-ostree. Whatever comes of the deployment: the apps are one complete set, what
is reported is so, and as soon as the fault is gone everything goes on.

The cases come from the interfaces (tests/crash/driver/watch.h) and from what a story does; effort.py says how many are tried.
"""

import errno
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.crash.effort import effort
from tests.crash.life import Device, Json, drive
from tests.crash.stories import STORIES, Story
from tests.crash.telling import Told, new_set, prepared, tell

OLD = ["hello 1", "ticker 1"]
# Together they call every method of every seam, each in every phase that has it.
TOLD = ("update", "unhealthy", "removal", "nothing-to-do", "waits")
CODES = ("InvalidInput", "NotFound", "AlreadyExists", "NoSpace", "Network", "Unauthorized", "Gone", "Quota", "ServerRefused",
         "Untrusted", "PolicyRefused", "Corrupt", "AppFailed", "Unsupported", "Canceled", "Interrupted", "System", "Defect")


@dataclass(frozen=True)
class Site:
    """The first call of a method in a phase of a story."""

    story: str
    number: int
    method: str
    phase: str


def story_named(name: str) -> Story:
    return next(story for story in STORIES if story.name == name)


def sites(told_stories: list[tuple[str, Told]]) -> list[Site]:
    seen: dict[tuple[str, str], Site] = {}
    for name, walked in told_stories:
        for visit in walked.visits:
            for place, call in enumerate(visit["calls"] + visit["cleaning"]):
                phase = visit["phase"] if place < len(visit["calls"]) else "done"
                seen.setdefault((phase, call), Site(name, visit["first_call"] + place, call, phase))
    return list(seen.values())


def truth(device: Device, story: Story, report: Json) -> None:
    """What was reported is so."""
    current = device.sets()["current"]
    new = new_set(story)
    if report["success"]:
        assert story.success, "a deployment that cannot succeed was reported as a success"
        assert current == new
    elif "going back failed" not in report["message"]:
        assert current == OLD
    if "but:" not in report["message"] and "going back failed" not in report["message"]:
        assert device.running() == {label.split()[0]: label for label in current}


def survives(device: Device, story: Story, orders: Json, end: Json) -> None:
    """One life with a fault, one without, and another deployment."""
    said = tell(story, device, orders)
    assert said is not None
    assert device.sets()["current"] in (OLD, new_set(story))
    reported = [report for report in device.reports() if report["id"] == "7"]
    for report in reported:
        truth(device, story, report)
    assert reported or said["errors"], "there is neither a result nor a reason for none"

    said = tell(story, device)
    assert said is not None and said["errors"] == []
    reports = [report for report in device.reports() if report["id"] == "7"]
    # What could not be taken off the outbox is sent again: the same.
    assert reports and all(report == reports[0] for report in reports) and reports[0] in (reported or reports)
    truth(device, story, reports[0])

    device.faults = {}
    said = device.live({"resume": True}, {"offer": device.server.deployment("8", "hello 2", "ticker 1")})
    assert said is not None and said["errors"] == []
    assert [report["success"] for report in device.reports() if report["id"] == "8"] == [True]
    assert device.sets()["current"] == ["hello 2", "ticker 1"]
    assert device.running() == {"hello": "hello 2", "ticker": "ticker 1"}
    device.fsck()
    assert [name for name in device.left_over() if name not in end["left over"]] == []


@pytest.mark.xdist_group("seams")
def test_every_method_of_every_seam_is_called(told: Callable[[str], Told]) -> None:
    table = drive({"verb": "table"})
    assert table
    called = {site.method for site in sites([(name, told(name)) for name in TOLD])}
    assert called == {seam["name"] for seam in table["seams"]}


SHARES = effort(8, 16, 48)


@pytest.mark.parametrize("share", range(SHARES))
def test_a_seam_fails(share: int, device: Device, told: Callable[[str], Told], installed: Device) -> None:
    """Cases in parts, so that workers share them."""
    walked = [(name, told(name)) for name in TOLD]
    table = drive({"verb": "table"})
    assert table
    can_fail = {seam["name"] for seam in table["seams"] if seam["fails"]}
    every = [site for site in sites(walked) if site.method in can_fail]
    for number, (site, orders) in list(enumerate(faults(every)))[share::SHARES]:
        copy = installed.copy(device.world.parent / str(number))
        story = story_named(site.story)
        try:
            survives(prepared(story, copy), story, orders, walked[0][1].end)
        except AssertionError as error:
            raise AssertionError(f"{site}: {orders}") from error
        shutil.rmtree(copy.world)


def faults(every: list[Site]) -> Iterator[tuple[Site, Json]]:
    """All codes before, after and from the call on; or some of that, others for each site."""
    hows: tuple[Json, ...] = ({}, {"afterwards": True}, {"lasting": True})
    for number, site in enumerate(every):
        codes = effort(1, 5, len(CODES))
        for place in range(codes):
            code = CODES[(number * 7 + place * (len(CODES) // codes)) % len(CODES)]
            for how in effort(hows[(number + place) % 3:][:1], hows[(number + place) % 3:][:1], hows):
                yield site, {"fail_at_call": site.number, "code": code} | how


@pytest.mark.parametrize("share", range(effort(4, 8, 24)))
@pytest.mark.parametrize("name", ["update", "unhealthy"])
def test_a_file_operation_fails(name: str, share: int, device: Device, told: Callable[[str], Told], installed: Device) -> None:
    """Any that changes something below the state directory: open, write, sync, rename, link, unlink, mkdir, symlink, …"""
    walked, story = told(name), story_named(name)
    last = walked.visits[-1]
    operations = last["first_operation"] + last["operations"] + 40     # and some of the clean-up
    for number in list(range(1, operations, operations // effort(20, 80, operations)))[share::effort(4, 8, 24)]:
        ways = [(errno.EIO, False), (errno.ENOSPC, True), (errno.ENOSPC, False), (errno.EIO, True)]
        for error, lasting in effort(ways[number % 4:][:1], ways[number % 4:][:1], ways):
            copy = installed.copy(device.world.parent / f"{number}-{error}-{lasting}")
            orders = {"fail_at_operation": number, "errno": error, "lasting": lasting}
            try:
                survives(prepared(story, copy), story, orders, told("update").end)
            except AssertionError as failure:
                raise AssertionError(f"operation {number} of {operations}: {orders}") from failure
            shutil.rmtree(copy.world)
