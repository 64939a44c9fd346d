"""Wrong clocks: devices start in 1970 until somebody tells them the time, and clocks jump. Time-outs do not notice, results
are right, and where a certificate is refused because of the date, davitd says so."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.device.support import BIG, SLOW, Apps, MakeDevice, downloading, sweep
from tests.lab.clock import Clock
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.nginx import Nginx
from tests.lab.tls import Authority
from tests.lab.wait import until

DAY = 24 * 3600
YEAR_2038 = 2_147_483_648 + DAY  # just after 32 bits are full


def with_clock(lab: Lab, make_device: MakeDevice, shows: float, **settings: object) -> tuple[Device, Clock]:
    device = make_device(boot=False, **settings)
    clock = Clock(device, shows)
    device.boot()
    lab.registered(device)
    return device, clock


@pytest.fixture
def repository(lab: Lab) -> Iterator[Nginx]:
    server = Nginx(lab.run, f"clock-{os.urandom(3).hex()}", serve=lab.publisher.published)
    yield server
    server.stop()


@pytest.mark.parametrize("shows", [5.0, YEAR_2038], ids=["1970", "2038"])
def test_a_device_with_a_wrong_date_is_updated_and_tells_it_in_its_history(
        lab: Lab, apps: Apps, make_device: MakeDevice, shows: float) -> None:
    device, clock = with_clock(lab, make_device, shows)
    lab.install(device, apps.hello("1"))
    lab.failed(device, lab.deploy(device, apps.hello("3", "--health-status", "500")))

    assert device.get("/version") == "1"
    for entry in device.ctl("history"):
        assert shows * 1000 <= entry["started_ms"] <= entry["finished_ms"] <= clock.now() * 1000
    clock.show(time.time())  # somebody tells it the time
    lab.install(device, apps.hello("2"))
    newest = device.ctl("history")[0]
    assert abs(newest["finished_ms"] / 1000 - time.time()) < 120


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["a day ahead", "a day back"])
def test_a_jump_in_the_download_ends_nothing(
        lab: Lab, apps: Apps, make_device: MakeDevice, repository: Nginx, jump: int) -> None:
    device, clock = with_clock(lab, make_device, time.time(), repository=repository)
    repository.slow(SLOW)
    action = lab.deploy(device, apps.hello("2-jump", *BIG))
    downloading(device)
    clock.jump(jump)
    # A download that was tried for a day is given up, but this one was not. The restart makes davitd look at its notes.
    repository.stop()
    device.enter("systemctl", "restart", "davitd")
    until(lambda: "trying again" in device.ctl("status")["message"], "davitd to try again", 30)
    polled = device.ctl("status")["last_contact_ms"]
    until(lambda: device.ctl("status")["last_contact_ms"] > polled, "polls to go on", 10)
    repository.slow(None)

    lab.succeeded(device, action)
    assert device.get("/version") == "2-jump"


@pytest.mark.parametrize("jump", sweep([DAY, -DAY], 1), ids=sweep(["a day ahead", "a day back"], 1))
def test_a_jump_in_the_probation_changes_neither_its_length_nor_its_end(
        lab: Lab, apps: Apps, make_device: MakeDevice, jump: int) -> None:
    device, clock = with_clock(lab, make_device, time.time())
    action = lab.deploy(device, apps.hello("2-watched", health={"stays_up": "4s"}))
    until(lambda: device.ctl("status")["phase"] == "probation", "the probation", 30)
    began = time.monotonic()
    clock.jump(jump)
    lab.succeeded(device, action, timeout=30)

    assert 2.5 < time.monotonic() - began < 20
    status = device.ctl("status")
    assert status["server_reached"]
    assert abs(status["next_poll_ms"] / 1000 - clock.now()) < 30, "the next poll is a day away"
    # Broken apps are noticed as quickly as ever.
    lab.failed(device, lab.deploy(device, apps.hello("3", "--health-status", "500")), timeout=30)


@pytest.mark.parametrize("shows, word, date", [(5.0, "not yet valid", "1970-01-01T"), (YEAR_2038, "expired", "2038-01-2")],
                         ids=["1970", "2038"])
def test_a_certificate_of_another_time_is_said_to_be_the_clocks_fault(
        lab: Lab, apps: Apps, make_device: MakeDevice, tmp_path: Path, shows: float, word: str, date: str) -> None:
    device = make_device(boot=False)
    authority = Authority(tmp_path / "ca")
    certificate = authority.server(device.host_address)
    front = Nginx(lab.run, f"clock-front-{os.urandom(3).hex()}", upstream=lab.hawkbit.url, tls=certificate)
    server = Nginx(lab.run, f"clock-repository-{os.urandom(3).hex()}", serve=lab.publisher.published, tls=certificate)
    lab.configure(device, front=front, repository=server, ca=authority.certificate)
    clock = Clock(device, shows)
    device.boot()
    until(lambda: device.ctl("status")["server_error"], "an attempt", 20)
    error = device.ctl("status")["server_error"]
    assert word in error and f"the clock of this device says {date}" in error

    clock.show(time.time())
    lab.registered(device)
    clock.show(shows)  # now the repository: hawkBit's connection is open and stays so
    action = lab.deploy(device, apps.hello("1"))
    until(lambda: "trying again" in device.ctl("status")["message"], "an attempt to fetch", 30)
    message = device.ctl("status")["message"]
    assert word in message and f"the clock of this device says {date}" in message

    clock.show(time.time())
    lab.succeeded(device, action)
    assert device.get("/version") == "1"
    front.stop()
    server.stop()
