"""The scripted DDI server answers as a real hawkBit does, wherever both can be asked."""

import json
import urllib.error
import urllib.request
from typing import Any, Protocol

from tests.lab.ddi_model import chunk
from tests.lab.ddi_server import DdiServer
from tests.lab.hawkbit import HawkBit


class Operator(Protocol):
    """What the conversation asks of either server's operator."""

    def assign(self, kind: str) -> str: ...
    def cancel(self, action: str) -> None: ...
    def force_quit(self, action: str) -> None: ...


class OfHawkBit:
    def __init__(self, hawkbit: HawkBit, device: str) -> None:
        self._hawkbit, self._device = hawkbit, device
        self._sets = 0

    def assign(self, kind: str) -> str:
        self._sets += 1
        made = self._hawkbit.create_set(f"agreement-{self._sets}", "1", [
            {"name": "hello", "version": f"agreement-{self._sets}", "type": "application", "metadata": {"commit": "a"}}])
        return str(self._hawkbit.assign(made, self._device, kind))

    def cancel(self, action: str) -> None:
        self._hawkbit.cancel(self._device, int(action))

    def force_quit(self, action: str) -> None:
        self._hawkbit.force_quit(self._device, int(action))


class OfScript:
    def __init__(self, server: DdiServer, device: str) -> None:
        self._server, self._device = server, device

    def assign(self, kind: str) -> str:
        return str(self._server.assign(self._device, chunk("hello", "1", commit="a"), kind=kind.replace("_", "")).id)

    def cancel(self, action: str) -> None:
        self._server.do(lambda model: model.cancel(model.state.actions[int(action)]))

    def force_quit(self, action: str) -> None:
        self._server.do(lambda model: model.cancel(model.state.actions[int(action)]))
        self._server.do(lambda model: model.force_quit(model.state.actions[int(action)]))


class Conversation:
    """A device's requests, each with what was answered."""

    def __init__(self, url: str, device: str, token: str) -> None:
        self._base, self._token = f"{url}/DEFAULT/controller/v1/{device}", token
        self.answers: list[str] = []

    def ask(self, method: str, path: str = "", body: Any = None, token: str | None = None) -> Any:
        if path.endswith("/feedback"):
            body = {"id": path.split("/")[2]} | body  # before 0.3.0M8 it was compared
        request = urllib.request.Request(
            self._base + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"GatewayToken {token or self._token}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, b""
        self.answers.append(f"{len(self.answers)} {method} {path.split('/')[1:2]}: {429 if status == 403 else status}")
        return json.loads(text) if text else None

    def note(self, what: Any) -> None:
        self.answers.append(f"{len(self.answers)} {what}")

    def links(self) -> dict[str, Any]:
        links = (self.ask("GET") or {}).get("_links", {})
        self.note(sorted(set(links) - {"installedBase"}))  # which came with 0.3.0M8
        return links


def feedback(execution: str, finished: str = "none", *details: str) -> dict[str, Any]:
    return {"status": {"execution": execution, "result": {"finished": finished}, "details": list(details)}}


def talk(device: Conversation, operator: Operator) -> None:
    device.ask("GET", token="wrong")
    device.links()
    device.ask("PUT", "/configData", {"mode": "merge", "data": {"hw.model": "x"}})
    device.ask("PUT", "/configData", {"mode": "merge", "data": {}})
    device.ask("PUT", "/configData", {"mode": "merge", "data": {"key": "v" * 200}})
    device.links()

    action = operator.assign("forced")
    href = device.links()["deploymentBase"]["href"]
    device.note(("c=" in href, f"/deploymentBase/{action}?" in href))
    described = device.ask("GET", f"/deploymentBase/{action}")
    device.note((described["id"] == action, sorted(described["deployment"]), sorted(described["deployment"]["chunks"][0])))
    device.note((described["deployment"]["download"], described["deployment"]["update"], described["deployment"]["chunks"][0]["part"]))
    place = f"/deploymentBase/{action}/feedback"
    device.ask("POST", place, feedback("proceeding", "none", "one", "two"))
    device.ask("POST", place, feedback("whatever"))
    device.ask("POST", place, {"status": {"execution": "closed"}})
    device.ask("POST", place, feedback("proceeding", "none", *["x"] * 51))
    device.ask("POST", place, feedback("canceled"))
    device.ask("POST", place, feedback("rejected"))
    device.ask("POST", f"/cancelAction/{action}/feedback", feedback("closed", "success"))
    device.ask("GET", f"/cancelAction/{action}")
    device.links()
    device.ask("POST", place, feedback("closed", "success", "done"))
    device.ask("POST", place, feedback("closed", "success", "done"))
    device.links()
    device.ask("POST", "/deploymentBase/99999999/feedback", feedback("closed", "success"))
    device.ask("GET", "/deploymentBase/99999999")

    for answer in (feedback("rejected"), feedback("closed", "success")):
        action = operator.assign("soft")
        described = device.ask("GET", f"/deploymentBase/{action}")
        device.note((described["deployment"]["download"], described["deployment"]["update"]))
        operator.cancel(action)
        device.links()
        device.note(device.ask("GET", f"/cancelAction/{action}")["cancelAction"]["stopId"] == action)
        device.ask("GET", f"/deploymentBase/{action}")
        device.ask("POST", f"/cancelAction/{action}/feedback", feedback("proceeding"))
        device.ask("POST", f"/cancelAction/{action}/feedback", answer)
        device.links()
        device.ask("POST", f"/deploymentBase/{action}/feedback", feedback("closed", "failure", "it is over"))
        device.links()

    action = operator.assign("forced")
    operator.force_quit(action)
    device.links()
    device.ask("POST", f"/deploymentBase/{action}/feedback", feedback("closed", "success"))

    older, newer = operator.assign("forced"), operator.assign("forced")
    device.note([f"/cancelAction/{older}" in device.links().get("cancelAction", {}).get("href", "")])
    device.ask("POST", f"/cancelAction/{older}/feedback", feedback("closed", "success"))
    device.note([f"/deploymentBase/{newer}" in device.links().get("deploymentBase", {}).get("href", "")])


def test_the_same_conversation_has_the_same_answers(hawkbit: HawkBit) -> None:
    name = "agreement"
    real = Conversation(hawkbit.url, name, hawkbit.gateway_token)
    talk(real, OfHawkBit(hawkbit, name))
    with DdiServer() as server:
        scripted = Conversation(f"http://127.0.0.1:{server.port}", name, server.gateway_token)
        talk(scripted, OfScript(server, name))

    assert scripted.answers == real.answers
