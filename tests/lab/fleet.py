"""davit-fleet: many simulated devices in one process, and the sets that they can be given."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from tests.lab.hawkbit import HawkBit
from tests.lab.run import Process, Run

PROGRAM = Path(os.environ.get("DAVIT_TEST_BUILD", "/src/build/dev")) / "tests/fleet/davit-fleet"
MEMORY = Path("/dev/shm")
BATCH = 200  # targets a call: hawkBit takes seconds for more


class Fleet:
    """Devices `<prefix>-0001` and so on. Their state is in memory, and goes with the fleet."""

    def __init__(self, run: Run, server: HawkBit, devices: int, prefix: str) -> None:
        self._run, self._server, self._prefix = run, server, prefix + "-"
        self.names = [f"{self._prefix}{number:04}" for number in range(1, devices + 1)]
        self._state = run.place(MEMORY / f"davit-{run.directory.name}-{prefix}")
        self._process: Process | None = None
        run.at_end(self.close)

    def register(self) -> None:
        """Makes their targets, as an operator may do before they come."""
        for names in self._batches():
            self._server.request("POST", "/targets", [{"controllerId": name, "name": name} for name in names])

    def start(self, *options: str) -> None:
        self._state.mkdir(mode=0o700, exist_ok=True)
        self._process = self._run.start(f"{self._prefix}log", [
            PROGRAM, "--devices", str(len(self.names)), "--prefix", self._prefix, "--url", self._server.url, "--state", self._state,
            "--gateway-token-file", self._server.gateway_token_file, "--summary", self._summary, *options])

    def stop(self) -> dict[str, Any]:
        """@return its summary"""
        assert self._process is not None and self._process.alive(), self.tail()
        self._process.stop(timeout=120)
        return json.loads(self._summary.read_text())  # type: ignore[no-any-return]

    def close(self) -> None:
        if self._process is not None:
            self._process.stop()
        shutil.rmtree(self._state, ignore_errors=True)

    def tail(self) -> str:
        return self._process.tail() if self._process else "it was not started"

    def create_set(self, name: str, version: str, metadata: dict[str, str] | None = None) -> int:
        """A distribution set of one app, `hello`, of this version. Its sequence is the number in it."""
        commit = hashlib.sha256(f"hello {version}".encode()).hexdigest()
        return self._server.create_set(name, version, [
            {"name": "hello", "version": version, "type": "application", "metadata": {"commit": commit} | (metadata or {})}])

    def count(self, query: str) -> int:
        """How many of its devices the server finds so ("updatestatus==in_sync")."""
        return self._server.count(f"controllerid=={self._prefix}*;{query}")

    def assign(self, set_id: int) -> None:
        for names in self._batches():
            self._server.request("POST", f"/distributionsets/{set_id}/assignedTargets",
                                 [{"id": name, "type": "forced"} for name in names])

    @property
    def _summary(self) -> Path:
        return self._run.path(f"{self._prefix}summary.json")

    def _batches(self) -> list[list[str]]:
        return [self.names[start:start + BATCH] for start in range(0, len(self.names), BATCH)]
