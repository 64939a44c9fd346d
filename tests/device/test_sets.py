"""Distribution sets of several apps: each part gets what it needs, and nothing more."""

import os
from pathlib import Path
from typing import Any

from tests.device.support import Apps, MakeDevice
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.nginx import Nginx
from tests.lab.wait import until


def named(apps: Apps, name: str, version: str, port: int, **manifest: Any) -> Path:
    """The example app under another name. Its versions need names of their own, since they are all of kind `hello`."""
    health = {"http": f"http://127.0.0.1:{port}/health"}
    return apps.hello(f"{name}-{version}", "--port", str(port), name=name, health=health, **manifest)


def module(lab: Lab, bundle: Path) -> dict[str, Any]:
    """Publishes it. @return what lab.crafted() takes"""
    (name, _), = lab.release(bundle).commits.items()
    return {"id": lab.hawkbit.module_id(name, "-".join(bundle.name.split("-")[1:3])), "type": "application"}


def test_one_action_installs_updates_downgrades_removes_and_leaves_alone(lab: Lab, apps: Apps, make_device: MakeDevice) -> None:
    device: Device = make_device()
    keeper = module(lab, named(apps, "keeper", "1", 8101))
    lab.succeeded(device, lab.crafted(
        device, keeper, module(lab, named(apps, "climber", "1", 8102)),
        module(lab, named(apps, "veteran", "2", 8103, sequence=2)), module(lab, named(apps, "goner", "1", 8104))))
    pid = device.app_pid("keeper")

    older = module(lab, named(apps, "veteran", "1", 8103, sequence=1))
    lab.hawkbit.set_metadata(older["id"], downgrade="true")
    second = lab.crafted(
        device, keeper, module(lab, named(apps, "climber", "2", 8102)), older,
        {"name": "goner", "version": "gone", "metadata": {"remove": "true"}}, module(lab, named(apps, "newcomer", "1", 8105)))
    ended = lab.succeeded(device, second)

    assert {app["name"]: app["version"] for app in device.ctl("apps")} == {
        "keeper": "keeper-1", "climber": "climber-2", "veteran": "veteran-1", "newcomer": "newcomer-1"}
    assert [device.get("/version", port) for port in (8101, 8102, 8103, 8104, 8105)] == [
        "keeper-1", "climber-2", "veteran-1", None, "newcomer-1"]
    assert device.app_pid("keeper") == pid, "an app that does not change was restarted"
    plan = next(line["MESSAGE"] for line in device.journal(f"DAVIT_ACTION={second}") if "plan:" in line["MESSAGE"])
    for words in ("update climber climber-1 → climber-2", "update veteran veteran-2 → veteran-1", "remove goner", "install newcomer"):
        assert words in plan and words in ended.text


def test_a_download_that_fails_again_and_again_is_at_most_twenty_statuses(lab: Lab, apps: Apps, make_device: MakeDevice) -> None:
    """hawkBit keeps 1,000 of an action, and takes no progress from a device that has used them up."""
    repository = Nginx(lab.run, f"repository-{os.urandom(3).hex()}", serve=lab.publisher.published)
    device = make_device(repository=repository, download={"first_retry": "200ms", "longest_retry": "200ms"})
    repository.stop()
    action = lab.deploy(device, apps.hello("2-chatty"))
    journal = f"DAVIT_ACTION={action}"
    until(lambda: sum("trying again" in line["MESSAGE"] for line in device.journal(journal)) >= 40, "forty attempts", 90)
    repository.start()

    ended = lab.succeeded(device, action)
    assert len(ended.reports) <= 20 + 2, "of which hawkBit itself makes two"
    assert "trying again" in ended.text
    assert all(len(message) <= 512 and "<" not in message for report in ended.reports for message in report)
    repository.stop()
