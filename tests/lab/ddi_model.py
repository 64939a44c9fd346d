"""What hawkBit 1.1 knows about targets and actions, and what a device's words do to it.

Follows the contract as it was read from its source and observed at a running server; the lab's hawkBit is older and
has no confirmation. No network here: see ddi_server.py. The operator's side is the methods of Model.
"""

import copy
import itertools
import re
import time
from dataclasses import dataclass, field
from typing import Any

MOST_STATUSES = 1000
MOST_MESSAGES = 50
LONGEST_MESSAGE = 512
MARKUP = re.compile(r"<[A-Za-z/!?]")  # what jsoup takes for a tag: "<new>", not "a < b"
ATTRIBUTE = re.compile(r"[a-zA-Z0-9_\-!@#$%^&*()+=\[\]{}|;:'\",.<>/\\?\s]*")
EXECUTIONS = {"closed", "proceeding", "canceled", "scheduled", "rejected", "resumed", "downloaded", "download"}


class Refused(Exception):
    """An answer that is no success: `status`, and hawkBit's error key, empty for an empty body."""

    def __init__(self, status: int, key: str = "", message: str = "") -> None:
        super().__init__(f"{status} {key} {message}")
        self.status, self.key, self.message = status, key, message


@dataclass
class Row:
    """One status of an action."""

    type: str
    messages: list[str]


@dataclass
class Action:
    id: int
    controller_id: str
    chunks: list[dict[str, Any]]
    kind: str = "forced"  # forced, soft, timeforced, downloadonly
    window: bool | None = None  # of maintenance: is it open now? None: there is none
    force_reached: bool = False  # of timeforced
    weight: int = 1000
    status: str = "running"
    active: bool = True
    code: int | None = None
    rows: list[Row] = field(default_factory=list)
    revision: int = 1
    said: dict[str, str] = field(default_factory=dict)  # "download" or "update" in words that no hawkBit has yet

    @property
    def messages(self) -> list[str]:
        """All that the device said, oldest first."""
        return [message for row in self.rows for message in row.messages]

    def modes(self) -> dict[str, str]:
        forced = self.kind == "forced" or self.force_reached
        download = "forced" if forced or self.kind == "downloadonly" else "attempt"
        update = "skip" if self.kind == "downloadonly" or self.window is False else download
        modes = {"download": download, "update": update}
        if self.window is not None:
            modes["maintenanceWindow"] = "available" if self.window else "unavailable"
        return modes | self.said

    def tag(self) -> int:
        """The `c` of its links: changes with every status and with what depends on the time."""
        value = hash((self.id, self.revision, self.force_reached, self.window)) & 0xFFFFFFFF
        return value - (1 << 32) if value >= 1 << 31 else value


@dataclass
class Target:
    controller_id: str
    token: str
    attributes: dict[str, str] = field(default_factory=dict)
    wants_attributes: bool = True
    auto_confirm: bool = False
    status: str = "unknown"
    installed: int | None = None  # an action's id
    installed_at: int = 0


@dataclass
class State:
    """What a backup has."""

    targets: dict[str, Target] = field(default_factory=dict)
    actions: dict[int, Action] = field(default_factory=dict)
    next_id: int = 1


class Model:
    def __init__(self, *, confirmation: bool = False) -> None:
        self.confirmation = confirmation
        self.state = State()

    # --- the operator -------------------------------------------------------

    def create_target(self, controller_id: str, token: str = "secret") -> Target:
        target = self.state.targets[controller_id] = Target(controller_id, token)
        return target

    def delete_target(self, controller_id: str) -> None:
        """With its actions."""
        del self.state.targets[controller_id]
        self.state.actions = {key: action for key, action in self.state.actions.items() if action.controller_id != controller_id}

    def assign(self, controller_id: str, *chunks: dict[str, Any], **words: Any) -> Action:
        """A new action; those that are active are canceled for it. @param words members of Action, `confirm=False`"""
        confirm = self.confirmation and words.pop("confirm", True)
        for older in self.active(controller_id):
            self.cancel(older)
        action = Action(self.state.next_id, controller_id, list(chunks), **words)
        self.state.next_id += 1
        if confirm and not self.target(controller_id).auto_confirm:
            action.status = "wait_for_confirmation"
        action.rows.append(Row(action.status, ["Update Server: assigned"]))
        self.state.actions[action.id] = action
        self.target(controller_id).status = "pending"
        return action

    def cancel(self, action: Action) -> None:
        if not action.active or action.status == "canceling":
            raise Refused(405, "action.notCancelable")
        self._now(action, "canceling", ["Update Server: cancelation requested"])

    def force_quit(self, action: Action) -> None:
        action.active = False
        self._now(action, "canceled", ["Update Server: forced"])

    def change(self, action: Action, **words: Any) -> None:
        """Other terms for it: `window`, `force_reached`, `kind`, `said`. Its link changes."""
        for member, value in words.items():
            assert hasattr(action, member)
            setattr(action, member, value)
        action.revision += 1

    def delete_action(self, action: Action) -> None:
        del self.state.actions[action.id]

    def backup(self) -> State:
        return copy.deepcopy(self.state)

    def restore(self, backup: State) -> None:
        """Ids that were used since are used again."""
        self.state = copy.deepcopy(backup)

    # --- what it knows ------------------------------------------------------

    def target(self, controller_id: str) -> Target:
        return self.state.targets[controller_id]

    def active(self, controller_id: str) -> list[Action]:
        """The heaviest first, then the oldest."""
        mine = (action for action in self.state.actions.values() if action.controller_id == controller_id and action.active)
        return sorted(mine, key=lambda action: (-action.weight, action.id))

    def installed(self, controller_id: str) -> Action | None:
        """What has an installedBase: a finished action, which reading it again makes `retrieved`."""
        action = self.state.actions.get(self.target(controller_id).installed or 0)
        return action if action and action.status == "finished" else None

    # --- the device ---------------------------------------------------------

    def action(self, controller_id: str, action_id: str) -> Action:
        if not action_id.lstrip("-").isdigit():
            raise Refused(400, "rest.param", "no number")
        action = self.state.actions.get(int(action_id))
        if action is None or action.controller_id != controller_id:
            raise Refused(404, "repo.entityNotFound", f"Action with given identifier {{{action_id}}} does not exist.")
        return action

    def retrieved(self, action: Action) -> None:
        if action.rows[-1].type != "retrieved":
            self._row(action, "retrieved", [])
            if action.status not in ("canceling", "canceled"):
                action.status = "retrieved"

    def feedback(self, action: Action, body: dict[str, Any]) -> None:
        if not action.active:
            raise Refused(410)
        if action.status == "wait_for_confirmation":
            raise Refused(404)
        execution, finished, messages = _read_feedback(body)
        if execution == "closed":
            action.active = False
            self._end(action, "error" if finished == "failure" else "finished", messages, body)
        elif execution == "downloaded" and action.kind == "downloadonly":
            self._check_quota(action)
            action.active = False
            self._end(action, "downloaded", messages, body)
        else:
            self._check_quota(action)
            kinds = {"download": "download", "downloaded": "downloaded", "canceled": "canceled", "rejected": "warning"}
            self._row(action, kinds.get(execution, "running"), messages)

    def cancel_feedback(self, action: Action, body: dict[str, Any]) -> None:
        if action.status not in ("canceling", "canceled"):
            raise Refused(405, "action.notCancelable")
        execution, finished, messages = _read_feedback(body)
        if execution == "closed" and finished != "failure":
            action.active = False
            self._now(action, "canceled", messages)
            if not self.active(action.controller_id):
                self.target(action.controller_id).status = "in_sync"
        elif execution in ("closed", "rejected"):
            self._row(action, "cancel_rejected", messages)
            action.status = "running"
        else:
            self._check_quota(action)
            self._row(action, "warning" if execution == "canceled" else "running", messages)

    def confirm(self, action: Action, body: dict[str, Any]) -> None:
        if not action.active:
            raise Refused(410)
        if action.status != "wait_for_confirmation":
            raise Refused(404)
        answer = body.get("confirmation")
        if answer not in ("confirmed", "denied"):
            raise _unreadable()
        messages = _messages(body)
        if answer == "confirmed":
            self._now(action, "running", messages)
        else:
            self._row(action, "wait_for_confirmation", messages)  # and it is offered again

    def auto_confirm(self, target: Target, on: bool) -> None:
        if on and target.auto_confirm:
            raise Refused(409, "repo.autoConfAlreadyActive")
        target.auto_confirm = on
        for action in self.active(target.controller_id) if on else []:
            if action.status == "wait_for_confirmation":
                self._now(action, "running", ["Update Server: auto-confirmed"])

    def attributes(self, target: Target, body: dict[str, Any]) -> None:
        data, mode = body.get("data"), body.get("mode", "merge")
        if not isinstance(data, dict) or not data or mode not in ("merge", "replace", "remove"):
            raise _unreadable()
        for word in [*data, *(value for value in data.values() if value is not None)]:
            if len(word) > 128 or not ATTRIBUTE.fullmatch(word):
                raise Refused(400, "repo.invalidTargetAttributes")
        kept = {} if mode == "replace" else dict(target.attributes)
        for key, value in data.items():
            if mode == "remove" or value is None:
                kept.pop(key, None)
            else:
                kept[key] = value
        if len(kept) > 100:
            raise Refused(429, "quota.tooManyEntries")
        target.attributes = kept
        target.wants_attributes = target.wants_attributes and mode == "remove"

    # --- inside -------------------------------------------------------------

    def _row(self, action: Action, kind: str, messages: list[str]) -> None:
        action.rows.append(Row(kind, messages))
        action.revision += 1

    def _now(self, action: Action, status: str, messages: list[str]) -> None:
        self._row(action, status, messages)
        action.status = status

    def _check_quota(self, action: Action) -> None:
        if len(action.rows) >= MOST_STATUSES:
            raise Refused(429, "quota.tooManyEntries")

    def _end(self, action: Action, status: str, messages: list[str], body: dict[str, Any]) -> None:
        self._now(action, status, messages)
        target = self.target(action.controller_id)
        when = body.get("timestamp") or int(time.time() * 1000)
        if status == "error":
            target.status = "error"
        elif status == "downloaded":
            target.status, target.wants_attributes = "in_sync", True
        elif target.installed_at < when:  # a device whose clock ran ahead once stays pending
            target.installed, target.installed_at = action.id, when
            target.status, target.wants_attributes = "in_sync", True


def chunk(name: str, version: str, *, part: str = "bApp", artifacts: list[dict[str, Any]] | None = None,
          **metadata: str) -> dict[str, Any]:
    """A software module as devices see it: without visible metadata there is no such member."""
    made: dict[str, Any] = {"part": part, "version": version, "name": name, "artifacts": artifacts or []}
    if metadata:
        made["metadata"] = [{"key": key, "value": value} for key, value in metadata.items()]
    return made


def _unreadable() -> Refused:
    return Refused(400, "rest.body.notReadable", "The given request body is not well formed")


def _read_feedback(body: dict[str, Any]) -> tuple[str, str, list[str]]:
    status = body.get("status")
    if not isinstance(status, dict) or not isinstance(status.get("result"), dict):
        raise _unreadable()
    execution, finished = status.get("execution"), status["result"].get("finished")
    if execution not in EXECUTIONS or finished not in ("success", "failure", "none"):
        raise _unreadable()
    return execution, finished, _messages(status)


def _messages(status: dict[str, Any]) -> list[str]:
    details = status.get("details") or []
    messages = [details] if isinstance(details, str) else list(details)
    pieces = list(itertools.chain.from_iterable(
        [text[at:at + LONGEST_MESSAGE] for at in range(0, len(text), LONGEST_MESSAGE)] for text in messages))
    if "code" in status and status["code"] is not None:
        pieces.append(f"Device reported status code: {status['code']}")
    if len(pieces) > MOST_MESSAGES:
        raise Refused(429, "quota.tooManyEntries")
    if any(MARKUP.search(piece) for piece in pieces):
        raise Refused(400, "repo.constraintViolation", "Invalid characters in string")
    return pieces
