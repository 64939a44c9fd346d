"""FullMetalUpdate's form: rootfs/ + config.json, no davit.json; what it means comes from the module's metadata."""

from pathlib import Path
from typing import Any

from tests.device.support import Apps
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.wait import until


def module(lab: Lab, app: str, version: str, bundle: Path, **metadata: str) -> dict[str, Any]:
    """The software module as FullMetalUpdate's tools make it: the commit is called `rev`."""
    assert not (bundle / "davit.json").exists()
    commit = lab.publisher.commit(bundle, "--name", app, "--version", version)
    lab.publisher.publish([app], f"{app}-{version}", "1")
    return {"name": app, "metadata": {"rev": commit} | metadata}


def test_it_installs_and_runs_with_notify_and_without(lab: Lab, apps: Apps, device: Device) -> None:
    action = lab.crafted(
        device,
        module(lab, "hello", "legacy-1", apps.hello("legacy-1", "--legacy"), autostart="1", notify="1", timeout="20"),
        module(lab, "ticker", "legacy-1", apps.ticker("legacy-1", "--legacy"), autostart="1", notify="0"))
    until(lambda: device.get("/version") == "legacy-1", "hello")
    until(lambda: device.get("/version", 8081) == "legacy-1", "ticker")
    assert device.show("davit-app-hello.service", "Type")["Type"] == "notify"
    assert device.show("davit-app-ticker.service", "Type")["Type"] == "forking"

    lab.succeeded(device, action, timeout=90)  # such an app is watched for the default time, 30 s


def test_autostart_off_installs_without_starting(lab: Lab, apps: Apps, device: Device) -> None:
    bundle = apps.hello("legacy-2", "--legacy")
    lab.succeeded(device, lab.crafted(device, module(lab, "hello", "legacy-2", bundle, autostart="0")))

    assert device.get("/version") is None
    device.enter("systemctl", "start", "davit-app-hello.service")
    until(lambda: device.get("/version") == "legacy-2", "hello, started by hand")


def test_one_that_never_becomes_ready_is_reported_as_failed(lab: Lab, apps: Apps, device: Device) -> None:
    bundle = apps.hello("legacy-3", "--legacy", "--never-ready")
    ended = lab.failed(device, lab.crafted(device, module(lab, "hello", "legacy-3", bundle, notify="1", timeout="2")))

    assert "hello" in ended.last and "READY" in ended.last


def test_an_app_that_shall_send_ready_from_now_on_is_restarted_and_watched(lab: Lab, apps: Apps, device: Device) -> None:
    bundle = apps.hello("legacy-4", "--legacy")
    lab.succeeded(device, lab.crafted(device, module(lab, "hello", "legacy-4", bundle, notify="0")), timeout=90)
    before = device.app_pid("hello")
    again = module(lab, "hello", "legacy-4", bundle, notify="1") | {"version": "legacy-4-notify"}
    lab.succeeded(device, lab.crafted(device, again), timeout=90)

    assert device.app_pid("hello") not in (0, before)
    assert device.show("davit-app-hello.service", "Type", "StatusText") == {"Type": "notify", "StatusText": "serves on port 8080"}
