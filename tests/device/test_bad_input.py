"""Bad input: a message that a person can act on reaches the one who can, and nothing is lost."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.device.support import Apps, MakeDevice
from tests.lab import craft
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.nginx import Nginx
from tests.lab.publisher import merged
from tests.lab.wait import until


def crafted_commit(lab: Lab, bundle: Path, manifest: dict[str, Any]) -> str:
    """Publishes a bundle whose manifest `davit app commit` would refuse, signed with the right key."""
    tree = bundle.with_name(bundle.name + "-" + os.urandom(4).hex())
    shutil.copytree(bundle, tree, symlinks=True)
    file = tree / "davit.json"
    file.write_text(json.dumps(merged(json.loads(file.read_text()), manifest)))
    commit = craft.commit(lab.publisher.published, "hello", tree)
    craft.sign(lab.publisher.published, commit, lab.publisher.key)
    return commit


# --- what the operator does wrong ---------------------------------------------------------------------------------


def test_a_module_without_a_commit(lab: Lab, unchanged: Device) -> None:
    action = lab.failed(unchanged, lab.crafted(unchanged, {"name": "hello"}))
    assert "'hello'" in action.last and "has no metadata 'commit'" in action.last


def test_a_commit_that_is_no_commit_id(lab: Lab, unchanged: Device) -> None:
    action = lab.failed(unchanged, lab.crafted(unchanged, {"name": "hello", "metadata": {"commit": "main"}}))
    assert "'main'" in action.last and "64 lower-case hex digits" in action.last


def test_an_operating_system_among_the_modules(lab: Lab, unchanged: Device) -> None:
    action = lab.failed(unchanged, lab.crafted(unchanged, {"name": "rootfs", "type": "os", "metadata": {"commit": "a" * 64}}))
    assert "'rootfs'" in action.last and "not supported" in action.last


def test_a_name_that_no_app_may_have(lab: Lab, unchanged: Device) -> None:
    action = lab.failed(unchanged, lab.crafted(unchanged, {"name": "../etc", "metadata": {"commit": "a" * 64}}))
    assert "../etc" in action.last


def test_a_commit_that_the_repository_does_not_have(lab: Lab, unchanged: Device) -> None:
    action = lab.failed(unchanged, lab.crafted(unchanged, {"name": "hello", "metadata": {"commit": "a" * 64}}))
    assert "commit aaaaaaaaaaaa of 'hello'" in action.last and "404" in action.last
    assert lab.repository.url(unchanged.host_address) in action.last
    assert "cause=not-found" in action.last


def test_a_repository_that_is_not_one(lab: Lab, apps: Apps, unchanged: Device, tmp_path: Path) -> None:
    commit = lab.release(apps.hello("2")).commits["hello"]
    empty = Nginx(lab.run, f"empty-{os.urandom(3).hex()}", serve=tmp_path)
    url = empty.url(unchanged.host_address)
    action = lab.failed(unchanged, lab.crafted(unchanged, {"name": "hello", "metadata": {"commit": commit, "repo": url}}))
    assert url in action.last and "is this the repository" in action.last and "is this the repository" in action.last
    assert "cause=not-found" in action.last
    empty.stop()


# --- what the publisher does wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize("manifest, words", [
    ({"healht": {}}, ["davit.json", "healht"]),
    ({"health": {"every": 5}}, ["davit.json", "health.every", "string", "number"]),
    ({"start": {"type": "sometimes"}}, ["davit.json", "start.type", "notify", "sometimes"]),
    ({"process": {"args": "/bin/hello"}}, ["davit.json", "process.args", "array", "string"]),
], ids=["an unknown field", "a wrong type", "a wrong word", "a string for a list"])
def test_a_manifest_with(lab: Lab, apps: Apps, unchanged: Device, manifest: dict[str, Any], words: list[str]) -> None:
    commit = crafted_commit(lab, apps.hello("2"), manifest)
    action = lab.failed(unchanged, lab.crafted(unchanged, {"name": "hello", "metadata": {"commit": commit}}))
    for word in ["hello", *words]:
        assert word in action.last


def test_an_app_that_asks_for_more_than_the_device_allows(lab: Lab, apps: Apps, unchanged: Device) -> None:
    commit = crafted_commit(lab, apps.hello("2"), {"capabilities": ["CAP_SYS_ADMIN"]})
    action = lab.failed(unchanged, lab.crafted(unchanged, {"name": "hello", "metadata": {"commit": commit}}))
    assert "hello" in action.last and "CAP_SYS_ADMIN" in action.last and "policy" in action.last
    assert "cause=policy-refused" in action.last


# --- what the integrator does wrong -------------------------------------------------------------------------------


def test_a_configuration_that_is_not_json(hello_1: Device) -> None:
    hello_1.write("/etc/davit/davitd.json", '{"hawkbit": ')
    hello_1.attempt("systemctl", "restart", "davitd")

    until(lambda: "/etc/davit/davitd.json" in hello_1.log("davitd", 10), "the message")
    assert hello_1.pid("davitd.service") == 0
    assert hello_1.get("/version") == "1"


def test_a_setting_of_the_wrong_type(hello_1: Device) -> None:
    hello_1.write("/etc/davit/davitd.d/wrong.json", '{"download": {"reserve": "much"}}')
    answer = hello_1.attempt("/usr/libexec/davit/davitd", "--check-config")

    assert answer.returncode != 0
    for word in ("download.reserve", "integer", "string"):
        assert word in answer.stderr


def test_an_unknown_setting_is_only_warned_of(hello_1: Device) -> None:
    hello_1.write("/etc/davit/davitd.d/typo.json", '{"hawkbti": {}}')
    answer = hello_1.attempt("/usr/libexec/davit/davitd", "--check-config")

    assert answer.returncode == 0
    assert "hawkbti" in answer.stderr


def test_a_missing_token_file(lab: Lab, hello_1: Device) -> None:
    hello_1.remove("/etc/davit/gateway.token")
    hello_1.enter("systemctl", "restart", "davitd")
    until(lambda: hello_1.ctl("status")["server_error"], "an attempt")

    assert "/etc/davit/gateway.token" in hello_1.ctl("status")["server_error"]


# --- what the server does wrong -----------------------------------------------------------------------------------


@pytest.mark.parametrize("answer, word", [
    ("{not json", "not JSON: syntax error"), ("<html>Sign in to the hotel's WLAN</html>", "it looks like a web page"),
    ('{"_links": {"deploymentBase": 7}}', "_links.deploymentBase"),
], ids=["broken JSON", "a captive portal's page", "a link that is a number"])
def test_an_answer_that_cannot_be_read(
        lab: Lab, make_device: MakeDevice, tmp_path: Path, answer: str, word: str) -> None:
    device = make_device(boot=False)
    page = tmp_path / "DEFAULT/controller/v1" / device.name
    page.parent.mkdir(parents=True)
    page.write_text(answer)
    server = Nginx(lab.run, f"wrong-{os.urandom(3).hex()}", serve=tmp_path)
    lab.configure(device, front=server)
    device.boot()
    until(lambda: device.ctl("status")["server_error"], "an attempt")

    error = device.ctl("status")["server_error"]
    assert word in error and f"/controller/v1/{device.name}" in error
    until(lambda: server.traffic().count >= 2, "davitd to ask again", 15)
    server.stop()
