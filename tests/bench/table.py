"""The bench's result: rows of what was measured, with this machine's own baseline or the goal beside it."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Row:
    what: str
    value: str
    beside: str = ""   # baseline of this machine, or the goal
    verdict: str = ""  # "ok", or "over" the goal


@dataclass
class Table:
    rows: list[Row] = field(default_factory=list)

    def add(self, what: str, value: str, beside: str = "", good: bool | None = None) -> None:
        self.rows.append(Row(what, value, beside, "" if good is None else "ok" if good else "over"))
        row = self.rows[-1]
        print(f"  {row.what:58} {row.value:>16}  {row.beside:44} {row.verdict}", flush=True)

    def over(self) -> list[str]:
        return [row.what for row in self.rows if row.verdict == "over"]


def spread(seconds: Sequence[float]) -> str:
    """"62 ms (55–71)": the median and the ends."""
    values = [1000 * value for value in seconds]
    return f"{statistics.median(values):.0f} ms ({min(values):.0f}–{max(values):.0f})"
