"""The agent itself: apps outlive it, it tells what it does, and it is watched."""

import signal

import pytest

from tests.device.support import Apps
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.wait import until

WATCHDOG = "[Service]\nWatchdogSec=2s\n"


def pids(device: Device) -> tuple[int, int]:
    return device.app_pid("hello"), device.app_pid("ticker")


@pytest.mark.parametrize("how", [
    ("systemctl", "restart", "davitd"),
    ("systemctl", "kill", "--signal=SIGKILL", "davitd"),
    ("systemctl", "stop", "davitd"),
], ids=["restart", "SIGKILL", "stop"])
def test_apps_outlive_the_agent(hello_1: Device, how: tuple[str, ...]) -> None:
    before, agent = pids(hello_1), hello_1.pid("davitd.service")
    assert all(before) and agent
    hello_1.enter(*how)
    if "stop" in how:
        assert hello_1.pid("davitd.service") == 0
    else:
        until(lambda: hello_1.pid("davitd.service") not in (0, agent), "another davitd")
        until(lambda: hello_1.attempt("davitctl", "status").returncode == 0, "davitctl to answer")

    assert pids(hello_1) == before
    assert hello_1.get("/version") == "1"


def test_apps_outlive_an_upgrade_of_the_agent(lab: Lab, apps: Apps, hello_1: Device) -> None:
    before, agent = pids(hello_1), hello_1.pid("davitd.service")
    # As a package manager does it: new files under the old names, then a restart.
    hello_1.sh("cd /usr/libexec/davit && for program in *; do cp -p $program .new && mv .new $program; done"
               " && systemctl daemon-reload && systemctl restart davitd")

    assert hello_1.pid("davitd.service") not in (0, agent)
    assert pids(hello_1) == before
    lab.install(hello_1, apps.hello("2-by-the-new-agent"))
    assert hello_1.get("/version") == "2-by-the-new-agent"


def test_an_agent_that_hangs_is_restarted_by_systemd(hello_1: Device) -> None:
    hello_1.sh(f"mkdir -p /run/systemd/system/davitd.service.d && printf '{WATCHDOG}' > /run/systemd/system/davitd.service.d/test.conf"
               " && systemctl daemon-reload && systemctl restart davitd")
    before, agent = pids(hello_1), hello_1.pid("davitd.service")
    hello_1.enter("systemctl", "kill", f"--signal={signal.SIGSTOP.value}", "--kill-whom=main", "davitd")

    until(lambda: hello_1.pid("davitd.service") not in (0, agent), "the watchdog", 30)
    assert pids(hello_1) == before


def test_an_agent_that_is_only_idle_is_not_taken_for_hanging(hello_1: Device) -> None:
    hello_1.sh(f"mkdir -p /run/systemd/system/davitd.service.d && printf '{WATCHDOG}' > /run/systemd/system/davitd.service.d/test.conf"
               " && systemctl daemon-reload && systemctl restart davitd")
    agent = hello_1.pid("davitd.service")
    hello_1.sh("sleep 5")

    assert hello_1.pid("davitd.service") == agent


def test_the_agent_itself_holds_no_tls_and_no_ostree(hello_1: Device) -> None:
    """Both are more than half of an agent's memory, and live in processes that come and go."""
    loaded = hello_1.sh(f"cat /proc/{hello_1.pid('davitd.service')}/maps")
    assert "libsystemd.so" in loaded
    for library in ("libcurl", "libssl", "libcrypto", "libgnutls", "libostree"):
        assert library not in loaded


def test_a_kill_of_the_process_that_speaks_to_the_server_is_only_a_late_poll(lab: Lab, hello_1: Device) -> None:
    lab.hawkbit.configure("pollingTime", "00:00:30")  # frequent enough to keep the process, rare enough to find it idle
    try:
        hello_1.ctl("check")
        child = until(lambda: hello_1.sh("pgrep -x davit-http || true").strip(), "davit-http", 20)
        hello_1.sh(f"kill -9 {child}")
        before = hello_1.ctl("status")["last_contact_ms"]

        def contact() -> bool:
            hello_1.ctl("check")
            return hello_1.ctl("status")["last_contact_ms"] > before
        until(contact, "a poll", 30)
    finally:
        lab.hawkbit.configure("pollingTime", "00:00:01")


def test_davitctl_tells_what_the_device_has_and_does(lab: Lab, apps: Apps, hello_1: Device) -> None:
    status = hello_1.ctl("status")
    assert status["server_reached"] and status["server_url"].endswith(str(lab.hawkbit.port))
    assert status["deployment_id"] == ""
    assert {app["name"]: (app["version"], app["pid"]) for app in hello_1.ctl("apps")} == {
        "hello": ("1", hello_1.app_pid("hello")), "ticker": ("1", hello_1.app_pid("ticker"))}
    action = lab.failed(hello_1, lab.deploy(hello_1, apps.hello("3", "--health-status", "500")))
    newest, first = hello_1.ctl("history")
    assert (newest["id"], newest["success"], newest["cause"]) == (str(action.id), False, "app-failed")
    assert newest["message"] in action.last
    assert first["success"]


def test_somebody_at_the_device_goes_back_and_forth(lab: Lab, apps: Apps, hello_1: Device) -> None:
    lab.install(hello_1, apps.hello("2"))
    ticker = hello_1.app_pid("ticker")
    actions = len(lab.hawkbit.actions(hello_1.name))
    generations = {tuple(found["roles"]): found for found in hello_1.ctl("generations")}
    assert "hello 2" in generations[("current",)]["apps"] and "hello 1" in generations[("previous",)]["apps"]

    assert "updated hello 2 → 1" in hello_1.enter("davitctl", "rollback")
    assert hello_1.get("/version") == "1"
    assert hello_1.app_pid("ticker") == ticker
    newest = hello_1.ctl("history")[0]
    assert newest["success"] and newest["id"].startswith("local-")
    until(lambda: lab.hawkbit.attributes(hello_1.name)["app.hello"] == "1", "the server to know")
    assert len(lab.hawkbit.actions(hello_1.name)) == actions, "the server was told as if it had asked"

    hello_1.enter("davitctl", "rollback")
    assert hello_1.get("/version") == "2"
    refused = hello_1.attempt("davitctl", "rollback", "--to", "99")
    assert refused.returncode == 1 and "there is no generation 99" in refused.stderr


def test_davitctl_is_readable_for_people_too(hello_1: Device) -> None:
    assert "answered" in hello_1.enter("davitctl", "status")
    assert "hello" in hello_1.enter("davitctl", "apps")
    assert "success" in hello_1.enter("davitctl", "history")


def test_davitctl_check_asks_the_server_at_once(lab: Lab, device: Device) -> None:
    lab.hawkbit.configure("pollingTime", "00:05:00")
    try:
        hello = device.ctl("status")
        until(lambda: device.ctl("status")["next_poll_ms"] > hello["last_contact_ms"] + 60_000, "the long interval", 10)
        before = device.ctl("status")["last_contact_ms"]
        device.ctl("check")
        until(lambda: device.ctl("status")["last_contact_ms"] > before, "a poll", 5)
    finally:
        lab.hawkbit.configure("pollingTime", "00:00:01")


def test_anybody_may_look_but_only_root_may_ask_for_a_poll(device: Device) -> None:
    assert device.attempt("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "davitctl", "status").returncode == 0
    refused = device.attempt("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "davitctl", "check")
    assert refused.returncode != 0 and "root" in refused.stderr


def test_davitctl_says_when_the_agent_is_not_there(device: Device) -> None:
    device.enter("systemctl", "mask", "--now", "davitd.service")
    answer = device.attempt("davitctl", "status")

    assert answer.returncode != 0 and "davitd" in answer.stderr


def test_the_journal_has_a_deployments_lines_under_its_action_app_and_phase(lab: Lab, apps: Apps, hello_1: Device) -> None:
    action = lab.failed(hello_1, lab.deploy(hello_1, apps.hello("3", "--health-status", "500")))
    lines = hello_1.journal(f"DAVIT_ACTION={action.id}")

    phases = list(dict.fromkeys(line["DAVIT_PHASE"] for line in lines if "DAVIT_PHASE" in line))
    assert phases == ["received", "downloading", "verifying", "staged", "switching", "probation", "rolling-back"]
    assert any(line.get("DAVIT_APP") == "hello" for line in lines)


def test_the_gateway_token_is_never_in_the_journal(lab: Lab, hello_1: Device) -> None:
    hello_1.enter("systemctl", "restart", "davitd")
    assert lab.hawkbit.gateway_token not in hello_1.enter("journalctl", "--quiet", "--output=json")
