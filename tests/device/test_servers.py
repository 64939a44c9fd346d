"""How a device proves who it is, and knows whom it talks to."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.device.support import BIG, SLOW, Apps, MakeDevice, downloading
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.nginx import Nginx
from tests.lab.tls import Authority
from tests.lab.wait import until


@dataclass
class Https:
    """Makes both servers speak TLS for a device, whose address must be in the certificate."""

    lab: Lab
    authority: Authority
    servers: list[Nginx]

    def servers_for(self, address: str) -> tuple[Nginx, Nginx]:
        certificate = self.authority.server(address)
        suffix = os.urandom(3).hex()
        self.servers += [Nginx(self.lab.run, f"tls-front-{suffix}", upstream=self.lab.hawkbit.url, tls=certificate),
                         Nginx(self.lab.run, f"tls-repository-{suffix}", serve=self.lab.publisher.published, tls=certificate)]
        return self.servers[-2], self.servers[-1]


@pytest.fixture
def https(lab: Lab, tmp_path: Path) -> Iterator[Https]:
    made = Https(lab, Authority(tmp_path / "ca"), [])
    yield made
    for server in made.servers:
        server.stop()


def test_both_servers_by_https_with_an_authority_of_ones_own(lab: Lab, apps: Apps, make_device: MakeDevice, https: Https) -> None:
    device = make_device(boot=False)
    front, repository = https.servers_for(device.host_address)
    lab.configure(device, front=front, repository=repository, ca=https.authority.certificate)
    device.boot()
    lab.registered(device)

    lab.install(device, apps.hello("1"))
    assert device.get("/version") == "1"
    assert repository.traffic().count > 0 and front.traffic().count > 0


def test_a_server_with_a_strangers_certificate_is_not_talked_to(
        lab: Lab, make_device: MakeDevice, https: Https, tmp_path: Path) -> None:
    device = make_device(boot=False)
    front, _ = https.servers_for(device.host_address)
    lab.configure(device, front=front, ca=Authority(tmp_path / "other").certificate)
    device.boot()
    until(lambda: device.ctl("status")["server_error"], "an attempt")

    assert "certificate is not trusted" in device.ctl("status")["server_error"]
    assert front.traffic().of("controller").count == 0


def test_a_target_token_is_enough_for_a_device_the_server_knows(lab: Lab, apps: Apps, make_device: MakeDevice) -> None:
    device = make_device(boot=False)
    lab.configure(device, target_token=lab.hawkbit.create_target(device.name))
    device.boot()

    lab.install(device, apps.hello("1"))
    assert device.get("/version") == "1"


def test_a_wrong_token_is_named_as_the_cause(lab: Lab, make_device: MakeDevice) -> None:
    device = make_device(registered=False, target_token="wrong")
    until(lambda: device.ctl("status")["server_error"], "an attempt")

    error = device.ctl("status")["server_error"]
    assert "refuses the target token" in error and device.name in error
    assert lab.hawkbit.target(device.name) is None


def test_a_token_may_be_corrected_without_a_restart(lab: Lab, make_device: MakeDevice) -> None:
    token = None
    device = make_device(registered=False, target_token="wrong")
    until(lambda: device.ctl("status")["server_error"], "an attempt")
    token = lab.hawkbit.create_target(device.name)
    device.write("/etc/davit/target.token", token + "\n", mode=0o600)

    until(lambda: device.ctl("status")["server_reached"], "the server to be reached", 15)


# --- a server that changes its mind, or loses it -------------------------------------------------------------------


@pytest.fixture
def slow(lab: Lab) -> Iterator[None]:
    lab.repository.slow(SLOW)
    yield
    lab.repository.slow(None)


def is_free(device: Device) -> None:
    until(lambda: not device.ctl("status")["phase"], "the device to be free")


def test_an_action_that_is_force_quit_during_its_download_is_given_up(lab: Lab, apps: Apps, hello_1: Device, slow: None) -> None:
    before = hello_1.app_pid("hello")
    action = lab.deploy(hello_1, apps.hello("2-quit", *BIG))
    downloading(hello_1)
    lab.hawkbit.force_quit(hello_1.name, action)

    is_free(hello_1)
    newest = hello_1.ctl("history")[0]
    assert (newest["id"], newest["cause"]) == (str(action), "canceled")
    assert hello_1.app_pid("hello") == before
    lab.repository.slow(None)
    lab.install(hello_1, apps.hello("3-after-quit"))


def test_an_action_that_is_force_quit_after_the_switch_ends_by_itself(lab: Lab, apps: Apps, hello_1: Device) -> None:
    action = lab.deploy(hello_1, apps.hello("2-quit-late", health={"stays_up": "4s"}))
    until(lambda: hello_1.ctl("status")["phase"] == "probation", "the probation")
    lab.hawkbit.force_quit(hello_1.name, action)

    until(lambda: hello_1.ctl("history")[0]["id"] == str(action), "its end on the device")
    assert hello_1.ctl("history")[0]["success"] and hello_1.get("/version") == "2-quit-late"
    lab.install(hello_1, apps.hello("3-after-quit"))


def test_a_target_that_is_deleted_during_a_download_comes_back_without_it(lab: Lab, apps: Apps, hello_1: Device, slow: None) -> None:
    action = lab.deploy(hello_1, apps.hello("2-deleted", *BIG))
    downloading(hello_1)
    lab.hawkbit.delete_target(hello_1.name)

    lab.registered(hello_1)
    is_free(hello_1)
    newest = hello_1.ctl("history")[0]
    assert (newest["id"], newest["cause"]) == (str(action), "canceled")
    assert hello_1.get("/version") == "1"
    lab.repository.slow(None)
    lab.install(hello_1, apps.hello("3-after-delete"))


def test_a_target_that_is_deleted_is_waited_for_with_a_target_token(lab: Lab, apps: Apps, make_device: MakeDevice) -> None:
    device = make_device(boot=False)
    token = lab.hawkbit.create_target(device.name)
    lab.configure(device, target_token=token)
    device.boot()
    lab.install(device, apps.hello("1"))
    lab.hawkbit.delete_target(device.name)
    until(lambda: "refuses the target token" in device.ctl("status")["server_error"], "the device to notice")

    lab.hawkbit.create_target(device.name, token)
    lab.install(device, apps.hello("3-after-delete"))


def test_a_server_restored_from_a_backup_is_told_the_truth(lab: Lab, apps: Apps, hello_1: Device) -> None:
    """The backup is of the moment in which 2 was assigned; since then the device had 2, and then 3."""
    hello_1.stop()
    older = lab.deploy(hello_1, apps.hello("2-restored"))
    lab.hawkbit.back_up("with 2")
    lab.hawkbit.start()
    hello_1.boot()
    lab.succeeded(hello_1, older)
    newer = lab.install(hello_1, apps.hello("3-forgotten"))
    lab.hawkbit.restore("with 2")
    lab.hawkbit.start()

    lab.succeeded(hello_1, older)
    assert hello_1.get("/version") == "2-restored", "it told the server what is not so"
    again = lab.install(hello_1, apps.hello("4-after-restore"))
    assert again.id == newer.id, "ids go back, too"
    assert hello_1.get("/version") == "4-after-restore"


def test_the_set_that_was_rolled_back_may_be_assigned_again(lab: Lab, apps: Apps, hello_1: Device) -> None:
    release = lab.release(apps.hello("2-sick", "--health-status", "500"))
    first = lab.failed(hello_1, lab.publisher.deploy(release, hello_1.name))
    second = lab.failed(hello_1, lab.publisher.deploy(release, hello_1.name))

    assert first.id != second.id
    assert "is unhealthy" in first.last and "is unhealthy" in second.last
    assert hello_1.get("/version") == "1"
    lab.install(hello_1, apps.hello("3-well"))
