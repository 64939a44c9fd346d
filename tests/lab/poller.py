"""A client that asks a URL every 5 ms and notes which version answered when: downtime as a user sees it.

Runs as a process of its own (`python3 -m tests.lab.poller URL`), so that the lab's work does not slow it. Its times are
those of CLOCK_MONOTONIC, which all processes of a machine share.
"""

import gc
import socket
import statistics
import sys
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.lab.run import Process, Run
from tests.lab.wait import until

INTERVAL = 0.005
TIMEOUT = 0.5


@dataclass
class Sample:
    time: float  # when the answer was complete, or when it was clear that there is none
    good: bool
    body: str


class Poller:
    """Use as a context manager, or call stop()."""

    def __init__(self, run: Run, name: str, url: str) -> None:
        self._process: Process = run.start(f"poller-{name}", [sys.executable, "-m", "tests.lab.poller", url])
        until(self.samples, f"the first answer to {url}", 10)

    def __enter__(self) -> "Poller":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._process.stop()

    def samples(self) -> list[Sample]:
        found = []
        for line in self._process.log.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                when, good, body = line.rstrip("\n").split(" ", 2)
                found.append(Sample(float(when), good == "1", body))
        return found

    def first(self, version: str, after: float = 0.0) -> float | None:
        """When `version` answered for the first time after a moment."""
        return next((s.time for s in self.samples() if s.good and s.body == version and s.time > after), None)

    def downtime(self, after: float = 0.0, new: str | None = None) -> float:
        """Seconds from the last good answer before the longest silence since `after` to the first good one behind it.

        @param new the silence that ends with the first answer of this version instead of the longest one
        """
        good = [s for s in self.samples() if s.good and s.time >= after]
        gaps = [(b.time - a.time, a.body, b.body) for a, b in zip(good, good[1:])]
        if new is not None:
            gaps = [gap for gap in gaps if gap[2] == new and gap[1] != new]
        if not gaps:
            raise AssertionError(f"no change to {new!r} was seen" if new else "nothing answered")
        return max(gaps)[0]

    def outages(self, after: float = 0.0) -> int:
        """How often a good answer was followed by a failed one."""
        samples = [s for s in self.samples() if s.time >= after]
        return sum(1 for a, b in zip(samples, samples[1:]) if a.good and not b.good)

    def resolution(self) -> float:
        """The usual time between two good answers: what a figure of this poller is exact to."""
        good = [s.time for s in self.samples() if s.good]
        return statistics.median(b - a for a, b in zip(good, good[1:]))


def ask(address: tuple[str, int], request: bytes) -> str | None:
    """The body of a 200, or None. A connection per question, as a new client would have."""
    try:
        with socket.create_connection(address, TIMEOUT) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(request)
            answer = b""
            while piece := connection.recv(4096):
                answer += piece
    except OSError:
        return None
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found or head.split(b" ", 2)[1:2] != [b"200"]:
        return None
    return body.decode(errors="replace").strip().replace("\n", " ")


def main(url: str) -> None:
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 80)
    request = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()
    gc.disable()
    due = time.monotonic()
    while True:
        body = ask(address, request)
        now = time.monotonic()
        sys.stdout.write(f"{now:.6f} {int(body is not None)} {body or ''}\n")
        sys.stdout.flush()
        due = max(due + INTERVAL, now)
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main(sys.argv[1])
