"""Reboots, power cuts and boots without the agent: the apps come back by themselves."""

import pytest

from tests.device.support import Apps, MakeDevice
from tests.device.test_outage import BIG, SLOW, downloading
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.nginx import Nginx
from tests.lab.wait import until


def both_serve(device: Device, version: str = "1") -> None:
    until(lambda: device.get("/version") == version, f"hello {version}", 15)
    until(lambda: device.get("/version", 8081) == "1", "ticker", 15)


@pytest.mark.parametrize("cut", [False, True], ids=["after a clean reboot", "after a power cut"])
def test_the_apps_come_back_without_any_server(hello_1: Device, cut: bool) -> None:
    (hello_1.power_cut if cut else hello_1.stop)()
    # No servers: the device boots with settings that name a port where nobody listens.
    hello_1.write("/etc/davit/davitd.d/away.json",
                  f'{{"hawkbit": {{"url": "http://{hello_1.host_address}:9"}}, "repository": {{"url": "http://{hello_1.host_address}:9"}}}}')
    hello_1.boot()

    both_serve(hello_1)
    assert not hello_1.ctl("status")["server_reached"]


def test_a_boot_without_the_agent_brings_the_apps_up(hello_1: Device) -> None:
    hello_1.enter("systemctl", "mask", "davitd.service")
    hello_1.stop()
    hello_1.boot()

    both_serve(hello_1)
    assert hello_1.pid("davitd.service") == 0


def test_an_updated_app_comes_back_in_its_new_version(lab: Lab, apps: Apps, hello_1: Device) -> None:
    lab.install(hello_1, apps.hello("2"))
    hello_1.power_cut()
    hello_1.boot()

    both_serve(hello_1, "2")


def test_a_power_cut_in_the_download_does_not_lose_the_deployment(lab: Lab, apps: Apps, make_device: MakeDevice) -> None:
    repository = Nginx(lab.run, "power", serve=lab.publisher.published)
    device = make_device(repository=repository)
    lab.install(device, apps.hello("1"), apps.ticker("1"))
    repository.slow(SLOW)
    action = lab.deploy(device, apps.hello("2-cut", *BIG))
    downloading(device)
    device.power_cut()
    device.boot()
    until(lambda: device.get("/version") == "1", "hello 1 beside the download", 15)
    repository.slow(None)

    lab.succeeded(device, action)
    both_serve(device, "2-cut")
    repository.stop()


def test_a_power_cut_on_trial_ends_in_the_right_version(lab: Lab, apps: Apps, hello_1: Device) -> None:
    action = lab.deploy(hello_1, apps.hello("2-trial", health={"stays_up": "3s"}))
    until(lambda: hello_1.get("/version") == "2-trial", "hello 2 on trial")
    hello_1.power_cut()
    hello_1.boot()

    lab.succeeded(hello_1, action)
    both_serve(hello_1, "2-trial")
