"""A real hawkBit, and what the lab asks it. Publishing and deploying go through the `davit` CLI: this only looks."""

import base64
import json
import os
import secrets
import shutil
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.net import free_port
from tests.lab.run import Process, Run
from tests.lab.wait import until

JAR = Path(os.environ.get("DAVIT_HAWKBIT_JAR", "/cache/hawkbit.jar"))


@dataclass
class Action:
    """One deployment of one target as the server sees it."""

    id: int
    active: bool
    status: str
    reports: list[list[str]]  # the messages of each report, newest first

    @property
    def last(self) -> str:
        """What the newest report says."""
        return "; ".join(self.reports[0]) if self.reports else ""

    @property
    def text(self) -> str:
        return "\n".join("; ".join(filter(None, report)) for report in self.reports)


def read_action(item: dict[str, Any], rows: list[dict[str, Any]]) -> Action:
    """@param rows its statuses, newest first

    Up to 0.9 `status` only says pending or finished, and `detailStatus`, where there is one, says how; 0.3.0M7 has none:
    then the newest verdict counts. From 1.0 on there is `active`, and `status` says how.
    """
    reports = [[text for text in row.get("messages") or [] if text] for row in rows]
    if "active" in item:
        return Action(int(item["id"]), item["active"], item["status"], reports)
    verdicts = [row["type"] for row in rows if row["type"] in ("finished", "error", "canceled", "downloaded")]
    status = item.get("detailStatus") or next(iter(verdicts), item["status"])
    return Action(int(item["id"]), item["status"] == "pending", status, reports)


class HawkBit:
    """A real hawkBit. It listens on all addresses, so that devices reach it over their cables.

    Its database is in memory, unless it shall outlive a restart: then it can be backed up and restored.
    """

    def __init__(self, run: Run, polling: str = "00:00:01", *, database_on_disk: bool = False) -> None:
        self.run = run
        self.port = free_port(run)
        self.files = run.path(f"hawkbit-{self.port}")
        self._on_disk = database_on_disk
        self.url = f"http://127.0.0.1:{self.port}"
        self.user = "admin"
        self.password = secrets.token_urlsafe(12)
        self.gateway_token = secrets.token_urlsafe(24)
        self.files.mkdir()
        self.password_file = self._secret("operator.password", self.password)
        self.gateway_token_file = self._secret("gateway.token", self.gateway_token)
        self.process = self._start()
        self._polling = polling

    def wait_ready(self, timeout: float = 360) -> "HawkBit":
        """Returns when it answers, with the tenant set up for the lab."""
        until(self._answers, "hawkBit's start", timeout, every=0.3)
        self.configure("authentication.gatewaytoken.enabled", True)
        self.configure("authentication.gatewaytoken.key", self.gateway_token)
        self.configure("authentication.targettoken.enabled", True)
        self.configure("pollingTime", self._polling)
        return self

    def stop(self) -> None:
        self.process.stop()

    def back_up(self, name: str) -> None:
        """Stops it, and copies its database. It stays off: see start()."""
        self.stop()
        shutil.copytree(self._database, self._backup(name))

    def restore(self, name: str) -> None:
        """Stops it, and puts the database of a backup in the place of its own. It stays off: see start()."""
        self.stop()
        shutil.rmtree(self._database)
        shutil.copytree(self._backup(name), self._database)

    def start(self) -> None:
        """Starts it again, at the same address, with what its database has."""
        assert self._on_disk, "what was in memory is gone"
        self.process = self._start()
        until(self._answers, "hawkBit's start", 360, every=0.3)

    # --- what it knows ------------------------------------------------------

    def request(self, method: str, path: str, body: object = None) -> Any:
        """One call of the management API; the answer's JSON, or None for an empty one."""
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        request = urllib.request.Request(
            f"{self.url}/rest/v1{path}", method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Basic {login}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:  # a thousand devices may ask beside us
            text = answer.read()
        return json.loads(text) if text else None

    def configure(self, key: str, value: object) -> None:
        self.request("PUT", f"/system/configs/{key}", {"value": value})

    def target(self, controller_id: str) -> dict[str, Any] | None:
        try:
            return self.request("GET", f"/targets/{controller_id}")  # type: ignore[no-any-return]
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def create_target(self, controller_id: str, token: str | None = None) -> str:
        """@return its security token"""
        target = {"controllerId": controller_id, "name": controller_id} | ({"securityToken": token} if token else {})
        answer = self.request("POST", "/targets", [target])
        return str(answer[0]["securityToken"])

    def delete_target(self, controller_id: str) -> None:
        self.request("DELETE", f"/targets/{controller_id}")

    def count(self, query: str) -> int:
        """How many targets an RSQL query finds ("updatestatus==in_sync;assignedds.name==shop")."""
        return int(self.request("GET", f"/targets?limit=1&q={urllib.parse.quote(query)}")["total"])

    def attributes(self, controller_id: str) -> dict[str, str]:
        return self.request("GET", f"/targets/{controller_id}/attributes") or {}

    def actions(self, controller_id: str) -> list[Action]:
        """The target's actions, newest first."""
        answer = self.request("GET", f"/targets/{controller_id}/actions?limit=100&sort=id:DESC")
        return [self._action(controller_id, item) for item in answer["content"]]

    def action(self, controller_id: str, action_id: int) -> Action:
        return self._action(controller_id, self.request("GET", f"/targets/{controller_id}/actions/{action_id}"))

    def wait_closed(self, controller_id: str, action_id: int, timeout: float = 60) -> Action:
        """The action when the device has reported its end."""
        def closed() -> Action | None:
            action = self.action(controller_id, action_id)
            return None if action.active else action
        try:
            return until(closed, f"the end of action {action_id} of {controller_id}", timeout, every=0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.action(controller_id, action_id)}") from error

    def set_id(self, name: str, version: str) -> int:
        query = urllib.parse.quote(f"name=={name};version=={version}")
        return int(self.request("GET", f"/distributionsets?q={query}")["content"][0]["id"])

    def module_id(self, name: str, version: str) -> int:
        query = urllib.parse.quote(f"name=={name};version=={version}")
        return int(self.request("GET", f"/softwaremodules?q={query}")["content"][0]["id"])

    def set_metadata(self, module_id: int, **values: str) -> None:
        """Of a module, visible to devices."""
        self.request("POST", f"/softwaremodules/{module_id}/metadata",
                     [{"key": key, "value": value, "targetVisible": True} for key, value in values.items()])

    def assign(self, set_id: int, controller_id: str, kind: str = "forced", **extra: Any) -> int:
        """@return the new action's id. Where a test needs a set that the CLI would not make.

        @param extra  "forcetime", "maintenanceWindow", as hawkBit takes them
        """
        answer = self.request("POST", f"/distributionsets/{set_id}/assignedTargets",
                              [{"id": controller_id, "type": kind} | extra])
        if answer.get("assignedActions"):
            return int(answer["assignedActions"][0]["id"])
        return self.actions(controller_id)[0].id

    def cancel(self, controller_id: str, action_id: int) -> None:
        """The operator wants it stopped; the device decides."""
        self.request("DELETE", f"/targets/{controller_id}/actions/{action_id}")

    def force_quit(self, controller_id: str, action_id: int) -> None:
        """Closes an action without asking the device. hawkBit wants it to be canceled first."""
        self.cancel(controller_id, action_id)
        self.request("DELETE", f"/targets/{controller_id}/actions/{action_id}?force=true")

    def create_set(self, name: str, version: str, modules: list[dict[str, Any]], set_type: str = "app") -> int:
        """A distribution set of new modules {"name", "version", "type", "metadata": {…}}, for what the CLI refuses, or of
        those that are there: {"id"}."""
        ids = []
        for module in modules:
            if "id" in module:
                ids.append({"id": module["id"]})
                continue
            plain = {key: module[key] for key in ("name", "version", "type")}
            module_id = self.request("POST", "/softwaremodules", [plain])[0]["id"]
            if metadata := module.get("metadata"):
                self.set_metadata(module_id, **metadata)
            ids.append({"id": module_id})
        answer = self.request("POST", "/distributionsets",
                              [{"name": name, "version": version, "type": set_type, "modules": ids}])
        return int(answer[0]["id"])

    # --- inside -------------------------------------------------------------

    def _action(self, controller_id: str, item: dict[str, Any]) -> Action:
        rows = self.request("GET", f"/targets/{controller_id}/actions/{item['id']}/status?limit=500&sort=id:DESC")
        return read_action(item, rows["content"])

    @property
    def _database(self) -> Path:
        return self.files / "database"

    def _backup(self, name: str) -> Path:
        return self.files / f"backup-{name}"

    def _database_url(self) -> str:
        with zipfile.ZipFile(JAR) as jar:
            is_h2_2 = any(Path(name).name.startswith("h2-2.") for name in jar.namelist())
        return f"jdbc:h2:file:{self._database}/hawkbit;MODE={'LEGACY' if is_h2_2 else 'MySQL'};DB_CLOSE_ON_EXIT=FALSE"

    def _secret(self, name: str, text: str) -> Path:
        path = self.files / name
        path.touch(mode=0o600)
        path.write_text(text + "\n")
        return path

    def _start(self) -> Process:
        if not JAR.is_file() or JAR.stat().st_size == 0:
            raise FileNotFoundError(f"{JAR} is not there: `./dev demo` and `./dev test` assemble it")
        files = self.files
        # Both spellings of the first user, for the versions before and after 1.0; in the environment, where ps shows nothing.
        settings: dict[str, Any] = {
            "server": {"port": self.port},
            "spring": {"security": {"user": {"name": self.user, "password": "{noop}" + self.password}}},
            "hawkbit": {"security": {"user": {self.user: {"password": "{noop}" + self.password}}},
                        "controller": {"minPollingTime": "00:00:01"}},
            "org": {"eclipse": {"hawkbit": {"repository": {"file": {"path": str(files / "artifacts")}},
                                            "artifact": {"fs": {"path": str(files / "artifacts")}}}}},
        }
        if self._on_disk:
            settings["spring"]["datasource"] = {"url": self._database_url()}
        return self.run.start(f"hawkbit-{self.port}", [
            "java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--add-opens=java.base/java.lang=ALL-UNNAMED",
            f"-Djava.io.tmpdir={files}", "-jar", JAR], env={"SPRING_APPLICATION_JSON": json.dumps(settings)})

    def _answers(self) -> bool:
        if not self.process.alive():
            raise RuntimeError(f"hawkBit ended at its start:\n{self.process.tail(40)}")
        try:
            self.request("GET", "/targets")
            return True
        except urllib.error.HTTPError:
            return False
