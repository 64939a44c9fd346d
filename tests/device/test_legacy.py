"""FullMetalUpdate's form: rootfs/ + config.json, no davit.json; what it means comes from the module's metadata."""

from tests.device.support import Apps
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.wait import until


def legacy(lab: Lab, apps: Apps, device: Device, version: str, metadata: dict[str, str], *options: str) -> int:
    """Deploys hello in that form, as FullMetalUpdate's tools publish it. @return the action's id"""
    bundle = apps.hello(version, "--legacy", *options)
    assert not (bundle / "davit.json").exists()
    commit = lab.publisher.commit(bundle, "--name", "hello", "--version", version)
    lab.publisher.push("hello")
    return lab.crafted(device, {"name": "hello", "metadata": {"rev": commit} | metadata})


def test_it_installs_and_runs(lab: Lab, apps: Apps, device: Device) -> None:
    action = legacy(lab, apps, device, "legacy-1", {"autostart": "1", "notify": "1", "timeout": "20"})
    lab.succeeded(device, action, timeout=90)

    assert device.get("/version") == "legacy-1"
    assert device.show("davit-app-hello.service", "Type")["Type"] == "notify"


def test_without_notify_it_counts_as_started_when_it_runs(lab: Lab, apps: Apps, device: Device) -> None:
    action = legacy(lab, apps, device, "legacy-2", {"autostart": "1", "notify": "0"})
    until(lambda: device.get("/version") == "legacy-2", "hello 2")
    lab.succeeded(device, action, timeout=90)


def test_autostart_off_installs_without_starting(lab: Lab, apps: Apps, device: Device) -> None:
    action = legacy(lab, apps, device, "legacy-3", {"autostart": "0"})
    lab.succeeded(device, action, timeout=90)

    assert device.get("/version") is None
    device.enter("systemctl", "start", "davit-app-hello.service")
    until(lambda: device.get("/version") == "legacy-3", "hello 3, started by hand")


def test_one_that_never_becomes_ready_is_reported_as_failed(lab: Lab, apps: Apps, device: Device) -> None:
    action = legacy(lab, apps, device, "legacy-4", {"autostart": "1", "notify": "1", "timeout": "2"}, "--never-ready")
    ended = lab.failed(device, action)

    assert "hello" in ended.last and "READY" in ended.last
