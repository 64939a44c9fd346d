"""A device: Debian with systemd as PID 1 in a systemd-nspawn container, real runc, real OSTree, a cable of its own."""

import hashlib
import json
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.lab.net import reserve_subnet
from tests.lab.run import Process, Run, remove
from tests.lab.wait import until

ROOT = Path(os.environ.get("DAVIT_DEVICE_ROOT", "/cache/device-root"))
STATE = "/var/lib/davit"


class Device:
    """One device, made of read-only layers (plain root, product) and an upper one that is its disk.

    The disk outlives power cuts and reboots; close() removes it. `name` is what the device calls itself to the server;
    on this machine it has a name of its own, so that several labs can have a `demo-1`.
    """

    def __init__(self, run: Run, name: str, layers: Sequence[Path] = (), disk: str | None = None) -> None:
        """@param disk size of the disk for /var/lib/davit ("40M"); None: as much as this machine has"""
        self.run, self.name = run, name
        number = reserve_subnet(run)
        self.machine = f"davit-{number}"  # the cable's name ve-davit-N has room in the kernel's 15 characters
        self.host_address, self.address = f"10.88.{number}.1", f"10.88.{number}.2"
        self.directory = run.path(self.machine)
        self._nspawn: Process | None = None
        self._cgroups: list[Path] = []
        self.leader = 0
        self._make_disk(layers, disk)
        run.at_end(self.close)

    # --- power --------------------------------------------------------------

    def boot(self, timeout: float = 30) -> float:
        """Switches it on. @return seconds until systemd says `running`"""
        assert self._nspawn is None, "it is on already"
        started = time.monotonic()
        cgroups = self._make_cgroups()
        self._nspawn = self.run.start(f"device-{self.machine}", [
            # Two devices in one cgroup would share their payload's tree, so each is started in a cgroup of its own.
            "sh", "-c", 'for c in $0; do echo $$ > "$c/cgroup.procs"; done; exec "$@"', " ".join(map(str, cgroups)),
            "systemd-nspawn", "--register=no", "--keep-unit", "--quiet", "--capability=all",
            "--system-call-filter=@keyring @mount bpf", f"--machine={self.machine}",
            f"--uuid={hashlib.md5(self.machine.encode()).hexdigest()}", f"--directory={self.root}",
            f"--bind={self.state}:{STATE}", "--network-veth", "--boot",
        ], env={"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"})
        self.leader = until(self._find_leader, f"{self.name}'s first process", 10, every=0.01)
        self.cable_in()
        until(self._booted, f"the boot of {self.name}", timeout, every=0.02)
        return time.monotonic() - started

    def stop(self) -> None:
        """Shuts it down in good order."""
        if self._nspawn is None:
            return
        if self._nspawn.alive():
            os.kill(self.leader, signal.SIGRTMIN + 4)
        self._wait_off(30)

    def power_cut(self) -> None:
        """Every process is gone at once. The page cache of this machine survives: a cut of processes, not of a disk."""
        os.kill(self.leader, signal.SIGKILL)
        self._wait_off(10)

    def reboot(self) -> float:
        self.stop()
        return self.boot()

    def close(self) -> None:
        """Switches it off for good and removes its disk."""
        if self._nspawn is not None:
            if self._nspawn.alive() and self.leader:
                os.kill(self.leader, signal.SIGKILL)
            self._wait_off(10)
        for mount in (self.root, self.state):
            if os.path.ismount(mount):
                subprocess.run(["umount", "--lazy", mount], check=True)
        remove(self.directory)

    # --- its cable ----------------------------------------------------------

    def cable_out(self) -> None:
        subprocess.run(["ip", "link", "set", f"ve-{self.machine}", "down"], check=True)

    def cable_in(self) -> None:
        subprocess.run(["ip", "address", "replace", f"{self.host_address}/24", "dev", f"ve-{self.machine}"], check=True)
        subprocess.run(["ip", "link", "set", f"ve-{self.machine}", "up"], check=True)
        self.sh(f"ip address replace {self.address}/24 dev host0; ip link set host0 up; ip link set lo up")

    # --- working on it ------------------------------------------------------

    def enter(self, *command: str | Path, check: bool = True, timeout: float = 60) -> str:
        """Runs a short command in its namespaces. @return what it printed; both streams are in the error"""
        answer = self.attempt(*command, timeout=timeout)
        if check and answer.returncode != 0:
            raise AssertionError(f"{self.name}: {shlex.join(map(str, command))} ended with {answer.returncode}\n"
                                 f"{answer.stdout}{answer.stderr}")
        return answer.stdout

    def attempt(self, *command: str | Path, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """The same, whatever its exit code."""
        return subprocess.run(
            ["nsenter", "-t", str(self.leader), "-a", "--", *map(str, command)], stdin=subprocess.DEVNULL, check=False,
            capture_output=True, text=True, timeout=timeout, env={"PATH": "/usr/sbin:/usr/bin", "LANG": "C.UTF-8"})

    def sh(self, script: str, check: bool = True) -> str:
        return self.enter("sh", "-c", script, check=check)

    def service(self, *command: str | Path, timeout: float = 120) -> str:
        """Runs a command as a transient service: for what reads its own cgroup or lives long."""
        return self.enter("systemd-run", "--quiet", "--pipe", "--wait", "--collect", *command, timeout=timeout)

    def ctl(self, *words: str) -> Any:
        """`davitctl WORDS --json`, parsed."""
        return json.loads(self.enter("davitctl", *words, "--json"))

    def write(self, path: str, text: str | bytes, mode: int = 0o644) -> None:
        """Writes a file on its disk, whether it is on or off. Not for /run."""
        file = self._on_disk(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        file.chmod(mode)

    def remove(self, path: str) -> None:
        self._on_disk(path).unlink(missing_ok=True)

    # --- looking at it ------------------------------------------------------

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        text = self.enter("systemctl", "show", unit, f"--property={','.join(properties)}")
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def pid(self, unit: str) -> int:
        """The main process of a unit, 0 if it has none."""
        return int(self.show(unit, "MainPID")["MainPID"])

    def host_pid(self, pid: int) -> int:
        """The same process's number outside."""
        for line in self.sh(f"cat /proc/{pid}/status").splitlines():
            if line.startswith("NSpid"):
                break
        namespace = os.readlink(f"/proc/{self.leader}/ns/pid")
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.readlink(entry / "ns/pid") == namespace:
                    numbers = [row for row in (entry / "status").read_text().splitlines() if row.startswith("NSpid")][0].split()
                    if int(numbers[-1]) == pid:
                        return int(entry.name)
            except OSError:
                continue
        raise AssertionError(f"{self.name}: no process {pid}")

    def app_pid(self, app: str) -> int:
        return self.pid(f"davit-app-{app}.service")

    def journal(self, *matches: str, lines: int = 1000) -> list[dict[str, Any]]:
        """Journal entries that match ("_SYSTEMD_UNIT=davitd.service"), oldest first."""
        text = self.enter("journalctl", "--output=json", "--quiet", f"--lines={lines}", *matches)
        return [json.loads(line) for line in text.splitlines()]

    def log(self, unit: str, lines: int = 60) -> str:
        """The end of a unit's journal, for people."""
        return self.enter("journalctl", "--quiet", "--output=short-precise", f"--lines={lines}", f"--unit={unit}", check=False)

    def get(self, path: str, port: int = 8080, timeout: float = 2) -> str | None:
        """GET over its cable; None when nothing answers with 200."""
        answer = subprocess.run(["curl", "-sf", "-m", str(timeout), f"http://{self.address}:{port}{path}"],
                                check=False, capture_output=True, text=True)
        return answer.stdout if answer.returncode == 0 else None

    def is_on(self) -> bool:
        return self._nspawn is not None and self._nspawn.alive()

    # --- inside -------------------------------------------------------------

    def _make_disk(self, layers: Sequence[Path], disk: str | None) -> None:
        self.root, self.state = self.directory / "root", self.directory / "state"
        upper, work = self.directory / "up", self.directory / "work"
        for place in (self.root, self.state, upper, work, upper / "var/log/journal", upper / "var/lib/davit"):
            place.mkdir(parents=True)
        (upper / "var/lib/davit").chmod(0o700)
        (upper / "etc").mkdir()
        (upper / "etc/hostname").write_text(self.name + "\n")
        lower = ":".join(str(layer) for layer in [*reversed(layers), ROOT])
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={lower},upperdir={upper},workdir={work}",
                        self.root], check=True)
        if disk:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={disk},mode=700", "tmpfs", self.state], check=True)
        self.state.chmod(0o700)

    def _on_disk(self, path: str) -> Path:
        if path.startswith(STATE + "/"):
            return self.state / path[len(STATE) + 1:]
        return self.root / path.lstrip("/")

    def _make_cgroups(self) -> list[Path]:
        base = Path("/sys/fs/cgroup")
        hierarchies = [base / name for name in ("unified", "systemd") if (base / name).is_dir()] or [base]
        made = [hierarchy / self.machine for hierarchy in hierarchies]
        for cgroup in made:
            if cgroup not in self._cgroups:
                remove(cgroup)  # of a device that nobody put away
                self._cgroups.append(self.run.place(cgroup))
            cgroup.mkdir(exist_ok=True)
        return made

    def _find_leader(self) -> int:
        assert self._nspawn is not None
        if not self._nspawn.alive():
            raise RuntimeError(f"{self.name} did not start:\n{self._nspawn.tail()}")
        children = [pid for task in Path(f"/proc/{self._nspawn.pid}/task").iterdir()
                    for pid in (task / "children").read_text().split()]
        ready = os.path.exists(f"/sys/class/net/ve-{self.machine}")
        return int(children[0]) if len(children) == 1 and ready and self._has_cable(int(children[0])) else 0

    def _has_cable(self, leader: int) -> bool:
        return "host0" in Path(f"/proc/{leader}/net/dev").read_text()

    def _booted(self) -> bool:
        state = self.attempt("systemctl", "is-system-running").stdout.strip()
        if state == "degraded":
            raise RuntimeError(f"{self.name} is degraded:\n{self.enter('systemctl', '--failed', '--no-legend', '--plain')}")
        return state == "running"

    def _wait_off(self, timeout: float) -> None:
        assert self._nspawn is not None
        until(lambda: not self._nspawn or not self._nspawn.alive(), f"{self.name} to be off", timeout, every=0.02)
        self._nspawn, self.leader = None, 0
