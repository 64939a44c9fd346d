"""What hawkBit can ask for besides "install this now"."""

import os

from tests.device.support import Apps, MakeDevice
from tests.lab.lab import Lab
from tests.lab.nginx import Nginx


def test_download_only_and_a_later_switch_without_the_network(lab: Lab, apps: Apps, make_device: MakeDevice) -> None:
    repository = Nginx(lab.run, f"repository-{os.urandom(3).hex()}", serve=lab.publisher.published)
    device = make_device(repository=repository)
    lab.install(device, apps.hello("1"))
    before = device.app_pid("hello")
    bundle = apps.hello("2-downloaded", "--files", "3", "--file-size", "100000")
    release = lab.release(bundle)
    action = lab.hawkbit.assign(lab.hawkbit.set_id(release.name, release.version), device.name, "downloadonly")

    ended = lab.hawkbit.wait_closed(device.name, action)
    assert ended.status == "downloaded"
    assert "downloaded, to update hello 1 → 2-downloaded" in ended.text
    assert device.app_pid("hello") == before

    before_switch = repository.traffic()
    lab.install(device, bundle)  # in a set of its own: hawkBit does not assign one to a device twice
    assert device.get("/version") == "2-downloaded"
    assert repository.since(before_switch).requests == []
    repository.stop()
