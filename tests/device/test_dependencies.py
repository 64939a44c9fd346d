"""Apps that need each other: order, restarts, refusals; by real systemd."""

from pathlib import Path
from typing import Any

from tests.device.support import Apps
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.wait import until


def started_us(device: Device, app: str) -> int:
    """When it was READY, in microseconds since boot."""
    return int(device.show(f"davit-app-{app}.service", "ActiveEnterTimestampMonotonic")["ActiveEnterTimestampMonotonic"])


def module(lab: Lab, app: str, version: str, bundle: Path) -> dict[str, Any]:
    """The module of an app that `davit publish` would not put into a set with others, or without them."""
    lab.publisher.commit(bundle)
    lab.publisher.publish([app], f"{app}-{version}", "1", on_device=["ticker", "hello"])
    return {"id": lab.hawkbit.module_id(app, version)}


def test_apps_start_in_order_also_at_boot(lab: Lab, apps: Apps, device: Device) -> None:
    lab.install(device, apps.hello("dep-1", "--start-delay", "500", after=["ticker"]), apps.ticker("dep-1", "--start-delay", "700"))
    assert started_us(device, "ticker") < started_us(device, "hello")

    device.reboot()
    until(lambda: device.get("/version") == "dep-1", "hello after the boot")
    assert started_us(device, "ticker") < started_us(device, "hello")


def test_an_app_that_requires_an_updated_one_is_restarted_once_with_it(lab: Lab, apps: Apps, device: Device) -> None:
    lab.install(device, apps.hello("dep-2", requires=["ticker"]), apps.ticker("dep-2"))
    hello, ticker = device.app_pid("hello"), device.app_pid("ticker")
    release = lab.publisher.release("dep-only-ticker", "1", apps.ticker("dep-3"))
    lab.succeeded(device, lab.publisher.deploy(release, device.name))

    assert device.app_pid("ticker") != ticker
    assert device.app_pid("hello") not in (0, hello)
    starts = [line for line in device.journal("_SYSTEMD_UNIT=davit-app-hello.service") if "serves on port" in line["MESSAGE"]]
    assert len(starts) == 2, "at its installation, and once more"


def test_both_of_a_set_are_started_once_though_one_requires_the_other(lab: Lab, apps: Apps, device: Device) -> None:
    lab.install(device, apps.hello("dep-2", requires=["ticker"]), apps.ticker("dep-2"))
    lab.install(device, apps.hello("dep-4", requires=["ticker"]), apps.ticker("dep-4"))

    assert device.get("/version") == "dep-4"
    starts = [line for line in device.journal("_SYSTEMD_UNIT=davit-app-hello.service") if "dep-4 serves" in line["MESSAGE"]]
    assert len(starts) == 1


def test_an_app_that_only_wants_an_updated_one_runs_on(lab: Lab, apps: Apps, device: Device) -> None:
    lab.install(device, apps.hello("dep-5", wants=["ticker"]), apps.ticker("dep-2"))
    hello = device.app_pid("hello")
    lab.install(device, apps.ticker("dep-3"))

    assert device.app_pid("hello") == hello


def test_everything_goes_back_when_an_app_does_not_get_on_with_what_it_requires(lab: Lab, apps: Apps, device: Device) -> None:
    # hello is well as long as ticker answers: its health is what ticker says.
    lab.install(device, apps.hello("dep-6", requires=["ticker"], health={"http": "http://127.0.0.1:8081/health"}), apps.ticker("dep-2"))
    release = lab.publisher.release("dep-sick-ticker", "1", apps.ticker("dep-7", "--health-status", "500", health={"http": None}))
    action = lab.failed(device, lab.publisher.deploy(release, device.name))

    assert "app 'hello' dep-6 is unhealthy" in action.last and "rolled back: ticker dep-2 again" in action.last
    assert device.get("/version", 8081) == "dep-2"
    assert device.get("/version") == "dep-6"


def test_a_required_app_that_is_missing_is_refused_before_anything_is_stopped(lab: Lab, apps: Apps, device: Device) -> None:
    lab.install(device, apps.hello("dep-1-alone"))
    before = device.app_pid("hello")
    action = lab.failed(device, lab.crafted(device, module(lab, "hello", "dep-8", apps.hello("dep-8", requires=["ticker"]))))

    assert "app 'hello' requires app 'ticker', which would not be on this device" in action.last
    assert "cause=invalid-input" in action.last
    assert device.app_pid("hello") == before


def test_an_app_that_another_one_requires_cannot_be_removed_alone(lab: Lab, apps: Apps, device: Device) -> None:
    lab.install(device, apps.hello("dep-2", requires=["ticker"]), apps.ticker("dep-2"))
    action = lab.failed(device, lab.crafted(device, {"name": "ticker", "metadata": {"remove": "true"}}))
    assert "app 'hello' requires app 'ticker', which this deployment removes" in action.last
    assert device.app_pid("ticker")

    both = [{"name": name, "metadata": {"remove": "true"}} for name in ("ticker", "hello")]
    lab.succeeded(device, lab.crafted(device, *both))
    assert device.ctl("apps") == []


def test_a_circle_is_refused_at_the_publishers_and_on_the_device(lab: Lab, apps: Apps, device: Device) -> None:
    one, other = apps.hello("dep-9", after=["ticker"]), apps.ticker("dep-9", wants=["hello"])
    for bundle in (one, other):
        lab.publisher.commit(bundle)
    words = ("publish", "hello", "ticker", "--repo", lab.publisher.build_repository, "--to", lab.publisher.published)
    refused = lab.publisher.attempt(*words, "--set", "circle", "--set-version", "1")
    assert refused.returncode == 1 and "in a circle: hello → ticker → hello" in refused.stderr

    modules = [module(lab, "hello", "dep-9", one), module(lab, "ticker", "dep-9", other)]
    action = lab.failed(device, lab.crafted(device, *modules))
    assert "in a circle: hello → ticker → hello" in action.last
    assert device.ctl("apps") == []


def test_publish_refuses_a_set_that_lacks_a_required_app_unless_it_is_on_the_devices(lab: Lab, apps: Apps) -> None:
    lab.publisher.commit(apps.hello("dep-10", requires=["ticker"]))
    words = ("publish", "hello", "--repo", lab.publisher.build_repository, "--to", lab.publisher.published,
             "--set", "lacking", "--set-version", "1")
    refused = lab.publisher.attempt(*words)
    assert refused.returncode == 1
    assert "app 'hello' requires app 'ticker', which is not in this set" in refused.stderr and "--on-device ticker" in refused.stderr
    lab.publisher.davit(*words, "--on-device", "ticker")
