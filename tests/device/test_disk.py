"""Small and full disks: said before anything is fetched where that is possible, and never at the cost of what runs."""

import os
import re

from tests.device.support import Apps, MakeDevice
from tests.device.test_outage import downloading
from tests.lab.device import STATE
from tests.lab.lab import Lab
from tests.lab.nginx import Nginx

DISK = "48M"
BIG = ("--files", "60", "--file-size", "1000000")
RESERVE = 1 << 20


def test_what_does_not_fit_is_refused_before_the_download_with_the_missing_bytes(
        lab: Lab, apps: Apps, make_device: MakeDevice) -> None:
    device = make_device(disk=DISK, download={"reserve": RESERVE})
    lab.install(device, apps.hello("1"))
    pid = device.app_pid("hello")
    before = lab.repository.traffic()
    action = lab.failed(device, lab.deploy(device, apps.hello("2-big", *BIG)))

    assert not lab.repository.since(before).of(".filez").requests, "content was fetched"
    found = re.search(r"(\d+) bytes", action.last)
    assert found, action.last
    disk = os.statvfs(device.state)
    needed = 60 * 1_000_000
    assert abs(int(found[1]) - (needed - (disk.f_bavail * disk.f_frsize - RESERVE))) < 2_000_000, action.last
    assert "cause=no-space" in action.last
    assert device.app_pid("hello") == pid


def test_a_disk_that_fills_up_in_the_middle_fails_the_deployment_and_nothing_else(
        lab: Lab, apps: Apps, make_device: MakeDevice) -> None:
    repository = Nginx(lab.run, f"slow-{os.urandom(3).hex()}", serve=lab.publisher.published)
    device = make_device(disk=DISK, repository=repository, download={"reserve": RESERVE})
    lab.install(device, apps.hello("1"))
    pid = device.app_pid("hello")
    repository.slow("1m")
    action = lab.deploy(device, apps.hello("2-fits", "--files", "20", "--file-size", "1000000"))
    downloading(device)
    device.sh(f"fallocate -l 100M {STATE}/filler || dd if=/dev/zero of={STATE}/filler bs=64k", check=False)
    repository.slow(None)
    ended = lab.failed(device, action, timeout=90)

    assert "cause=no-space" in ended.last
    assert device.app_pid("hello") == pid and device.get("/version") == "1"
    device.remove(f"{STATE}/filler")
    lab.install(device, apps.hello("2-fits", "--files", "20", "--file-size", "1000000"))
    repository.stop()


def test_a_disk_has_room_again_when_old_versions_are_gone(lab: Lab, apps: Apps, make_device: MakeDevice) -> None:
    device = make_device(disk=DISK, download={"reserve": RESERVE})
    for version in ("1", "2", "3", "4", "5"):
        lab.install(device, apps.hello(f"6-{version}", "--files", "12", "--file-size", "1000000"))

    assert device.get("/version") == "6-5"
