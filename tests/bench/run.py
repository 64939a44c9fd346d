"""./dev bench [NAME…]: measures what users feel and prints a table with this machine's own baseline beside it."""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.bench import disk, downtime, idle, wire  # noqa: E402
from tests.bench.table import Table  # noqa: E402
from tests.lab.lab import Lab  # noqa: E402
from tests.lab.run import Run  # noqa: E402

PARTS: dict[str, Callable[[Lab, Table], None]] = {
    "downtime": downtime.measure, "wire": wire.measure, "disk": disk.measure, "idle": idle.measure, "size": idle.sizes,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"of {', '.join(PARTS)}; all when none is named")
    names = parser.parse_args().names
    if unknown := set(names) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))} (there are: {', '.join(PARTS)})")
    started = time.monotonic()
    table = Table()
    with Run("bench") as run:
        lab = Lab(run)
        lab.hawkbit.wait_ready()
        for name in names or PARTS:
            load = os.getloadavg()[0]
            print(f"\n{name}  ({time.monotonic() - started:.0f} s, load {load:.1f})", flush=True)
            PARTS[name](lab, table)
    over = table.over()
    print(f"\n{len(table.rows)} figures in {time.monotonic() - started:.0f} s; " +
          (f"over the goal: {', '.join(name.strip() for name in over)}" if over else "none is over its goal"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
