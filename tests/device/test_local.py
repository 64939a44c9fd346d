"""What somebody at the device can do: install and remove apps, start and stop them; beside a server that does things too."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.device.support import BIG, SLOW, Apps, MakeDevice, downloading
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.nginx import Nginx
from tests.lab.wait import until


def stick(lab: Lab, device: Device, bundle: Path) -> str:
    """The bundle as a file on the device, as from a USB stick. @return its path there"""
    commit = lab.publisher.commit(bundle)
    name = f"{bundle.name}.davit"
    file = lab.publisher.directory / name
    lab.publisher.davit("app", "export", f"{bundle.name.split('-')[0]}={commit}", "--repo", lab.publisher.build_repository, "--to", file)
    device.write(f"/root/{name}", file.read_bytes())
    return f"/root/{name}"


def slow_repository(lab: Lab, name: str) -> Nginx:
    repository = Nginx(lab.run, name, serve=lab.publisher.published)
    repository.slow(SLOW)
    return repository


def test_an_app_is_installed_and_updated_from_a_file_without_any_network(lab: Lab, apps: Apps, device: Device) -> None:
    first, second = (stick(lab, device, apps.hello(version)) for version in ("local-1", "local-2"))
    device.cable_out()
    assert device.enter("davitctl", "install", first).endswith("installed hello local-1\n")
    ended = device.ctl("install", second)

    assert (ended["success"], ended["message"], ended["parts"]) == (True, "updated hello local-1 → local-2", ["hello local-2"])
    assert ended["id"].startswith("local-")
    device.cable_in()
    assert device.get("/version") == "local-2"
    until(lambda: lab.hawkbit.attributes(device.name).get("app.hello") == "local-2", "the server to know")
    assert lab.hawkbit.actions(device.name) == [], "the server was told as if it had asked"


def test_two_files_are_one_deployment(lab: Lab, apps: Apps, hello_1: Device) -> None:
    good = stick(lab, hello_1, apps.hello("2"))
    bad = stick(lab, hello_1, apps.ticker("3", "--health-status", "500"))
    refused = hello_1.attempt("davitctl", "install", good, bad)

    assert refused.returncode == 1
    assert "app 'ticker' 3 is unhealthy" in refused.stderr and "rolled back: hello 1 again, ticker 1 again" in refused.stderr
    assert hello_1.get("/version") == "1"


def test_an_app_is_installed_from_a_repository_by_name_or_by_commit(lab: Lab, apps: Apps, device: Device) -> None:
    lab.release(apps.hello("local-3"))
    commit = lab.publisher.commit(apps.hello("local-3"))
    lab.release(apps.hello("local-4"))
    url = lab.repository.url(device.host_address)
    assert "installed hello local-3" in device.enter("davitctl", "install", f"{url}#hello@{commit}")
    assert "updated hello local-3 → local-4" in device.enter("davitctl", "install", f"{url}#hello")
    refused = device.attempt("davitctl", "install", url)
    assert refused.returncode == 1 and "#APP" in refused.stderr


def test_what_no_trusted_key_has_signed_is_refused(lab: Lab, apps: Apps, hello_1: Device) -> None:
    path = stick(lab, hello_1, apps.hello("local-5"))
    before = hello_1.app_pid("hello")
    stranger, _ = lab.publisher.new_key("local-stranger")
    repository = lab.publisher.directory / "local-strangers-repo"
    file = lab.publisher.directory / "strangers.davit"
    lab.publisher.davit("app", "commit", apps.hello("local-6"), "--key", stranger, "--repo", repository)
    lab.publisher.davit("app", "export", "hello", "--repo", repository, "--to", file)
    hello_1.write("/root/strangers.davit", file.read_bytes())
    refused = hello_1.attempt("davitctl", "install", "/root/strangers.davit")
    assert refused.returncode == 1 and "is not trusted" in refused.stderr
    assert hello_1.ctl("history")[0]["cause"] == "untrusted"

    damaged = bytearray((hello_1.root / path.lstrip("/")).read_bytes())
    damaged[len(damaged) // 2] ^= 0x55
    hello_1.write(path, bytes(damaged))
    refused = hello_1.attempt("davitctl", "install", path)
    assert refused.returncode == 1 and path in refused.stderr
    assert hello_1.app_pid("hello") == before
    assert hello_1.attempt("davitctl", "install", "/root/none.davit").stderr == "davitctl: there is no '/root/none.davit'\n"


def test_what_the_policy_forbids_is_refused_from_a_file_too(lab: Lab, apps: Apps, hello_1: Device) -> None:
    path = stick(lab, hello_1, apps.hello("local-7", capabilities=["CAP_SYS_ADMIN"]))
    refused = hello_1.attempt("davitctl", "install", path)
    assert refused.returncode == 1 and "CAP_SYS_ADMIN" in refused.stderr
    assert hello_1.get("/version") == "1"


def test_an_older_release_is_refused_unless_one_says_so(lab: Lab, apps: Apps, device: Device) -> None:
    newer = stick(lab, device, apps.hello("local-15", sequence=5))
    older = stick(lab, device, apps.hello("local-16", sequence=4))
    device.enter("davitctl", "install", newer)
    refused = device.attempt("davitctl", "install", older)
    assert refused.returncode == 1 and "has sequence 4, but this device has had sequence 5" in refused.stderr
    assert "davitctl install --downgrade" in refused.stderr
    assert "updated hello local-15 → local-16" in device.enter("davitctl", "install", "--downgrade", older)


def test_an_app_is_removed(hello_1: Device) -> None:
    assert "removed ticker 1" in hello_1.enter("davitctl", "remove", "ticker")
    assert [app["name"] for app in hello_1.ctl("apps")] == ["hello"]
    refused = hello_1.attempt("davitctl", "remove", "ticker")
    assert refused.returncode == 1 and "no app 'ticker' is installed" in refused.stderr


def test_apps_are_stopped_started_and_restarted(hello_1: Device) -> None:
    assert hello_1.enter("davitctl", "stop", "hello") == "hello 1 is stopped\n"
    assert hello_1.app_pid("hello") == 0
    assert hello_1.ctl("start", "hello") == {"app": "hello", "message": "hello 1 is running"}
    first = hello_1.app_pid("hello")
    assert first
    hello_1.enter("davitctl", "start", "hello")
    assert hello_1.app_pid("hello") == first, "it runs already"
    hello_1.enter("davitctl", "restart", "hello")
    assert hello_1.app_pid("hello") not in (0, first)
    assert hello_1.get("/version") == "1", "it returned when the app was READY"
    refused = hello_1.attempt("davitctl", "stop", "none")
    assert refused.returncode == 1 and "no app 'none' is installed" in refused.stderr


def test_who_requires_a_stopped_app_stops_with_it_and_is_named(lab: Lab, apps: Apps, device: Device) -> None:
    lab.install(device, apps.hello("dep-2", requires=["ticker"]), apps.ticker("dep-2"))
    assert device.enter("davitctl", "stop", "ticker") == "ticker dep-2 is stopped, and with it hello dep-2, which requires it\n"
    assert device.app_pid("hello") == 0


def test_an_app_that_somebody_stopped_stays_stopped_while_others_are_updated(lab: Lab, apps: Apps, hello_1: Device) -> None:
    hello_1.enter("davitctl", "stop", "ticker")
    lab.install(hello_1, apps.hello("2"), apps.ticker("1"))  # the set names it, unchanged
    assert hello_1.get("/version") == "2"
    assert hello_1.app_pid("ticker") == 0
    hello_1.enter("systemctl", "restart", "davitd")
    lab.install(hello_1, apps.hello("local-8"))
    assert hello_1.app_pid("ticker") == 0

    lab.install(hello_1, apps.ticker("2"))
    assert hello_1.app_pid("ticker"), "its own update starts it: it has to show that it is good"


def test_what_an_app_said_is_shown(hello_1: Device) -> None:
    assert "hello 1 serves on port 8080" in hello_1.enter("davitctl", "logs", "hello", "-n", "20")
    refused = hello_1.attempt("davitctl", "logs", "none")
    assert refused.returncode == 1 and "no app 'none' is installed" in refused.stderr


@pytest.mark.parametrize("words", [("install", "/etc/hostname"), ("remove", "hello"), ("start", "hello"), ("stop", "hello"),
                                   ("restart", "hello")], ids=lambda words: words[0])
def test_only_root_may_change_anything(unchanged: Device, words: tuple[str, ...]) -> None:
    refused = unchanged.attempt("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "davitctl", *words)
    assert refused.returncode == 1 and "this needs root" in refused.stderr


def test_while_the_servers_deployment_runs_people_at_the_device_are_told_so(lab: Lab, apps: Apps, make_device: MakeDevice) -> None:
    device = make_device(repository=slow_repository(lab, "slow-for-local"))
    path = stick(lab, device, apps.ticker("1"))
    action = lab.deploy(device, apps.hello("local-9", *BIG))
    downloading(device)
    for words in (("install", path), ("remove", "hello"), ("rollback",), ("stop", "hello")):
        refused = device.attempt("davitctl", *words)
        assert refused.returncode == 1
        assert f"deployment {action} of the server is under way (downloading: " in refused.stderr, words
    lab.hawkbit.cancel(device.name, action)
    lab.canceled(device, action)
    assert "installed ticker 1" in device.enter("davitctl", "install", path)


def test_a_servers_deployment_that_comes_during_a_local_one_waits_and_says_so(lab: Lab, apps: Apps, hello_1: Device) -> None:
    path = stick(lab, hello_1, apps.ticker("local-10", health={"stays_up": "8s"}))
    local = subprocess.Popen(["nsenter", "-t", str(hello_1.leader), "-a", "--", "davitctl", "install", path],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    until(lambda: hello_1.ctl("status")["phase"] == "probation", "the local deployment to be under way")
    action = lab.deploy(hello_1, apps.hello("2"))
    ended = lab.succeeded(hello_1, action)

    assert "updated ticker 1 → local-10" in local.communicate(timeout=60)[0]
    assert "waits: deployment local-" in ended.text and "of somebody at the device is under way" in ended.text
    newest, before = hello_1.ctl("history")[:2]
    assert (newest["id"], before["parts"]) == (str(action), ["ticker local-10"])
    assert hello_1.get("/version") == "2"


def test_a_local_deployment_can_be_canceled_at_the_device(lab: Lab, apps: Apps, make_device: MakeDevice) -> None:
    repository = slow_repository(lab, "slow-for-cancel")
    device = make_device(repository=repository)
    lab.release(apps.hello("local-14", *BIG))
    assert device.attempt("davitctl", "cancel").stderr == "davitctl: no deployment is under way\n"
    local = subprocess.Popen(["nsenter", "-t", str(device.leader), "-a", "--", "davitctl", "install",
                              f"{repository.url(device.host_address)}#hello"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    downloading(device)

    assert device.enter("davitctl", "cancel") == "canceled; nothing was changed\n"
    assert local.communicate(timeout=60)[1] == "davitctl: canceled; nothing was changed\n"
    assert device.ctl("apps") == []


def test_a_deployment_is_followed_to_its_end_in_plain_lines(lab: Lab, apps: Apps, make_device: MakeDevice) -> None:
    device = make_device(repository=slow_repository(lab, "slow-for-watch"))
    watch = subprocess.Popen(["nsenter", "-t", str(device.leader), "-a", "--", "davitctl", "status", "--watch"],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    action = lab.deploy(device, apps.hello("local-11", *BIG))
    lab.succeeded(device, action)
    lines = watch.communicate(timeout=60)[0].splitlines()

    assert watch.returncode == 0
    assert lines[-1] == "installed hello local-11"
    assert any(line.startswith(f"{action}, downloading: ") and " % of " in line for line in lines)
    assert not any("\x1b" in line for line in lines), "no terminal, no control sequences"


def test_a_terminal_gets_a_live_bar_with_percent_and_bytes(lab: Lab, apps: Apps, make_device: MakeDevice) -> None:
    device = make_device(repository=slow_repository(lab, "slow-for-bar"))
    # `script` gives it a terminal.
    watch = subprocess.Popen(["nsenter", "-t", str(device.leader), "-a", "--", "script", "--quiet", "--command",
                              "stty cols 60; davitctl status --watch", "/dev/null"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    lab.succeeded(device, lab.deploy(device, apps.hello("local-12", *BIG)))
    text = watch.communicate(timeout=60)[0]

    assert " % " in text and "MB" in text and "[#" in text
    assert text.rstrip().endswith("installed hello local-12")
    for line in text.replace("\x1b[J", "\n").replace("\x1b[K", "\n").splitlines():
        assert len(line.strip()) <= 60


def test_a_local_installation_that_was_interrupted_goes_on(lab: Lab, apps: Apps, hello_1: Device) -> None:
    path = stick(lab, hello_1, apps.ticker("local-13", health={"stays_up": "5s"}))
    local = subprocess.Popen(["nsenter", "-t", str(hello_1.leader), "-a", "--", "davitctl", "install", path],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    until(lambda: hello_1.ctl("status")["phase"] == "probation", "the local deployment to be under way")
    hello_1.enter("systemctl", "kill", "--signal=SIGKILL", "davitd")

    assert local.communicate(timeout=60)[0].endswith("updated ticker 1 → local-13\n")
    assert local.returncode == 0
    assert json.loads(hello_1.enter("davitctl", "history", "--json"))[0]["success"]
