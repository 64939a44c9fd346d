"""Waiting for something to become true, with a deadline and a reason."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class TooLate(AssertionError):
    """What was waited for did not happen in time."""


def until(probe: Callable[[], T | None], what: str, timeout: float = 30.0, every: float = 0.05) -> T:
    """Calls `probe` until it returns something true, which is returned. OSError counts as "not yet"."""
    deadline = time.monotonic() + timeout
    last: T | OSError | None = None
    while True:
        try:
            found = probe()
            if found:
                return found
            last = found
        except OSError as error:
            last = error
        if time.monotonic() >= deadline:
            raise TooLate(f"{what}: not within {timeout:g} s; last seen: {last!r}")
        time.sleep(every)
