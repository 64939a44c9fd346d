"""Addresses: a subnet per device, a free port per server."""

import os
import socket

from tests.lab.run import RUNS, Run


def free_port() -> int:
    """A TCP port that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("", 0))
        return int(listener.getsockname()[1])


def reserve_subnet(run: Run) -> int:
    """The N of 10.88.N.0/24 for one device, unique on this machine.

    The reservation is a symbolic link to the run that has it, beside the runs of all checkouts.
    """
    for number in range(1, 255):
        link = RUNS.parent / f"net-{number}"
        if link.is_symlink() and not link.exists():
            link.unlink(missing_ok=True)  # its run was removed
        if os.path.exists(f"/sys/class/net/ve-davit-{number}"):
            continue
        try:
            os.symlink(run.directory, link)
        except FileExistsError:
            continue
        run.place(link)
        return number
    raise RuntimeError("no free subnet in 10.88.0.0/16; see `./dev clean`")
