"""What can happen to a deployment: for every row of the machine's table (agent/engine/transitions) a story that walks it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.crash.life import Device, Json, Server

Row = tuple[str, str]   # phase, event


def _keep(device: Device) -> None:
    """Nothing is prepared."""


def _break_numbering(device: Device) -> None:
    """No generation can get a number: something that is not ours has its file's place."""
    last = device.state / "generations/last"
    last.unlink()
    last.mkdir()


@dataclass(frozen=True)
class Story:
    name: str
    rows: tuple[Row, ...]                       # that it is told for
    labels: tuple[str, ...]                     # what the server asks for, of a device with hello 1 and ticker 1
    ends_with: tuple[str, ...] = ("hello 1", "ticker 1")
    cause: str = ""
    success: bool = False
    faults: dict[str, str] = field(default_factory=dict, hash=False)
    says: dict[str, str] = field(default_factory=dict, hash=False)     # people and the server, before a step
    cancel: str = ""
    prepare: Callable[[Device], None] = _keep
    members: dict[str, object] = field(default_factory=dict, hash=False)    # of the deployment
    hides_since: str = ""                       # phase from which on to the end the current generation cannot be read
    removes: str = ""                           # app that it takes off the device

    def deployment(self, server: Server) -> Json:
        deployment = server.deployment("7", *self.labels, **self.members)
        if self.removes:
            deployment["parts"].append(server.parts[f"{self.removes} 1"] | {"version": "", "commit": "", "remove": True})
        return deployment

    def orders(self) -> Json:
        return {"cancel": self.cancel, "hide": self.hides_since}


def canceled(phase: str, **more: Any) -> Story:
    return Story(f"canceled-{phase}", ((phase, "canceled"),), ("hello 2",), cause="canceled", cancel=phase, **more)


def denied(phase: str, **more: Any) -> Story:
    return Story(f"denied-{phase}", ((phase, "denied"),), ("hello 2",), cause="denied", **more)


CONFIRM: dict[str, object] = {"confirm": True}


def unreadable(phase: str, since: str, **more: Any) -> Story:
    """The generation that a deployment began with cannot be read any more."""
    return Story(f"unreadable-{phase}", ((phase, "failed"),), ("hello 2",), cause="corrupt", hides_since=since, **more)


STORIES = (
    Story("update", (("received", "planned"), ("downloading", "fetched"), ("verifying", "verified"), ("staged", "prepared"),
                     ("switching", "started"), ("probation", "kept")),
          ("hello 2",), ends_with=("hello 2", "ticker 1"), success=True),
    Story("removal", (("received", "planned"), ("switching", "started")), ("hello 2",), ends_with=("hello 2",), success=True,
          removes="ticker"),
    Story("nothing-to-do", (("received", "nothing-to-do"),), ("hello 1",), success=True),
    Story("systemd-is-mute", (("received", "failed"),), ("hello 1",), cause="system", faults={"hello 1": "unreadable"}),
    Story("unsigned", (("downloading", "failed"),), ("hello 6",), cause="untrusted"),
    Story("another-version-inside", (("verifying", "failed"),), ("hello 4",), cause="invalid-input"),
    Story("download-only", (("staged", "held"),), ("hello 2",), success=True, cause="downloaded", members={"download_only": True}),
    Story("no-numbers", (("staged", "failed"),), ("hello 2",), cause="system", prepare=_break_numbering),
    Story("never-ready", (("switching", "failed"), ("rolling-back", "rolled-back")), ("hello 3", "ticker 2"), cause="app-failed",
          faults={"hello 3": "never-ready"}),
    Story("unhealthy", (("probation", "failed"),), ("hello 3",), cause="app-failed", faults={"hello 3": "unhealthy"}),
    Story("no-way-back", (("rolling-back", "failed"),), ("hello 3",), ends_with=("hello 3", "ticker 1"), cause="app-failed",
          faults={"hello 3": "blocks-the-way"}),
    *(canceled(phase) for phase in ("received", "downloading", "verifying", "staged")),
    Story("confirmed", (("received", "must-confirm"), ("confirming", "confirmed")), ("hello 2",), ends_with=("hello 2", "ticker 1"),
          success=True, says={"begin": "yes"}, members=CONFIRM),
    Story("waits", (("received", "must-wait"), ("waiting-to-download", "allowed"), ("staged", "must-wait"), ("waiting-to-switch", "allowed")),
          ("hello 2",), ends_with=("hello 2", "ticker 1"), success=True, says={"download": "yes", "switch": "yes"}),
    denied("confirming", says={"begin": "no"}, members=CONFIRM),
    denied("waiting-to-download", says={"download": "no"}),
    denied("waiting-to-switch", says={"switch": "no"}),
    unreadable("confirming", "received", says={"begin": "yes"}, members=CONFIRM),
    unreadable("waiting-to-download", "received", says={"download": "yes"}),
    unreadable("waiting-to-switch", "staged", says={"switch": "yes"}),
    canceled("confirming", says={"begin": "yes"}, members=CONFIRM),
    canceled("waiting-to-download", says={"download": "yes"}),
    canceled("waiting-to-switch", says={"switch": "yes"}),
)


def story_of(row: Row) -> Story | None:
    return next((story for story in STORIES if row in story.rows), None)
