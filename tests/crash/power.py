"""Power cuts: a record of everything that one update and one rollback wrote to their disk, and the disks that a cut could
have left: every write up to the last flush, and any of the later ones, some of them torn.
"""

import mmap
import os
import random
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.crash.life import BUILD, Device, Json, Server

DISK = BUILD / "tests/crash/crash_disk"
SIZE = 48 << 20
BLOCK = 4096
WRITE, FLUSH, MARK = 1, 2, 3
HEADER = struct.Struct("=IIQ")
GOLDEN = 0.6180339887498949

# What the device is asked for, and how it ends: the sets before and after, and the result.
BASE, GOOD, BAD = ["hello 1", "ticker 1"], ["hello 2", "ticker 1"], ["hello 3", "ticker 1"]
FAULTS = {"hello 3": "unhealthy"}


def offers(server: Server) -> list[Json]:
    return [server.deployment("21", "hello 2"), server.deployment("22", "hello 3")]


@contextmanager
def mounted(image: Path, place: Path, options: str = "") -> Iterator[Path]:
    """An image as a file system; the loop device goes with the mount."""
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", f"loop,{options}" if options else "loop", image, place], check=True)
    try:
        yield place
    finally:
        unmount(place)


def unmount(place: Path) -> None:
    for _ in range(50):     # somebody may still look at it
        if subprocess.run(["umount", place], check=False, capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    subprocess.run(["umount", "-l", place], check=True)


def make_image(image: Path, size: int = SIZE) -> None:
    with image.open("wb") as file:
        file.truncate(size)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-b", str(BLOCK), "-m", "0", "-N", "1024", "-J", "size=4", "-E", "lazy_itable_init=0,lazy_journal_init=0",
                    image], check=True)


def copy_image(image: Path, to: Path) -> None:
    subprocess.run(["cp", "--sparse=always", image, to], check=True)


@contextmanager
def recorded_disk(image: Path, record: Path | None, place: Path) -> Iterator[Path]:
    """The FUSE file system with `disk`, `mark` and `control`."""
    place.mkdir()
    fuse = subprocess.Popen([DISK, image, record or "", place])
    try:
        for _ in range(200):
            if (place / "disk").exists():
                break
            assert fuse.poll() is None, "crash_disk did not start"
            time.sleep(0.02)
        yield place
    finally:
        unmount(place)
        fuse.wait(10)
        place.rmdir()


@dataclass(frozen=True)
class Record:
    """One entry of the record: where its data are in the file."""

    type: int
    offset: int
    at: int
    length: int


@dataclass(frozen=True)
class Cut:
    """A disk that a power cut could leave."""

    position: int           # of the last record that was under way
    flushed: int            # everything before it is on the disk
    choice: str             # which of the later writes are: none, all, some, torn
    seed: str

    def __str__(self) -> str:
        return f"{self.choice} of the writes {self.flushed}…{self.position}"


class Recording:
    """The records of one life of a device, and the image that they began on."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        with (directory / "record").open("rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        self.records = list(self._parse())
        self.marks = [(number, self.text(record)) for number, record in enumerate(self.records) if record.type == MARK]
        self.begin = self.position("begin")
        self.end = self.position("end")
        self._base: Path | None = None

    def _parse(self) -> Iterator[Record]:
        at = 0
        while at < len(self._data):
            kind, length, offset = HEADER.unpack_from(self._data, at)
            at += HEADER.size
            yield Record(kind, offset, at, length)
            at += length

    def text(self, record: Record) -> str:
        return self._data[record.at:record.at + record.length].decode().strip()

    def position(self, mark: str) -> int:
        """Of the first mark that begins so; behind everything if there is none."""
        return next((number for number, text in self.marks if text.startswith(mark)), len(self.records))

    def before(self, cut: Cut) -> list[str]:
        return [text for number, text in self.marks if number <= cut.position]

    def last_flush(self, position: int) -> int:
        return next(number for number in range(position, -1, -1) if self.records[number].type == FLUSH)

    def flushes(self) -> list[int]:
        return [number for number in range(self.begin, self.end) if self.records[number].type == FLUSH]

    def cut(self, number: int, seed: int) -> Cut:
        """The number-th state: spread evenly over the record, however many are tried."""
        dice = random.Random(f"{seed} {number}")
        share = (number * GOLDEN + random.Random(seed).random()) % 1
        position = self.begin + int(share * (self.end - self.begin))
        return Cut(position, self.last_flush(position), dice.choice(["none", "all", "some", "some", "torn"]), f"{seed} {number}")

    def make(self, cut: Cut, image: Path) -> None:
        """Writes the disk as the cut left it."""
        first = self.last_flush(self.begin)
        if self._base is None:
            base = self.directory / f"base-{os.getpid()}"
            copy_image(self.directory / "image", base)
            self._apply(base, 0, first)
            self._base = base
        copy_image(self._base, image)
        self._apply(image, first, cut.flushed)
        dice = random.Random(f"writes {cut.seed}")
        with image.open("r+b") as disk:
            for record in self.records[cut.flushed:cut.position + 1]:
                if record.type == WRITE:
                    self._write_some(disk.fileno(), record, cut.choice, dice)

    def _apply(self, image: Path, first: int, last: int) -> None:
        with image.open("r+b") as disk:
            for record in self.records[first:last]:
                if record.type == WRITE:
                    os.pwrite(disk.fileno(), self._data[record.at:record.at + record.length], record.offset)

    def _write_some(self, disk: int, record: Record, choice: str, dice: random.Random) -> None:
        if choice == "none" or (choice == "some" and dice.random() < 0.5):
            return
        for at in range(0, record.length, BLOCK):
            if choice != "torn" or dice.random() < 0.5:
                length = min(BLOCK, record.length - at)
                os.pwrite(disk, self._data[record.at + at:record.at + at + length], record.offset + at)


def record(server: Server, directory: Path, options: str = "", wrong: str = "") -> Recording:
    """One device's life: two apps are installed; then, on record, an update and an update that is rolled back."""
    directory.mkdir()
    make_image(directory / "image")
    shutil.copy(directory / "image", directory / "disk-image")
    with recorded_disk(directory / "disk-image", directory / "record", directory / "fuse") as disk:
        with mounted(disk / "disk", directory / "mount", options) as state:
            device = Device.make(server, directory / "device", state)
            device.faults = FAULTS
            good, bad = offers(server)
            said = device.live({"resume": True}, {"offer": server.deployment("1", "hello 1", "ticker 1")}, {"restart_log": True},
                               {"mark": "begin"}, {"wrong": wrong}, {"offer": good}, {"restart_log": True}, {"offer": bad}, {"deliver": True},
                               orders={"mark": str(disk / "mark")})
            assert said and (wrong or not said["errors"]), said
            subprocess.run(["sync", "-f", state], check=True)   # what the kernel does after a few seconds: the clean-up, too
            (disk / "mark").write_text("end")
    (directory / "disk-image").unlink()
    return Recording(directory)
