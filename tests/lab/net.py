"""Addresses: a subnet per device, a port per server. Reserved, so that several labs can work side by side."""

import os
import socket
from collections.abc import Callable

from tests.lab.run import RUNS, Run, reservations

# Below the kernel's ephemeral ports, which any connection of anybody may take between our choice and our server's start.
PORTS = range(20_000, 32_000)


def free_port(run: Run) -> int:
    """A TCP port that nobody listens on, this run's own until its end."""
    return _reserve(run, "port", PORTS, _is_free)


def reserve_subnet(run: Run) -> int:
    """The N of 10.88.N.0/24 for one device, unique on this machine."""
    return _reserve(run, "net", range(1, 255), lambda number: not os.path.exists(f"/sys/class/net/ve-davit-{number}"))


def _reserve(run: Run, kind: str, numbers: range, is_free: Callable[[int], bool]) -> int:
    """The first free number. A reservation is a symbolic link to the run that has it, beside the runs of all checkouts."""
    with reservations():
        for number in numbers:
            link = RUNS.parent / f"{kind}-{number}"
            if link.exists() or not is_free(number):
                continue
            link.unlink(missing_ok=True)
            link.symlink_to(run.directory)
            run.place(link)
            return number
    raise RuntimeError(f"no free {kind} among {numbers}; see `./dev clean`")


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("", port))
        except OSError:
            return False
    return True
