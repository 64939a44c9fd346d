"""The wall clock of one device's agent, wrong at will. Containers share this machine's clock, so it is a library that is
preloaded into davitd and its children (clock.c); what davitctl and the apps see stays right."""

import struct
import subprocess
import time
from pathlib import Path

from tests.lab.device import Device

SOURCE = Path(__file__).with_name("clock.c")
LIBRARY, SHIFT = "/usr/lib/davit-test-clock.so", "/usr/lib/davit-test-clock.shift"
DROP_IN = f"[Service]\nEnvironment=LD_PRELOAD={LIBRARY} DAVIT_TEST_CLOCK={SHIFT}\n"


class Clock:
    """Put into a device that is switched off; shifted whenever one likes."""

    def __init__(self, device: Device, shows: float) -> None:
        """@param shows what the clock says now, in seconds since the epoch"""
        library = device.run.path("clock.so")
        if not library.exists():
            subprocess.run(["gcc-14", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library, SOURCE], check=True)
        device.write(LIBRARY, library.read_bytes(), mode=0o755)
        device.write(SHIFT, bytes(8))
        device.write("/etc/systemd/system/davitd.service.d/clock.conf", DROP_IN)
        self._file = device.root / SHIFT.lstrip("/")
        self.show(shows)

    def show(self, seconds: float) -> None:
        """Sets it."""
        self._write(int(seconds - time.time()))

    def jump(self, seconds: int) -> None:
        """Moves it, from whatever it says."""
        self._write(struct.unpack("q", self._file.read_bytes())[0] + seconds)

    def now(self) -> float:
        return time.time() + float(struct.unpack("q", self._file.read_bytes())[0])

    def _write(self, shift: int) -> None:
        # In place: davitd has this very file mapped.
        with self._file.open("r+b") as file:
            file.write(struct.pack("q", shift))
