"""The operator takes a deployment back: in time nothing happens on the device, later it is refused and says so."""

from collections.abc import Iterator

import pytest

from tests.device.support import BIG, SLOW, Apps, Inhibitor, MakeDevice, downloading
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.proxy import Log, Proxy
from tests.lab.wait import until

MOST_SECONDS = 2.0


@pytest.fixture
def slow(lab: Lab) -> Iterator[None]:
    lab.repository.slow(SLOW)
    yield
    lab.repository.slow(None)


@pytest.fixture
def front(lab: Lab) -> Iterator[Proxy]:
    """Its log has the times of what a device and hawkBit say to each other."""
    proxy = Proxy(lab.run, lab.hawkbit.url)
    yield proxy
    proxy.close()


@pytest.fixture
def hello_1(lab: Lab, apps: Apps, make_device: MakeDevice, front: Proxy) -> Device:
    device = make_device(front=front)
    lab.install(device, apps.hello("1"), apps.ticker("1"))
    return device


def took(log: Log, action: int) -> float:
    """Seconds from the moment in which the device heard of the cancel (it asks for it, so that is its poll) to its answer."""
    heard = log.of(f"/cancelAction/{action}", "GET").requests[0].time
    answered = log.of(f"/cancelAction/{action}/feedback", "POST").requests[0].time
    print(f"canceled within {answered - heard:.2f} s")
    return answered - heard


def test_a_cancel_before_the_device_has_heard_of_it(lab: Lab, apps: Apps, hello_1: Device, front: Proxy) -> None:
    pids = hello_1.app_pid("hello"), hello_1.app_pid("ticker")
    front.refuse()
    action = lab.deploy(hello_1, apps.hello("2-never"))
    lab.hawkbit.cancel(hello_1.name, action)
    before = front.log()
    front.listen()

    ended = lab.canceled(hello_1, action)
    assert "canceled before it began" in ended.text
    assert took(front.since(before), action) < MOST_SECONDS
    assert (hello_1.app_pid("hello"), hello_1.app_pid("ticker")) == pids
    assert [entry["id"] for entry in hello_1.ctl("history")] != [str(action)]


def test_a_cancel_during_the_download_changes_nothing(
        lab: Lab, apps: Apps, hello_1: Device, front: Proxy, slow: None) -> None:
    before = hello_1.app_pid("hello")
    action = lab.deploy(hello_1, apps.hello("2-canceled", *BIG))
    downloading(hello_1)
    lab.hawkbit.cancel(hello_1.name, action)

    ended = lab.canceled(hello_1, action)
    assert took(front.log(), action) < MOST_SECONDS
    assert "nothing was changed" in ended.text
    assert hello_1.app_pid("hello") == before
    assert hello_1.get("/version") == "1"
    newest = hello_1.ctl("history")[0]
    assert (newest["id"], newest["success"], newest["cause"]) == (str(action), False, "canceled")
    assert not hello_1.sh("pgrep -x davit-ostree || true")

    lab.repository.slow(None)
    lab.install(hello_1, apps.hello("3-after-cancel"))
    assert hello_1.get("/version") == "3-after-cancel"


def test_a_cancel_of_what_is_ready_and_waits_changes_nothing(
        lab: Lab, apps: Apps, hello_1: Device, front: Proxy) -> None:
    before = hello_1.app_pid("hello")
    inhibitor = Inhibitor(hello_1, "--even-forced")
    action = lab.deploy(hello_1, apps.hello("2-ready"))
    until(lambda: hello_1.ctl("status")["phase"] == "waiting-to-switch", "everything to be ready", 30)
    lab.hawkbit.cancel(hello_1.name, action)

    lab.canceled(hello_1, action)
    assert took(front.log(), action) < MOST_SECONDS
    assert hello_1.app_pid("hello") == before
    assert hello_1.get("/version") == "1"
    inhibitor.killed()
    lab.install(hello_1, apps.hello("3-after-cancel"))
    assert hello_1.get("/version") == "3-after-cancel"


def test_a_newer_deployment_takes_the_place_of_one_that_downloads(lab: Lab, apps: Apps, hello_1: Device, slow: None) -> None:
    older = lab.deploy(hello_1, apps.hello("2-overtaken", *BIG))
    downloading(hello_1)
    newer = lab.deploy(hello_1, apps.hello("3-newer"))

    lab.canceled(hello_1, older)
    lab.repository.slow(None)
    lab.succeeded(hello_1, newer)
    assert hello_1.get("/version") == "3-newer"


def test_a_cancel_after_the_switch_is_refused_and_the_deployment_ends_by_itself(lab: Lab, apps: Apps, hello_1: Device) -> None:
    action = lab.deploy(hello_1, apps.hello("2-too-late", health={"stays_up": "4s"}))
    until(lambda: hello_1.ctl("status")["phase"] == "probation", "the probation")
    lab.hawkbit.cancel(hello_1.name, action)

    ended = lab.succeeded(hello_1, action)
    assert "too late" in ended.text
    assert hello_1.get("/version") == "2-too-late"
