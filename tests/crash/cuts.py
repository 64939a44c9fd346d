"""What must be true of a device whose power was cut: before it boots, and after it has carried on."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.crash.life import Device, Json, Server
from tests.crash.power import BAD, BASE, FAULTS, GOOD, Cut, Recording, mounted, offers

# Until a device that starts has carried its deployment to the end. 2 s is the bound for a machine that has nothing else to do;
# the summary says what it took on this one.
LONGEST_RECOVERY_MS = 20_000


@dataclass
class Past:
    """What the rest of the world knew when the power went."""

    offered: list[str]
    reports: list[Json]

    @staticmethod
    def of(recording: Recording, cut: Cut) -> "Past":
        texts = recording.before(cut)
        return Past([text.split()[1] for text in texts if text.startswith("offered")],
                    [json.loads(text.removeprefix("reported ")) for text in texts if text.startswith("reported")])

    def may_be_current(self) -> list[list[str]]:
        """Old or new, until the result is out; from then on what the result said."""
        reported = {report["id"] for report in self.reports}
        if "22" in self.offered and "22" not in reported:
            return [GOOD, BAD]
        if "21" in reported:
            return [GOOD]
        return [BASE, GOOD] if "21" in self.offered else [BASE]

    def wanted(self) -> list[str]:
        """What the newest deployment brings."""
        return BAD if "22" in self.offered else GOOD

    def end(self) -> list[str]:
        return GOOD if "21" in self.offered else BASE


@dataclass
class Recovered:
    """A state that was recovered."""

    was_new: bool
    recovery_ms: int


def check_before(device: Device, past: Past) -> list[str]:
    """The disk as it is found. @return what is current"""
    sets = device.sets()
    assert sets.get("current") in past.may_be_current(), f"current is {sets.get('current')}, and may be {past.may_be_current()}"
    return sets["current"]


def check_after(device: Device, past: Past, said: Json, expected: list[str]) -> None:
    """The device after it has carried on, and the server has offered what it has no result for."""
    assert said["errors"] == [] and said["look"]["active"] is None
    assert device.sets()["current"] == past.end() == said["look"]["roles"]["current"]
    assert device.running() == {label.split()[0]: label for label in past.end()}
    results = {(report["id"], report["success"], report["cause"]) for report in device.reports()}
    truth = {("1", True, ""), ("21", True, ""), ("22", False, "app-failed")}
    assert results == {result for result in truth if result[0] in past.offered}
    assert device.left_over() == expected
    device.fsck()


def boot(device: Device, past: Past) -> Json:
    """The machine is switched on again: another boot for libostree, nothing runs, the apps of `current` start."""
    (device.world / "system.json").unlink(missing_ok=True)
    (device.world / "reports").write_text("".join(json.dumps(report) + "\n" for report in past.reports))
    device.faults = FAULTS
    said = device.live({"resume": True}, *({"offer": offer} for offer in offers(device.server) if offer["id"] in past.offered),
                       boot=True, env={"OSTREE_BOOTID": "another-boot"})
    assert said is not None
    return said


class Bench:
    """Where states are made, one after the other."""

    def __init__(self, server: Server, place: Path) -> None:
        self.server, self.place = server, place
        self._expected: dict[tuple[str, ...], list[str]] = {}

    def device(self, state: Path) -> Device:
        world = self.place / "world"
        shutil.rmtree(world, ignore_errors=True)
        return Device.make(self.server, world, state)

    def expected(self, past: Past) -> list[str]:
        """What a device that was never cut has on its disk."""
        key = tuple(past.offered)
        if key not in self._expected:
            device = Device.make(self.server, self.place / f"expected-{len(key)}")
            device.faults = FAULTS
            for offer in ([self.server.deployment("1", "hello 1", "ticker 1")], *([offer] for offer in offers(self.server) if offer["id"] in key)):
                said = device.live({"resume": True}, {"offer": offer[0]})
                assert said and not said["errors"], said
            self._expected[key] = sorted([*device.left_over(), "odd: lost+found"])
            shutil.rmtree(device.world)
        return self._expected[key]

    def found(self, recording: Recording, cut: Cut) -> list[str]:
        """Only looks at the disk that a cut left. @return what is current"""
        recording.make(cut, self.place / "image")
        with mounted(self.place / "image", self.place / "mount") as state:
            return check_before(self.device(state), Past.of(recording, cut))

    def recover(self, recording: Recording, cut: Cut) -> Recovered:
        recording.make(cut, self.place / "image")
        past = Past.of(recording, cut)
        with mounted(self.place / "image", self.place / "mount") as state:
            device = self.device(state)
            before = check_before(device, past)
            said = boot(device, past)
            check_after(device, past, said, self.expected(past))
        assert said["resume_ms"] <= LONGEST_RECOVERY_MS
        return Recovered(before == past.wanted(), said["resume_ms"])
