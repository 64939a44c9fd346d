"""How a device proves who it is, and knows whom it talks to."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.device.support import Apps, MakeDevice
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
