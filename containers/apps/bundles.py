#!/usr/bin/env python3
"""Makes bundles of the example apps, good and broken, for the demo, the tests and the bench.

    bundles.py hello 2 --into DIR [--health-status 500] [--never-ready] [--legacy] ...

A bundle is a directory with rootfs/ and davit.json (docs/manifest.md), ready for `davit app commit`. Equal arguments make equal bundles.
"""

import argparse
import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BUILD = Path("/src/build/release")
PORTS = {"hello": 8080, "ticker": 8081}
LEGACY_NAMESPACES = ("pid", "ipc", "uts", "mount")


@dataclass(frozen=True)
class Payload:
    """Files of incompressible content, so that a bundle has a size."""

    files: int = 0
    size: int = 0
    changed: int = 0  # so many of the first files differ from those of a payload with changed=0
    seed: int = 0
    round: int = 0    # the changed files differ from those of any other round

    def write(self, directory: Path) -> None:
        if self.files == 0:
            return
        directory.mkdir(parents=True)
        for number in range(self.files):
            change = self.round + 1 if number < self.changed else 0
            generator = random.Random(f"{self.seed} {number} {change}")
            (directory / f"{number:05}").write_bytes(generator.randbytes(self.size))


@dataclass(frozen=True)
class App:
    kind: str
    version: str
    port: int = 0
    options: Sequence[str] = ()  # of the program
    payload: Payload = field(default_factory=Payload)

    @property
    def args(self) -> list[str]:
        return [f"/bin/{self.kind}", "--port", str(self.port or PORTS[self.kind]), *self.options]

    def manifest(self) -> dict[str, Any]:
        return {
            "schema": 1, "name": self.kind, "version": self.version,
            "start": {"type": "notify", "timeout": "20s"},
            "health": {"http": f"http://127.0.0.1:{self.port or PORTS[self.kind]}/health", "every": "500ms", "stays_up": "2s"},
            "process": {"args": self.args, "user": "1000:1000"},
        }

    def legacy_config(self) -> dict[str, Any]:
        """FullMetalUpdate's form: what `runc spec` makes, with the host's network."""
        return {
            "ociVersion": "1.0.2",
            "process": {"terminal": False, "user": {"uid": 1000, "gid": 1000}, "args": self.args, "cwd": "/",
                        "env": ["PATH=/usr/bin:/bin", "TERM=xterm"], "noNewPrivileges": True,
                        "capabilities": {"bounding": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]},
                        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}]},
            "root": {"path": "rootfs", "readonly": True},
            "hostname": self.kind,
            "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                       {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
                       {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "ro"]}],
            "linux": {"namespaces": [{"type": name} for name in LEGACY_NAMESPACES]},
        }


def make_bundle(app: App, into: Path, build: Path = BUILD, legacy: bool = False) -> None:
    """Writes the bundle of an example app to a directory that must not exist yet."""
    rootfs = into / "rootfs"
    for name in ("bin", "etc", "proc", "dev", "sys", "run", "tmp"):
        (rootfs / name).mkdir(parents=True)
    shutil.copy(build / "containers/apps" / app.kind, rootfs / "bin" / app.kind)
    (rootfs / "etc/version").write_text(app.version + "\n")
    for name in ("hosts", "resolv.conf"):
        (rootfs / "etc" / name).touch()
    app.payload.write(rootfs / "srv")
    if legacy:
        write_json(into / "config.json", app.legacy_config())
        # FullMetalUpdate's build adds these; Davit ignores them.
        (into / "systemd.service").write_text(f"[Service]\nExecStart=/usr/bin/runc run {app.kind}\n")
        (into / "auto.start").touch()
    else:
        write_json(into / "davit.json", app.manifest())


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=sorted(PORTS))
    parser.add_argument("version")
    parser.add_argument("--into", type=Path, required=True, metavar="DIR", help="the bundle; must not exist yet")
    parser.add_argument("--build", type=Path, default=BUILD, metavar="DIR", help=f"where the programs were built ({BUILD})")
    parser.add_argument("--legacy", action="store_true", help="FullMetalUpdate's form: config.json, no davit.json")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--health-status", type=int, metavar="N", help="what /health answers")
    parser.add_argument("--start-delay", type=int, metavar="MS", help="waits before it listens")
    parser.add_argument("--exit-after", type=int, metavar="MS", help="ends with exit code 3 so long after READY")
    parser.add_argument("--hang-after", type=int, metavar="MS", help="feeds systemd's watchdog no longer so long after READY")
    parser.add_argument("--never-ready", action="store_true", help="serves, but never sends READY=1")
    parser.add_argument("--files", type=int, default=0, metavar="N", help="adds N files of incompressible content")
    parser.add_argument("--file-size", type=int, default=0, metavar="BYTES")
    parser.add_argument("--changed", type=int, default=0, metavar="N", help="the first N files have other content than without this")
    parser.add_argument("--round", type=int, default=0, metavar="N", help="the changed files have other content in each round")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="other content in every file")
    return parser.parse_args()


def program_options(arguments: argparse.Namespace) -> list[str]:
    options = ["--never-ready"] if arguments.never_ready else []
    for name in ("health_status", "start_delay", "exit_after", "hang_after"):
        value = getattr(arguments, name)
        if value is not None:
            options += [f"--{name.replace('_', '-')}", str(value)]
    return options


def main() -> None:
    arguments = read_arguments()
    payload = Payload(arguments.files, arguments.file_size, arguments.changed, arguments.seed, arguments.round)
    app = App(arguments.kind, arguments.version, arguments.port, program_options(arguments), payload)
    make_bundle(app, arguments.into, arguments.build, arguments.legacy)


if __name__ == "__main__":
    main()
