"""The main job: an operator assigns a version, the device installs it, watches it, and reports the truth."""

import platform

from tests.device.support import Apps
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.poller import Poller
from tests.lab.wait import until

TICKER_PORT = 8081


def test_a_device_registers_itself_and_says_what_it_is(lab: Lab, device: Device) -> None:
    attributes = lab.hawkbit.attributes(device.name)
    assert attributes["hw.arch"] == platform.machine()
    assert attributes["os.name"].startswith("Debian")
    assert attributes["davit.version"] == device.ctl("status")["version"]


def test_two_apps_of_one_set_are_installed_and_serve(lab: Lab, apps: Apps, device: Device) -> None:
    lab.install(device, apps.hello("1"), apps.ticker("1"))

    assert device.get("/version") == "1"
    assert device.get("/version", TICKER_PORT) == "1"
    assert {app["name"]: app["version"] for app in device.ctl("apps")} == {"hello": "1", "ticker": "1"}
    until(lambda: lab.hawkbit.attributes(device.name).get("app.hello") == "1", "hello's version at the server")


def test_an_update_restarts_only_the_app_that_changed(lab: Lab, apps: Apps, hello_1: Device) -> None:
    ticker, hello = hello_1.app_pid("ticker"), hello_1.app_pid("hello")
    with Poller(lab.run, "update", f"http://{hello_1.address}:8080/version") as poller:
        lab.install(hello_1, apps.hello("2"), apps.ticker("1"))
        downtime = poller.downtime(new="2")

    assert hello_1.get("/version") == "2"
    assert hello_1.app_pid("hello") != hello
    assert hello_1.app_pid("ticker") == ticker
    assert downtime < 1.0, "the exact figure is the bench's; a second means that something waits inside the window"


def test_a_set_with_only_one_app_leaves_the_other_alone(lab: Lab, apps: Apps, hello_1: Device) -> None:
    ticker = hello_1.app_pid("ticker")
    lab.install(hello_1, apps.hello("2"))

    assert hello_1.get("/version") == "2"
    assert hello_1.app_pid("ticker") == ticker
    assert {app["name"] for app in hello_1.ctl("apps")} == {"hello", "ticker"}


def test_an_app_is_removed_when_the_module_says_so(lab: Lab, hello_1: Device) -> None:
    action = lab.crafted(hello_1, {"name": "hello", "metadata": {"remove": "true"}})
    lab.succeeded(hello_1, action)

    assert hello_1.get("/version") is None
    assert [app["name"] for app in hello_1.ctl("apps")] == ["ticker"]
    assert hello_1.show("davit-app-hello.service", "LoadState")["LoadState"] == "not-found"


def test_what_is_installed_already_restarts_nothing(lab: Lab, apps: Apps, hello_1: Device) -> None:
    pids = hello_1.app_pid("hello"), hello_1.app_pid("ticker")
    action = lab.install(hello_1, apps.hello("1"), apps.ticker("1"))

    assert "already installed" in action.last
    assert (hello_1.app_pid("hello"), hello_1.app_pid("ticker")) == pids


def test_a_broken_version_is_rolled_back_and_the_server_is_told_why(lab: Lab, apps: Apps, hello_1: Device) -> None:
    ticker = hello_1.app_pid("ticker")
    action = lab.failed(hello_1, lab.deploy(hello_1, apps.hello("3", "--health-status", "500"), apps.ticker("1")))

    for word in ("hello", "/health", "500", "cause=app-failed"):
        assert word in action.last
    assert hello_1.get("/version") == "1"
    assert hello_1.app_pid("ticker") == ticker
    newest = hello_1.ctl("history")[0]
    assert (newest["success"], newest["id"]) == (False, str(action.id))


def test_both_apps_go_back_when_the_second_is_broken(lab: Lab, apps: Apps, hello_1: Device) -> None:
    action = lab.failed(hello_1, lab.deploy(hello_1, apps.hello("2"), apps.ticker("3", "--health-status", "500")))

    assert "ticker" in action.last and "500" in action.last
    assert hello_1.get("/version") == "1"
    assert hello_1.get("/version", TICKER_PORT) == "1"
    assert {app["name"]: app["version"] for app in hello_1.ctl("apps")} == {"hello": "1", "ticker": "1"}


def test_an_app_that_never_becomes_ready_is_rolled_back(lab: Lab, apps: Apps, hello_1: Device) -> None:
    action = lab.failed(hello_1, lab.deploy(hello_1, apps.hello("4", "--never-ready", start={"timeout": "2s"})))

    assert "hello" in action.last and "READY" in action.last
    assert hello_1.get("/version") == "1"


def test_an_app_that_cannot_be_started_at_all_is_rolled_back(lab: Lab, apps: Apps, hello_1: Device) -> None:
    broken = apps.hello("5", process={"args": ["/bin/hello", "--no-such-option"]})
    action = lab.failed(hello_1, lab.deploy(hello_1, broken))

    assert "hello" in action.last
    assert hello_1.get("/version") == "1"


def test_a_first_install_that_fails_leaves_no_app_behind(lab: Lab, apps: Apps, device: Device) -> None:
    lab.failed(device, lab.deploy(device, apps.hello("3", "--health-status", "500")))

    assert device.ctl("apps") == []
    assert device.get("/version") is None


def test_the_same_set_can_be_tried_again_after_a_failure(lab: Lab, apps: Apps, hello_1: Device) -> None:
    release = lab.release(apps.hello("3", "--health-status", "500"))
    first = lab.publisher.deploy(release, hello_1.name)
    lab.failed(hello_1, first)
    second = lab.publisher.deploy(release, hello_1.name)

    assert second != first
    lab.failed(hello_1, second)
    assert hello_1.get("/version") == "1"
