"""Servers that go away in the middle: a deployment ends as it should, and its result is reported when it can be."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.device.support import BIG, SLOW, Apps, MakeDevice, downloading
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.nginx import Nginx
from tests.lab.wait import until



@pytest.fixture
def front(lab: Lab) -> Iterator[Nginx]:
    """A proxy in front of hawkBit that can be taken away without hawkBit losing its memory."""
    proxy = Nginx(lab.run, f"front-{os.urandom(3).hex()}", upstream=lab.hawkbit.url)
    yield proxy
    proxy.stop()


@pytest.fixture
def repository(lab: Lab) -> Iterator[Nginx]:
    """A second server of the published repository, to be slowed down and stopped."""
    server = Nginx(lab.run, f"repository-{os.urandom(3).hex()}", serve=lab.publisher.published)
    yield server
    server.stop()


def test_without_the_server_a_deployment_is_finished_and_reported_later(lab: Lab, apps: Apps, make_device: MakeDevice, front: Nginx) -> None:
    device = make_device(front=front)
    action = lab.deploy(device, apps.hello("1-watched", health={"stays_up": "3s"}))
    until(lambda: device.get("/version") == "1-watched", "hello on trial")
    front.stop()

    until(lambda: device.ctl("history"), "the deployment's end on the device")
    assert lab.hawkbit.action(device.name, action).active
    until(lambda: not device.ctl("status")["server_reached"], "davitd to notice")
    front.start()
    lab.succeeded(device, action)


def test_a_result_survives_a_reboot_without_the_server(lab: Lab, apps: Apps, make_device: MakeDevice, front: Nginx) -> None:
    device = make_device(front=front)
    action = lab.deploy(device, apps.hello("1"))
    until(lambda: device.get("/version") == "1", "hello 1 on trial")
    front.stop()
    until(lambda: device.ctl("history"), "the deployment's end on the device")
    device.power_cut()
    device.boot()
    front.start()

    lab.succeeded(device, action)


def test_a_download_goes_on_where_it_was_when_the_repository_comes_back(
        lab: Lab, apps: Apps, make_device: MakeDevice, repository: Nginx) -> None:
    device = make_device(repository=repository)
    lab.install(device, apps.hello("1"))
    hello = device.app_pid("hello")
    repository.slow(SLOW)
    before = repository.traffic()
    action = lab.deploy(device, apps.hello("2-long", *BIG))
    downloading(device)
    until(lambda: repository.since(before).of(".filez").bytes > 3_000_000, "three files to have arrived", 30)
    repository.stop()
    fetched = {request.uri for request in repository.since(before).of(".filez").requests if request.sent > 900_000}
    until(lambda: "again" in device.log("davitd") or "retry" in device.log("davitd"), "davitd to say that it tries again")
    assert device.app_pid("hello") == hello
    stopped = repository.traffic()
    repository.slow(None)

    lab.succeeded(device, action)
    assert device.get("/version") == "2-long"
    again = [request.uri for request in repository.since(stopped).of(".filez").requests if request.uri in fetched]
    assert not again, "what had arrived was fetched a second time"


def test_a_repository_that_hangs_is_given_up_and_tried_again(lab: Lab, apps: Apps, make_device: MakeDevice, repository: Nginx) -> None:
    device = make_device(repository=repository, download={"stall_timeout": "2s"})
    repository.slow(SLOW)
    action = lab.deploy(device, apps.hello("2-long", *BIG))
    downloading(device)
    assert repository.process
    repository.process.send(signal.SIGSTOP)
    until(lambda: "no progress" in device.log("davitd") or "stall" in device.log("davitd"), "davitd to give it up", 20)
    repository.process.send(signal.SIGCONT)
    repository.slow(None)

    lab.succeeded(device, action)


def test_a_cable_pulled_in_the_middle_only_costs_time(lab: Lab, apps: Apps, make_device: MakeDevice, repository: Nginx) -> None:
    device = make_device(repository=repository)
    repository.slow(SLOW)
    action = lab.deploy(device, apps.hello("2-long", *BIG))
    downloading(device)
    device.cable_out()
    until(lambda: not device.ctl("status")["server_reached"], "davitd to notice", 20)
    repository.slow(None)
    device.cable_in()

    lab.succeeded(device, action, timeout=90)


def test_polls_go_on_while_a_download_takes_its_time(lab: Lab, apps: Apps, make_device: MakeDevice, repository: Nginx) -> None:
    device = make_device(repository=repository)
    repository.slow(SLOW)
    action = lab.deploy(device, apps.hello("2-long", *BIG))
    downloading(device)
    first = device.ctl("status")["last_contact_ms"]

    until(lambda: device.ctl("status")["last_contact_ms"] > first + 1500, "two more polls", 10)
    assert device.ctl("status")["phase"] == "downloading"
    repository.slow(None)
    lab.succeeded(device, action)
