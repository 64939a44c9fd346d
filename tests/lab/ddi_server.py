"""A scripted DDI server: hawkBit 1.1's device API over a Model, for what the lab's older hawkBit does not have.

It listens on all addresses, as hawkBit does. Every request is on record with its token, so that a test can say what
did not happen.
"""

import hashlib
import json
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

from tests.lab.ddi_model import Action, Model, Refused, Target
from tests.lab.wait import until

T = TypeVar("T")


@dataclass
class Request:
    when: float
    method: str
    path: str
    resource: str  # "" for a poll, else "deploymentBase", "feedback", "configData", …
    token: str
    status: int
    body: Any = None


@dataclass
class Answer:
    status: int
    body: Any = None  # of JSON, or bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Habits:
    """What this server does differently from a stock one."""

    sleep: str = "00:00:01"
    gateway_only: bool = False     # no target tokens
    history: bool = True           # knows actionHistory
    attributes: bool = True        # has configData
    cancels: bool = True           # else an action that is canceled just goes
    quota: int = 429               # the status of what is too much; 403 up to 0.9
    links_to: str | None = None    # another scheme, host and port in every link
    refuses: dict[str, int] = field(default_factory=dict)  # status by resource: {"feedback": 403}


class DdiServer:
    """Use as a context manager. The model is changed and read under `lock`, which the operator's methods take."""

    def __init__(self, *, confirmation: bool = False, gateway_token: str = "gateway-secret") -> None:
        self.gateway_token = gateway_token
        self.model = Model(confirmation=confirmation)
        self.habits = Habits()
        self.lock = threading.RLock()
        self.requests: list[Request] = []
        self._http = ThreadingHTTPServer(("", 0), _handler(self))
        self._http.daemon_threads = True
        self.port = int(self._http.server_address[1])
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def __enter__(self) -> "DdiServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    # --- the operator -------------------------------------------------------

    def do(self, change: Callable[[Model], T]) -> T:
        """`server.do(lambda model: model.cancel(action))`"""
        with self.lock:
            return change(self.model)

    def assign(self, controller_id: str, *chunks: dict[str, Any], **words: Any) -> Action:
        return self.do(lambda model: model.assign(controller_id, *chunks, **words))

    def wait_for(self, condition: Callable[[Model], T], what: str, timeout: float = 60) -> T:
        return until(lambda: self.do(condition), what, timeout)

    def ended(self, action: Action, status: str, timeout: float = 60) -> Action:
        """The action when the device has ended it, which must be so."""
        self.wait_for(lambda _: not action.active, f"the end of action {action.id}", timeout)
        assert action.status == status, f"action {action.id} ended as {action.status}, not {status}: {action.messages}"
        return action

    # --- what happened ------------------------------------------------------

    def seen(self, resource: str | None = None, since: int = 0) -> list[Request]:
        """Requests of one kind ("" are polls); all of them without."""
        with self.lock:
            return [request for request in self.requests[since:] if resource is None or request.resource == resource]

    def polls(self, number: int, timeout: float = 60) -> list[Request]:
        """Waits for so many more polls. @return what came besides them"""
        since = len(self.seen())
        until(lambda: len(self.seen("", since)) >= number, f"{number} polls", timeout)
        return [request for request in self.seen(since=since) if request.resource]

    # --- answering ----------------------------------------------------------

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        url = urllib.parse.urlsplit(target)
        words = [urllib.parse.unquote(word) for word in url.path.strip("/").split("/")]
        with self.lock:
            resource = _resource(words)
            parsed = _json(body)
            try:
                answer = self._answer(method, words, urllib.parse.parse_qs(url.query), headers, parsed)
            except Refused as refused:
                status = self.habits.quota if refused.key.startswith("quota.") else refused.status
                answer = Answer(status, _error(refused))
            self.requests.append(Request(time.monotonic(), method, target, resource, headers.get("Authorization", ""),
                                         answer.status, parsed))
            return answer

    def _answer(self, method: str, words: list[str], query: dict[str, list[str]], headers: Any, body: Any) -> Answer:
        if len(words) < 4 or words[1:3] != ["controller", "v1"]:
            return _plain(404, "Not Found")
        device = self._authenticate(words, headers.get("Authorization", ""))
        resource = _resource(words)
        if resource in self.habits.refuses:
            raise Refused(self.habits.refuses[resource], "insufficientPermission")
        if method == "GET" and "xml" in headers.get("Accept", ""):
            return Answer(406)
        if method in ("POST", "PUT") and headers.get_content_type() not in ("application/json", "application/cbor"):
            return _plain(415, "Unsupported Media Type")
        base = f"{self.habits.links_to or 'http://' + headers['Host']}/{words[0]}/controller/v1/{words[3]}"
        route = (method, *("*" if word.lstrip("-").isdigit() else word for word in words[4:]))
        handlers: dict[tuple[str, ...], Callable[[], Answer]] = {
            ("GET",): lambda: self._poll(device, base),
            ("GET", "deploymentBase", "*"): lambda: self._deployment(device, words[5], query),
            ("GET", "installedBase", "*"): lambda: self._deployment(device, words[5], query, installed=True),
            ("GET", "cancelAction", "*"): lambda: self._cancel(device, words[5]),
            ("GET", "confirmationBase"): lambda: self._confirmations(device, base),
            ("GET", "confirmationBase", "*"): lambda: self._confirmation(device, words[5], query),
            ("POST", "deploymentBase", "*", "feedback"): lambda: self._feedback(self.model.feedback, device, words[5], body),
            ("POST", "cancelAction", "*", "feedback"): lambda: self._feedback(self.model.cancel_feedback, device, words[5], body),
            ("POST", "confirmationBase", "*", "feedback"): lambda: self._feedback(self.model.confirm, device, words[5], body),
            ("POST", "confirmationBase", "activateAutoConfirm"): lambda: self._auto_confirm(device, True),
            ("POST", "confirmationBase", "deactivateAutoConfirm"): lambda: self._auto_confirm(device, False),
            ("PUT", "configData"): lambda: self._attributes(device, body),
        }
        if not self.habits.attributes:
            del handlers["PUT", "configData"]
        if not self.habits.cancels:
            handlers = {known: handler for known, handler in handlers.items() if "cancelAction" not in known}
        if route in handlers:
            return _tagged(handlers[route](), method, headers)
        if any(known[1:] == route[1:] for known in handlers):
            return _plain(405, "Method Not Allowed")
        if len(words) > 5 and words[4] in ("deploymentBase", "cancelAction", "confirmationBase") and route[2] != "*":
            raise Refused(400, "rest.param")
        return _plain(404, "Not Found")

    def _authenticate(self, words: list[str], header: str) -> Target:
        tenant, controller_id = words[0], words[3]
        if tenant.upper() != "DEFAULT":
            raise Refused(401)
        target = self.model.state.targets.get(controller_id)
        if header == f"GatewayToken {self.gateway_token}":
            if not 0 < len(controller_id) <= 128 or any(c.isspace() for c in controller_id):
                raise Refused(400, "repo.constraintViolation")
            return target or self.model.create_target(controller_id)
        if target and not self.habits.gateway_only and header == f"TargetToken {target.token}":
            return target
        raise Refused(401)

    def _poll(self, target: Target, base: str) -> Answer:
        links: dict[str, Any] = {}
        if target.status == "unknown":
            target.status = "registered"
        for action in self.model.active(target.controller_id)[:1]:
            kind = {"canceling": "cancelAction", "wait_for_confirmation": "confirmationBase"}.get(action.status, "deploymentBase")
            if kind == "cancelAction" and not self.habits.cancels:
                self.model.force_quit(action)
                return self._poll(target, base)
            query = "" if kind == "cancelAction" else f"?c={action.tag()}"
            links[kind] = {"href": f"{base}/{kind}/{action.id}{query}"}
        if installed := self.model.installed(target.controller_id):
            links["installedBase"] = {"href": f"{base}/installedBase/{installed.id}"}
        if target.wants_attributes and self.habits.attributes:
            links["configData"] = {"href": f"{base}/configData"}
        body: dict[str, Any] = {"config": {"polling": {"sleep": self.habits.sleep}}}
        if links:
            body["_links"] = links
        return Answer(200, body)

    def _deployment(self, target: Target, action_id: str, query: dict[str, list[str]], *, installed: bool = False) -> Answer:
        action = self.model.action(target.controller_id, action_id)
        if action.status in ("canceling", "canceled", "wait_for_confirmation") or (installed and action.active):
            raise Refused(404)
        if not installed:
            self.model.retrieved(action)  # also one that is closed: its `finished` is gone then
        return Answer(200, self._described(action, "deployment", query))

    def _confirmation(self, target: Target, action_id: str, query: dict[str, list[str]]) -> Answer:
        action = self.model.action(target.controller_id, action_id)
        if action.status != "wait_for_confirmation":
            raise Refused(404)
        return Answer(200, self._described(action, "confirmation", query))

    def _described(self, action: Action, member: str, query: dict[str, list[str]]) -> dict[str, Any]:
        body: dict[str, Any] = {"id": str(action.id), member: action.modes() | {"chunks": action.chunks}}
        asked = int(query.get("actionHistory", ["0"])[0])
        if asked and self.habits.history:
            own = [text for row in reversed(action.rows) for text in row.messages if not text.startswith("Update Server: ")]
            body["actionHistory"] = {"status": action.status.upper(), "messages": own[:100 if asked < 0 else asked]}
        return body

    def _cancel(self, target: Target, action_id: str) -> Answer:
        action = self.model.action(target.controller_id, action_id)
        if action.status not in ("canceling", "canceled"):
            raise Refused(404)
        return Answer(200, {"id": str(action.id), "cancelAction": {"stopId": str(action.id)}})

    def _confirmations(self, target: Target, base: str) -> Answer:
        other = "deactivateAutoConfirm" if target.auto_confirm else "activateAutoConfirm"
        links = {other: {"href": f"{base}/confirmationBase/{other}"}}
        for action in self.model.active(target.controller_id):
            if action.status == "wait_for_confirmation":
                links["confirmationBase"] = {"href": f"{base}/confirmationBase/{action.id}?c={action.tag()}"}
        return Answer(200, {"autoConfirm": {"active": target.auto_confirm, "activatedAt": 0}, "_links": links})

    def _feedback(self, effect: Callable[[Action, dict[str, Any]], None], target: Target, action_id: str, body: Any) -> Answer:
        action = self.model.action(target.controller_id, action_id)
        if not isinstance(body, dict):
            raise Refused(400, "rest.body.notReadable")
        effect(action, body)
        return Answer(200)

    def _auto_confirm(self, target: Target, on: bool) -> Answer:
        self.model.auto_confirm(target, on)
        return Answer(200)

    def _attributes(self, target: Target, body: Any) -> Answer:
        if not isinstance(body, dict):
            raise Refused(400, "rest.body.notReadable")
        self.model.attributes(target, body)
        return Answer(200)


class Stranger:
    """A server that nobody should talk to; counts who does."""

    def __init__(self) -> None:
        self.visits: list[tuple[str, str]] = []  # path, token
        visits = self.visits

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # pylint: disable=invalid-name
                visits.append((self.path, self.headers.get("Authorization", "")))
                self.send_error(404)

            do_POST = do_PUT = do_GET

        self._http = ThreadingHTTPServer(("", 0), Handler)
        self.port = int(self._http.server_address[1])
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self) -> "Stranger":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()


def _resource(words: list[str]) -> str:
    """Of a path: "feedback", "cancelFeedback", "confirm", or the name of what is below the device."""
    below = words[4:]
    if below and below[-1] == "feedback":
        return {"cancelAction": "cancelFeedback", "confirmationBase": "confirm"}.get(below[0], "feedback")
    return below[0] if below else ""


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body


def _error(refused: Refused) -> Any:
    if not refused.key:
        return None
    return {"exceptionClass": "org.eclipse.hawkbit.scripted", "errorCode": f"hawkbit.server.error.{refused.key}",
            "message": refused.message or refused.key}


def _plain(status: int, error: str) -> Answer:
    """What Spring itself says."""
    return Answer(status, {"timestamp": int(time.time() * 1000), "status": status, "error": error})


def _tagged(answer: Answer, method: str, headers: Any) -> Answer:
    """hawkBit's ETag is a hash of the body."""
    if method != "GET" or answer.status != 200:
        return answer
    tag = '"0' + hashlib.md5(json.dumps(answer.body).encode()).hexdigest() + '"'
    answer.headers["ETag"] = tag
    return Answer(304, None, answer.headers) if headers.get("If-None-Match") == tag else answer


def _handler(server: DdiServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = server.answer(self.command, self.path, self.headers, body)
            data = b"" if answer.body is None else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate")
            if data:
                self.send_header("Content-Type", "application/hal+json" if answer.status == 200 else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = _serve

        def log_message(self, *_: Any) -> None:  # pylint: disable=arguments-differ
            pass

    return Handler
