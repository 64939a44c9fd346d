"""The publisher's and operator's side: example apps, committed, published and deployed with the real `davit` CLI."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.hawkbit import HawkBit
from tests.lab.product import BUILD
from tests.lab.run import Run

BUNDLES = Path("/src/containers/apps/bundles.py")


@dataclass
class Released:
    """A distribution set and the commits of its apps."""

    name: str
    version: str
    commits: dict[str, str]


class Publisher:
    """Has a key, a build repository, and the published one that a server hands out."""

    def __init__(self, run: Run, hawkbit: HawkBit, build: Path = BUILD) -> None:
        self._hawkbit, self._build = hawkbit, build
        self.program = build / "cli/davit"
        self.directory = run.path("publisher")
        self.directory.mkdir()
        self._words: dict[tuple[str, str], list[str]] = {}
        self.build_repository = self.directory / "build-repo"
        self.published = run.path("published")
        self.key, self.public_key = self.new_key("release")

    # --- the CLI ------------------------------------------------------------

    def davit(self, *words: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs `davit`. Server and login come from the environment and a file: ps shows no password."""
        answer = self.attempt(*words)
        if check and answer.returncode != 0:
            raise AssertionError(f"davit {' '.join(map(str, words))} ended with {answer.returncode}:\n"
                                 f"{answer.stdout}{answer.stderr}")
        return answer

    def attempt(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """The same, whatever its exit code."""
        return subprocess.run([self.program, *map(str, words)], env=os.environ | self.login(), check=False,
                              capture_output=True, text=True, timeout=300)

    def login(self) -> dict[str, str]:
        """`davit`'s environment for this server."""
        return {"DAVIT_HAWKBIT_URL": self._hawkbit.url, "DAVIT_HAWKBIT_USER": self._hawkbit.user,
                "DAVIT_HAWKBIT_PASSWORD_FILE": str(self._hawkbit.password_file), "HOME": str(self.directory)}

    def new_key(self, name: str) -> tuple[Path, Path]:
        """@return the secret and the public half"""
        base = self.directory / name
        self.davit("key", "new", base)
        return base.with_suffix(".key"), base.with_suffix(".pub")

    def commit(self, bundle: Path, *options: str | Path) -> str:
        """@return the commit's id"""
        answer = self.davit("app", "commit", bundle, "--key", self.key, "--repo", self.build_repository, "--json", *options)
        return str(json.loads(answer.stdout)["commit"])

    def publish(self, apps: Sequence[str], name: str, version: str, meta: Mapping[str, str] | None = None,
                on_device: Sequence[str] = ()) -> None:
        """@param on_device apps that the published ones may require"""
        words = [word for key, value in (meta or {}).items() for word in ("--meta", f"{key}={value}")]
        words += [word for app in on_device for word in ("--on-device", app)]
        self.davit("publish", "--repo", self.build_repository, "--to", self.published, *apps,
                   "--set", name, "--set-version", version, *words)

    def release(self, name: str, version: str, *bundles: Path, meta: Mapping[str, str] | None = None) -> Released:
        """Commits bundles and publishes them as one distribution set."""
        commits = {app_of(bundle): self.commit(bundle) for bundle in bundles}
        self.publish(list(commits), name, version, meta)
        return Released(name, version, commits)

    def deploy(self, release: Released, target: str) -> int:
        """Assigns it, as the click in the UI does. @return the action's id"""
        answer = self.davit("deploy", f"{release.name}:{release.version}", "--to", target, "--json")
        return int(json.loads(answer.stdout)["action"])

    # --- example apps -------------------------------------------------------

    def app(self, kind: str, version: str, *options: str, manifest: Mapping[str, Any] | None = None) -> Path:
        """A bundle of the example app `hello` or `ticker`. @param manifest changes to its davit.json (RFC 7386)"""
        words = [kind, version, *options, *([json.dumps(manifest, sort_keys=True)] if manifest else [])]
        bundle = self.directory / "bundles" / f"{kind}-{version}-{hashlib.sha256(repr(words).encode()).hexdigest()[:8]}"
        known = self._words.setdefault((kind, version), words)
        assert known == words, f"{kind} {version} is published already as {known}: a version is one thing"
        if not bundle.exists():
            bundle.parent.mkdir(exist_ok=True)
            subprocess.run([sys.executable, BUNDLES, kind, version, *options, "--into", bundle, "--build", self._build], check=True)
            file = bundle / "davit.json"
            if manifest and file.exists():
                file.write_text(json.dumps(merged(json.loads(file.read_text()), manifest), indent=2))
        return bundle

    def hello(self, version: str, *options: str) -> Path:
        return self.app("hello", version, *options)

    def ticker(self, version: str, *options: str) -> Path:
        return self.app("ticker", version, *options)


def merged(into: Any, patch: Any) -> Any:
    """RFC 7386: objects are merged, null removes, everything else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(into) if isinstance(into, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def app_of(bundle: Path) -> str:
    """The name in a bundle's manifest."""
    return str(json.loads((bundle / "davit.json").read_text())["name"])
