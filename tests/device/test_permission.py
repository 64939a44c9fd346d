"""Soft deployments wait for those who mind, forced ones do not; and every wait has an end."""

import pytest

from tests.device.support import Apps, Inhibitor, MakeDevice
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.wait import until


def soft(lab: Lab, device: Device, *bundles) -> int:
    released = lab.release(*bundles)
    return lab.hawkbit.assign(lab.hawkbit.set_id(released.name, released.version), device.name, "soft")


def waits(device: Device, phase: str = "waiting-to-switch"):
    return until(lambda: (status := device.ctl("status"))["phase"] == phase and status, f"the phase {phase}", 30)


def test_a_soft_deployment_waits_for_an_inhibitor_and_goes_on_when_its_owner_is_gone(lab: Lab, apps: Apps, hello_1: Device) -> None:
    inhibitor = Inhibitor(hello_1)
    before = hello_1.app_pid("hello")
    action = soft(lab, hello_1, apps.hello("2"))
    status = waits(hello_1)
    assert "held off by sleep (pid" in status["message"] and "a long measurement" in status["message"]
    assert [part["todo"] for part in status["parts"]] == ["update hello 1 → 2"]
    shown = hello_1.enter("davitctl", "status")
    assert "Plan:         update hello 1 → 2" in shown and "Held off by:  sleep" in shown
    assert hello_1.app_pid("hello") == before
    until(lambda: "held off by" in lab.hawkbit.action(hello_1.name, action).text, "the operator to know why", 20)

    inhibitor.killed()
    lab.succeeded(hello_1, action)
    assert hello_1.get("/version") == "2"
    assert hello_1.ctl("status")["inhibitors"] == []


def test_what_the_operator_forces_does_not_wait_unless_the_inhibitor_is_strong(lab: Lab, apps: Apps, hello_1: Device) -> None:
    weak = Inhibitor(hello_1)
    lab.install(hello_1, apps.hello("2"))
    weak.killed()
    strong = Inhibitor(hello_1, "--even-forced")
    action = lab.deploy(hello_1, apps.hello("3-strong"))
    waits(hello_1)
    strong.killed()
    lab.succeeded(hello_1, action)
    assert hello_1.get("/version") == "3-strong"


def test_an_inhibitor_ends_with_its_time(lab: Lab, apps: Apps, hello_1: Device) -> None:
    forgotten = Inhibitor(hello_1, "--for", "4s")
    lab.succeeded(hello_1, soft(lab, hello_1, apps.hello("2")))
    assert hello_1.ctl("status")["inhibitors"] == []
    forgotten.killed()


def test_the_command_of_an_inhibitor_ends_davitctl(hello_1: Device) -> None:
    done = hello_1.attempt("davitctl", "inhibit", "--why", "a test", "--", "sh", "-c", "davitctl status; exit 7")
    assert done.returncode == 7 and "a test" in done.stdout
    unknown = hello_1.attempt("davitctl", "inhibit", "--why", "a test", "--", "no-such-program")
    assert unknown.returncode == 1 and "cannot run 'no-such-program'" in unknown.stderr
    assert hello_1.ctl("status")["inhibitors"] == []


@pytest.mark.parametrize("answer", ["confirm", "deny"])
def test_a_soft_deployment_can_need_the_yes_of_a_person(lab: Lab, apps: Apps, make_device: MakeDevice, answer: str) -> None:
    device = make_device(soft={"update": "ask"})
    lab.install(device, apps.hello("1"))
    action = soft(lab, device, apps.hello("2"))
    assert waits(device)["asking"]
    device.reboot()     # the question survives it
    lab.configure(device, soft={"update": "ask"})
    assert waits(device)["asking"]
    wrong = device.attempt("davitctl", answer, "999")
    assert wrong.returncode == 1 and f"deployment {action} does" in wrong.stderr

    device.enter("davitctl", answer, str(action), "--reason", "the night shift")
    if answer == "confirm":
        lab.succeeded(device, action)
        assert device.get("/version") == "2"
    else:
        ended = lab.failed(device, action)
        assert "denied at the device: the night shift" in ended.last and ended.last.endswith("cause=denied")
        assert device.get("/version") == "1"
