"""Telling what happens, line by line, with the time each took. Colours only on a terminal."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

WIDTH = 72


class Untrue(AssertionError):
    """A line of the story is not true."""


def demand(condition: object, reason: str) -> None:
    if not condition:
        raise Untrue(reason)


class Line:
    """One line while it is told; facts are printed below it."""

    def __init__(self) -> None:
        self.facts: list[str] = []

    def fact(self, text: str) -> None:
        self.facts.append(text)


class Story:
    def __init__(self, title: str) -> None:
        self._live = sys.stdout.isatty()
        self._chapters = 0
        self.say(self._style("1", title))

    def say(self, text: str = "") -> None:
        print(text, flush=True)

    def chapter(self, title: str) -> None:
        self._chapters += 1
        self.say(f"\n{self._style('1', f'{self._chapters}  {title}')}")

    @contextmanager
    def line(self, text: str) -> Iterator[Line]:
        """Tells `text` as true when its block ends without an exception."""
        line = Line()
        if self._live:
            print(f"   … {text}", end="\r", flush=True)
        started = time.monotonic()
        try:
            yield line
        except BaseException:
            self.say(f"   {self._style('31', '✗')} {text:{WIDTH}} {time.monotonic() - started:6.1f} s")
            raise
        self.say(f"   {self._style('32', '✓')} {text:{WIDTH}} {self._style('2', f'{time.monotonic() - started:6.1f} s')}")
        for fact in line.facts:
            self.say(f"       {fact}")

    def _style(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._live else text


def amount(number: float) -> str:
    """Bytes for people: "114.2 kB"."""
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
