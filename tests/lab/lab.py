"""One hawkBit, one published repository, one publisher, any number of devices."""

import itertools
import json
import re
from pathlib import Path
from typing import Any, Protocol

from tests.lab import product
from tests.lab.device import Device
from tests.lab.hawkbit import Action, HawkBit
from tests.lab.nginx import Nginx
from tests.lab.publisher import Publisher, Released
from tests.lab.run import Run
from tests.lab.wait import until


class Server(Protocol):
    """What a device can be pointed at."""

    def url(self, host: str) -> str: ...


class Lab:
    """Starts hawkBit at once (it takes ten seconds, so it is waited for late) and the rest as it is asked for."""

    def __init__(self, run: Run, build: Path = product.BUILD) -> None:
        self.run = run
        self._sets = itertools.count(1)
        self.hawkbit = HawkBit(run, database_on_disk=True)
        self.layer = product.install(run, build)
        self.publisher = Publisher(run, self.hawkbit, build)
        self.publisher.published.mkdir()
        self.repository = Nginx(run, "repository", serve=self.publisher.published)

    def device(self, name: str, *, disk: str | None = None, boot: bool = True, **settings: Any) -> Device:
        """A new device with the product, configured for this lab. @param settings see configure()"""
        device = Device(self.run, name, layers=[self.layer], disk=disk)
        self.configure(device, **settings)
        if boot:
            device.boot()
        return device

    def configure(self, device: Device, *, front: Server | None = None, repository: Server | None = None,
                  ca: Path | None = None, target_token: str | None = None, **changes: Any) -> None:
        """Writes what an integrator would: davitd.json, the token, the trusted key.

        @param front         a proxy before hawkBit
        @param repository    another server than the lab's
        @param ca            authority of both servers' certificates
        @param target_token  use this one instead of the gateway's
        @param changes       further members of davitd.json, merged over ours
        """
        token = "target" if target_token else "gateway"
        config: dict[str, Any] = {
            "hawkbit": {
                "url": front.url(device.host_address) if front else f"http://{device.host_address}:{self.hawkbit.port}",
                "controller_id": device.name,
                f"{token}_token_file": f"/etc/davit/{token}.token",
                "longest_retry": "2s", "timeout": "5s",
            },
            "repository": {"url": (repository or self.repository).url(device.host_address)},
            "download": {"first_retry": "500ms", "longest_retry": "1s", "stall_timeout": "3s", "reserve": 1 << 20},
        }
        if ca:
            device.write("/etc/davit/ca.pem", ca.read_text())
            for server in ("hawkbit", "repository"):
                config[server]["ca_file"] = "/etc/davit/ca.pem"
        for member, value in changes.items():
            config[member] = config.get(member, {}) | value if isinstance(value, dict) else value
        device.write("/etc/davit/davitd.json", json.dumps(config, indent=2))
        device.write(f"/etc/davit/{token}.token", (target_token or self.hawkbit.gateway_token) + "\n", mode=0o600)
        device.write("/etc/davit/keys.d/release.pub", self.publisher.public_key.read_text())

    def registered(self, device: Device, timeout: float = 20) -> None:
        """Returns when the device has told the server who it is."""
        until(lambda: self.hawkbit.target(device.name) and self.hawkbit.attributes(device.name),
              f"the registration of {device.name}", timeout, every=0.1)

    def release(self, *bundles: Path) -> Released:
        """Publishes bundles as a distribution set of its own."""
        return self.publisher.release(f"set-{next(self._sets)}", "1", *bundles)

    def crafted(self, device: Device, *modules: dict[str, Any]) -> int:
        """Deploys modules that the CLI would not publish: {"name", "version", "metadata": {…}} or {"id"}, maybe "type".
        @return the action's id"""
        filled = [{"version": f"crafted-{next(self._sets)}", "type": "application"} | module for module in modules]
        types = {module["type"] for module in filled}
        set_type = "app" if types == {"application"} else "os" if types == {"os"} else "os_app"
        return self.hawkbit.assign(self.hawkbit.create_set(f"crafted-{next(self._sets)}", "1", filled, set_type), device.name)

    def deploy(self, device: Device, *bundles: Path) -> int:
        """Publishes and assigns. @return the action's id"""
        return self.publisher.deploy(self.release(*bundles), device.name)

    def succeeded(self, device: Device, action_id: int, timeout: float = 60) -> Action:
        """The action when it has ended, which must have been good."""
        return self._ended(device, action_id, "finished", timeout)

    def failed(self, device: Device, action_id: int, timeout: float = 60) -> Action:
        """The action when it has ended, which must have been bad. Its last word is for programs, always."""
        action = self._ended(device, action_id, "error", timeout)
        assert re.fullmatch("cause=[a-z-]+", action.reports[0][-1]), action.reports[0]
        return action

    def canceled(self, device: Device, action_id: int, timeout: float = 60) -> Action:
        """The action when the device has agreed to its cancel."""
        return self._ended(device, action_id, "canceled", timeout)

    def install(self, device: Device, *bundles: Path) -> Action:
        return self.succeeded(device, self.deploy(device, *bundles))

    def _ended(self, device: Device, action_id: int, status: str, timeout: float) -> Action:
        action = self.hawkbit.wait_closed(device.name, action_id, timeout)
        assert action.status == status, f"action {action_id} ended as {action.status}, not {status}:\n{action.text}"
        return action
