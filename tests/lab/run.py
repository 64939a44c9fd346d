"""What one run of the lab has started, on record: a directory below $DAVIT_RUN_DIR.

    owner       "PID START" of the lab itself
    processes   "PID START NAME", a line each
    places      what to remove at the end beside the directory itself, cgroups among them
    keep        present: the run outlives its owner (`./dev demo --keep`)

START is the process's start time, so that a reused PID is never mistaken for ours. A run whose owner is dead and which
is not kept is stopped by the next one. `./dev clean` stops kept ones: it reads <run>.pid beside the directory.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
RUNS = Path(os.environ.get("DAVIT_RUN_DIR", "/cache/run/lab"))


def start_time(pid: int) -> str | None:
    """The kernel's start time of a process; None if there is none (a zombie counts as none)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def is_alive(pid: int, start: str) -> bool:
    return start_time(pid) == start


class Process:
    """A long-lived program that the lab started, in a session of its own."""

    def __init__(self, popen: subprocess.Popen[bytes], name: str, log: Path) -> None:
        self.popen, self.name, self.log = popen, name, log
        self.pid = popen.pid

    def alive(self) -> bool:
        return self.popen.poll() is None

    def send(self, sig: int) -> None:
        self.popen.send_signal(sig)

    def stop(self, sig: int = signal.SIGTERM, timeout: float = 20.0) -> None:
        """Asks it to end and waits; kills it when it does not."""
        if not self.alive():
            return
        self.popen.send_signal(sig)
        try:
            self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()

    def tail(self, lines: int = 20) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Run:
    """The record and the resources of one lab. Use as a context manager."""

    def __init__(self, purpose: str) -> None:
        RUNS.mkdir(parents=True, exist_ok=True)
        stop_abandoned()
        self.directory = Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=RUNS))
        (self.directory / "owner").write_text(f"{os.getpid()} {start_time(os.getpid())}\n")
        self._undo: list[Callable[[], None]] = []
        self.kept = False

    def __enter__(self) -> "Run":
        signal.signal(signal.SIGTERM, lambda *_: _exit_by_signal())
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def path(self, name: str) -> Path:
        """A place of this run's own, removed with it."""
        return self.directory / name

    def start(self, name: str, command: Sequence[str | Path], env: dict[str, str] | None = None) -> Process:
        """Starts a program with its output in NAME.log. It inherits ./dev's lock on the build root, and nothing else."""
        log = self.path(f"{name}.log")
        with log.open("ab") as output:
            popen = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env=None if env is None else os.environ | env, start_new_session=True, close_fds=False)
        self._note("processes", f"{popen.pid} {start_time(popen.pid)} {name}")
        return Process(popen, name, log)

    def place(self, path: Path) -> Path:
        """Records a directory outside the run's own that goes with it."""
        self._note("places", str(path))
        return path

    def at_end(self, action: Callable[[], None]) -> None:
        """`action` runs when the run is closed (not when it is kept), the last registered first."""
        self._undo.append(action)

    def keep(self) -> None:
        """Leaves everything running after this process has ended."""
        self._note("keep", "")
        self.directory.with_suffix(".pid").write_text(
            "".join(f"{pid} {start_time(pid)}\n" for pid, _ in living(self.directory)))
        self.kept = True

    def close(self) -> None:
        if self.kept:
            return
        errors = []
        while self._undo:
            try:
                self._undo.pop()()
            except Exception as error:  # pylint: disable=broad-except  # the rest must still be undone
                errors.append(error)
        stop(self.directory)
        if errors:
            raise ExceptionGroup("the lab could not be put away cleanly", errors)

    def _note(self, record: str, line: str) -> None:
        with (self.directory / record).open("a") as file:
            file.write(line + "\n")


def _exit_by_signal() -> None:
    raise SystemExit("ended by SIGTERM")


def _lines(directory: Path, record: str) -> list[str]:
    try:
        return (directory / record).read_text().splitlines()
    except FileNotFoundError:
        return []


def living(directory: Path) -> list[tuple[int, str]]:
    """The (pid, name) of a run's programs that are still there."""
    found = []
    for line in _lines(directory, "processes"):
        pid, start, name = line.split(" ", 2)
        if is_alive(int(pid), start):
            found.append((int(pid), name))
    return found


def stop(directory: Path) -> None:
    """Ends what a run left: its processes (politely, then not), its places, its record."""
    for sig in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + 5
        for pid, _ in living(directory):
            os.kill(pid, sig)
        while living(directory) and time.monotonic() < deadline:
            time.sleep(0.05)
    for place in reversed(_lines(directory, "places")):
        remove(Path(place))
    shutil.rmtree(directory, ignore_errors=True)


def remove(path: Path) -> None:
    if path.is_relative_to(CGROUPS):
        _remove_cgroup(path)
    elif path.is_symlink():
        path.unlink(missing_ok=True)
    else:
        subprocess.run(["rm", "-rf", "--one-file-system", path], check=False)


def _remove_cgroup(path: Path) -> None:
    """Kills what is left in it and removes it; a cgroup is empty a moment after its last process has gone."""
    deadline = time.monotonic() + 5
    while path.is_dir() and time.monotonic() < deadline:
        for procs in path.rglob("cgroup.procs"):
            for pid in procs.read_text().split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
        for directory, _, _ in os.walk(path, topdown=False):
            try:
                os.rmdir(directory)
            except OSError:
                time.sleep(0.02)


def abandoned(directory: Path) -> bool:
    """True if its owner is gone without having put it away, and nobody wished to keep it."""
    owner = _lines(directory, "owner")
    if not owner or (directory / "keep").exists():
        return False
    pid, start = owner[0].split()
    return not is_alive(int(pid), start)


@contextmanager
def reservations() -> Iterator[None]:
    """Alone with the links that say whose a subnet or a port is: or two take the same left-over away, one too late."""
    with (RUNS.parent / "reservations.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def stop_abandoned() -> None:
    for directory in RUNS.iterdir():
        if directory.is_dir() and abandoned(directory):
            stop(directory)
    with reservations():
        _release_abandoned()


def _release_abandoned() -> None:
    """Of runs that were removed by force: their ports, and their devices' subnets and empty cgroups."""
    for reservation in [*RUNS.parent.glob("net-*"), *RUNS.parent.glob("port-*")]:
        if not reservation.is_symlink() or reservation.exists():
            continue
        machine = reservation.name.replace("net-", "davit-")
        for cgroup in [*CGROUPS.glob(machine), *CGROUPS.glob(f"*/{machine}")]:
            remove(cgroup)
        reservation.unlink(missing_ok=True)
