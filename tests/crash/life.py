"""Lives of davitd (tests/crash/driver) on a disk that a test may treat badly, and what one sees afterwards.

What is on the disk is judged here without the product's help: files are compared byte for byte with what was published.
"""

import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BUILD = Path(os.environ.get("DAVIT_TEST_CRASH_BUILD", "build/dev")).resolve()
DRIVER = BUILD / "tests/crash/crash_driver"
SHIM = BUILD / "tests/crash/libcrash_shim.so"
OSTREE = BUILD / "ostree/davit-ostree"
ROLES = ("current", "previous", "held")

Json = dict[str, Any]


def drive(job: Json, env: dict[str, str] | None = None) -> Json | None:
    """Runs the driver. @return what it says; None if it was killed"""
    done = subprocess.run([DRIVER], input=json.dumps(job), capture_output=True, text=True, timeout=120, check=False,
                          env=os.environ | {"LD_PRELOAD": str(SHIM)} | (env or {}))
    if done.returncode in (-signal.SIGKILL, -signal.SIGBUS):    # SIGBUS: mapped pages on a disk that fails
        return None
    assert done.returncode == 0, f"the driver ended with {done.returncode}: {done.stderr}"
    out: Json = json.loads(done.stdout)
    out["log"] = done.stderr
    return out


def tree_digest(tree: Path) -> str:
    """Of everything that a container could notice: names, kinds, owners, modes, links, bytes."""
    digest = hashlib.sha256()
    for directory, folders, files in os.walk(tree):
        folders.sort()
        for name in sorted(folders + files):
            path = Path(directory) / name
            status = path.lstat()
            content = b""
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path).encode()
            elif stat.S_ISREG(status.st_mode):
                content = path.read_bytes()
            owner = f"{status.st_mode:o} {status.st_uid} {status.st_gid} {len(content)}"
            digest.update(f"{path.relative_to(tree)}\0{owner}\0".encode() + content)
    return digest.hexdigest()


class Server:
    """What was published; the same for all devices of a session."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        published = directory / "published"
        if not published.exists():
            said = drive({"verb": "publish", "world": str(directory)})
            assert said and "parts" in said, said
            published.write_text(json.dumps(said))
        said = json.loads(published.read_text())
        self.parts: Json = said["parts"]
        self._deployment: Json = said["deployment"]
        self.digests = {label: tree_digest(directory / "trees" / label.replace(" ", "-")) for label in self.parts}

    def deployment(self, number: str, *labels: str, **members: object) -> Json:
        parts = [self.parts[label] for label in labels]
        return self._deployment | {"id": number, "parts": parts} | members


@dataclass
class Device:
    """A state directory, and beside it what the rest of the world remembers: what runs, and what was reported."""

    server: Server
    world: Path
    state: Path
    faults: dict[str, str] = field(default_factory=dict)
    says: dict[str, str] = field(default_factory=dict)  # to the next step of a deployment: {"switch": "yes"}

    @staticmethod
    def make(server: Server, directory: Path, state: Path | None = None) -> "Device":
        directory.mkdir(parents=True)
        (directory / "root").symlink_to(server.directory / "root")
        state = state or directory / "state"
        state.mkdir(mode=0o700, exist_ok=True)
        return Device(server, directory, state)

    def copy(self, directory: Path) -> "Device":
        shutil.copytree(self.world, directory, symlinks=True, ignore=shutil.ignore_patterns("state"))
        subprocess.run(["cp", "-a", self.state, directory / "state"], check=True)
        return Device(self.server, directory, directory / "state", dict(self.faults), dict(self.says))

    def live(self, *steps: Json, orders: Json | None = None, boot: bool = False, env: dict[str, str] | None = None) -> Json | None:
        return drive({"verb": "live", "world": str(self.world), "state": str(self.state), "ostree": str(OSTREE), "boot": boot,
                      "faults": self.faults, "says": self.says, "orders": orders or {}, "steps": list(steps)}, env)

    def reports(self) -> list[Json]:
        file = self.world / "reports"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def running(self) -> dict[str, str]:
        """App to label of what has started well."""
        system = json.loads((self.world / "system.json").read_text())
        return {app: one["label"] for app, one in system["running"].items() if one["ready"]}

    def deeds(self) -> list[str]:
        file = self.world / "system.json.deeds"
        return file.read_text().splitlines() if file.exists() else []

    def sets(self) -> dict[str, list[str]]:
        """Role to its apps; fails when a set that has a role is not complete, byte for byte."""
        return {role: self._complete(role) for role in ROLES if os.path.lexists(self.state / role)}

    def _complete(self, role: str) -> list[str]:
        generation = self.state / role
        apps = json.loads((generation / "generation.json").read_text())["apps"]
        assert sorted(os.listdir(generation / "apps")) == sorted(app["name"] for app in apps), f"{role}: links and list differ"
        labels = []
        for app in apps:
            label = f"{app['name']} {app['version']}"
            assert tree_digest(generation / "apps" / app["name"]) == self.server.digests[label], f"{role}: {label} is damaged"
            labels.append(label)
        return labels

    def left_over(self) -> list[str]:
        """Everything on the disk by name (generations without their numbers, which may differ)."""
        names = [f"generations: {sum(name.isdigit() for name in os.listdir(self.state / 'generations'))}"]
        names += [f"odd: {path}" for path in (".", "generations") for path in sorted(os.listdir(self.state / path))
                  if not path.isdigit() and path not in ("last", "state.db-wal", "state.db-shm")]
        for place in ("checkouts/*/*", "checkouts/*/.*", "repo/refs/heads/deploy/*/*", "repo/objects/*/*", "repo/state/*", "repo/tmp/staging*"):
            # libostree's locks are empty, and go at the next boot.
            names += [str(path.relative_to(self.state)) for path in self.state.glob(place) if not path.name.endswith("-lock")]
        return sorted(names)

    def describe(self, said: Json) -> Json:
        """All that can be seen of a device on which nothing is under way."""
        history = [{key: entry[key] for key in ("id", "success", "message", "cause")} for entry in said["look"]["history"]]
        seen = {"sets": self.sets(), "look": said["look"]["roles"], "active": said["look"]["active"], "history": history,
                "reports": self.reports(), "running": self.running(), "left over": self.left_over(), "errors": said["errors"]}
        out: Json = json.loads(json.dumps(seen).replace(str(self.state), "STATE"))
        return out

    def fsck(self) -> None:
        done = subprocess.run(["ostree", "fsck", "-q", f"--repo={self.state}/repo"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"ostree fsck: {done.stdout}{done.stderr}"
