"""How an app shows that it is well, and what the server is told when it is not."""

from tests.device.support import Apps, MakeDevice
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.wait import until

EXEC = ["/bin/hello", "--exit-with"]
NO_HTTP = {"http": None}


def test_a_oneshot_app_has_run_and_is_not_run_again_by_other_updates(lab: Lab, apps: Apps, device: Device) -> None:
    once = {"start": {"type": "oneshot"}, "health": NO_HTTP, "process": {"args": [*EXEC, "0"]}}
    action = lab.install(device, apps.hello("once-1", **once), apps.ticker("1"))
    assert "installed hello once-1" in action.last
    (hello,) = (app for app in device.ctl("apps") if app["name"] == "hello")
    assert (hello["state"], hello["sub_state"]) == ("active", "exited")
    began = device.show("davit-app-hello.service", "ActiveEnterTimestampMonotonic")

    lab.install(device, apps.ticker("2"))
    assert device.show("davit-app-hello.service", "ActiveEnterTimestampMonotonic") == began


def test_a_oneshot_app_that_fails_is_rolled_back(lab: Lab, apps: Apps, device: Device) -> None:
    broken = apps.hello("once-2", start={"type": "oneshot"}, health=NO_HTTP, restart="never", process={"args": [*EXEC, "7"]})
    action = lab.failed(device, lab.deploy(device, broken))

    assert "app 'hello' once-2 did not start: hello ended with exit code 7" in action.last
    assert device.ctl("apps") == []


def test_an_app_that_only_runs_needs_no_ready(lab: Lab, apps: Apps, device: Device) -> None:
    lab.install(device, apps.hello("running-1", "--never-ready", start={"type": "running"}))
    assert device.get("/version") == "running-1"


def test_a_command_inside_the_container_is_asked(lab: Lab, apps: Apps, device: Device) -> None:
    lab.install(device, apps.hello("exec-1", health=NO_HTTP | {"exec": [*EXEC, "0"]}))
    action = lab.failed(device, lab.deploy(device, apps.hello("exec-2", health=NO_HTTP | {"exec": [*EXEC, "4"]})))

    assert "app 'hello' exec-2 is unhealthy: /bin/hello --exit-with 4: exit code 4 (2 probes)" in action.last
    assert device.get("/version") == "exec-1"


def test_a_port_is_asked(lab: Lab, apps: Apps, device: Device) -> None:
    lab.install(device, apps.hello("tcp-1", health=NO_HTTP | {"tcp": "127.0.0.1:8080"}))
    action = lab.failed(device, lab.deploy(device, apps.hello("tcp-2", health=NO_HTTP | {"tcp": "127.0.0.1:9"})))

    assert "app 'hello' tcp-2 is unhealthy: tcp 127.0.0.1:9: Connection refused (2 probes)" in action.last


def test_the_start_delay_gives_an_app_time_before_the_first_probe(lab: Lab, apps: Apps, device: Device) -> None:
    # Its port opens two seconds after systemd takes it for started.
    slow = {"start": {"type": "running"}, "health": {"every": "100ms", "failures": 1}}
    lab.failed(device, lab.deploy(device, apps.hello("slow-1", "--start-delay", "2000", **slow)))
    slow["health"]["start_delay"] = "4s"
    lab.install(device, apps.hello("slow-2", "--start-delay", "2000", **slow))


def test_an_app_that_crashes_in_its_probation_is_rolled_back_with_its_exit_code(lab: Lab, apps: Apps, hello_1: Device) -> None:
    crashing = apps.hello("crash-1", "--exit-after", "300", health={"stays_up": "3s"})
    action = lab.failed(hello_1, lab.deploy(hello_1, crashing))

    assert "app 'hello' crash-1 did not stay up" in action.last and "it ended with exit code 3" in action.last
    assert hello_1.get("/version") == "1"


def test_an_app_that_hangs_is_ended_by_its_watchdog(lab: Lab, apps: Apps, hello_1: Device) -> None:
    lab.install(hello_1, apps.hello("dog-1", health={"watchdog": "1s", "stays_up": "3s"}))
    hanging = apps.hello("dog-2", "--hang-after", "500", health={"watchdog": "1s", "stays_up": "6s"})
    action = lab.failed(hello_1, lab.deploy(hello_1, hanging))

    assert "app 'hello' dog-2 did not stay up" in action.last and "it was ended by its watchdog: it hung" in action.last
    assert hello_1.get("/version") == "dog-1"


def test_an_app_that_systemd_gives_up_is_rolled_back(lab: Lab, apps: Apps, hello_1: Device) -> None:
    # An integrator's limit; ours lets an app be started for ever, ever more slowly.
    hello_1.sh("mkdir -p /run/systemd/system/davit-app-hello.service.d && printf '[Unit]\\nStartLimitBurst=2\\n[Service]\\nRestartSec=100ms\\n'"
               " > /run/systemd/system/davit-app-hello.service.d/test.conf && systemctl daemon-reload")
    rarely = {"every": "60s", "stays_up": "12s"}  # one look at once, and the next when it is over
    action = lab.failed(hello_1, lab.deploy(hello_1, apps.hello("limit-1", "--exit-after", "2500", health=rarely)))

    assert "app 'hello' limit-1 failed: it was restarted too often; it ended with exit code 3" in action.last


def test_an_app_that_keeps_crashing_later_is_restarted_and_reported_and_never_rolled_back(
        lab: Lab, apps: Apps, device: Device) -> None:
    lab.install(device, apps.hello("later-1"))
    lab.install(device, apps.hello("later-2", "--exit-after", "6000"))  # watched for one second
    history = len(device.ctl("history"))

    def state() -> str:
        return lab.hawkbit.attributes(device.name).get("app.hello.state", "")
    until(lambda: state().startswith("restarting ("), "the server to know", 60)
    assert "it ended with exit code 3" in state()
    (hello,) = device.ctl("apps")
    assert hello["restarts"] >= 1 and hello["last_end"] == "ended with exit code 3"
    assert "restarting (" in device.enter("davitctl", "apps")
    until(lambda: device.ctl("apps")[0]["restarts"] >= 2, "more restarts", 90)
    assert device.ctl("apps")[0]["version"] == "later-2"
    assert len(device.ctl("history")) == history

    lab.install(device, apps.hello("later-3"))
    until(lambda: "app.hello.state" not in lab.hawkbit.attributes(device.name), "the server to know that it is well", 60)


def test_crun_runs_apps_as_well(lab: Lab, apps: Apps, make_device: MakeDevice) -> None:
    device = make_device(runtime="crun")
    lab.install(device, apps.hello("1"), apps.ticker("1"))
    assert "DAVIT_RUNTIME=crun" in device.show("davit-app-hello.service", "Environment")["Environment"]
    assert "hello" in device.enter("crun", "list")
    ticker = device.app_pid("ticker")

    lab.install(device, apps.hello("exec-1", health=NO_HTTP | {"exec": [*EXEC, "0"]}))
    action = lab.failed(device, lab.deploy(device, apps.hello("exec-2", health=NO_HTTP | {"exec": [*EXEC, "4"]})))
    assert "exit code 4" in action.last
    assert device.get("/version") == "exec-1"
    assert device.app_pid("ticker") == ticker
    device.reboot()
    until(lambda: device.get("/version") == "exec-1", "hello after the boot")
