"""Broken networks and servers: the result is always right, and apps are untouched until the switch.

Waiting is scaled: a request's time-out is 2 s here (30 s on a device), a stall 3 s (60 s), a retry begins at 0.5 s (5 s)
and ends at 2 s (5 to 10 minutes). How often a device asks is measured with the real ones, in test_rates.py.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.device.support import Apps, sweep
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.proxy import HTML, Fault, Proxy
from tests.lab.wait import until

SCALED: dict[str, Any] = {"hawkbit": {"timeout": "2s", "longest_retry": "2s"},
                          "download": {"first_retry": "500ms", "longest_retry": "2s", "stall_timeout": "3s"}}


@pytest.fixture(scope="module")
def front(lab: Lab) -> Iterator[Proxy]:
    proxy = Proxy(lab.run, lab.hawkbit.url)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def repository(lab: Lab) -> Iterator[Proxy]:
    proxy = Proxy(lab.run, lab.repository.url())
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def networked(lab: Lab, apps: Apps, front: Proxy, repository: Proxy) -> Iterator[Device]:
    """One device behind both proxies for the whole module, with hello 1 and ticker 1."""
    device = lab.device("behind-proxies", front=front, repository=repository, **SCALED)
    lab.registered(device)
    lab.install(device, apps.hello("1"), apps.ticker("1"))
    yield device
    device.close()


@pytest.fixture
def quiet(networked: Device, front: Proxy, repository: Proxy) -> Iterator[Device]:
    """The device, on a network that works again after the test; ticker must not have been touched."""
    ticker = networked.app_pid("ticker")
    yield networked
    for proxy in (front, repository):
        proxy.fault(None)
        proxy.listen()
    assert networked.app_pid("ticker") == ticker


class Versions:
    """A version of hello that no test had before."""

    def __init__(self) -> None:
        self._used = 0

    def __call__(self, apps: Apps, *options: str) -> tuple[str, Any]:
        self._used += 1
        version = f"n{self._used}"
        return version, apps.hello(version, *options, health={"stays_up": "300ms"})


new_version = Versions()

FAULTS = [
    Fault("answers 500", status=500),
    Fault("answers HTML", status=200, body=HTML),
    Fault("answers 404", status=404),
    Fault("hangs", hang=True),
    Fault("truncates bodies", truncate_at=0.5),
    Fault("resets at the first byte", reset_at=0.0),
    *(Fault(f"answers {status}", status=status) for status in (503, 429, 410)),
]


def named(faults: list[Fault]) -> Any:
    return pytest.mark.parametrize("fault", sweep(faults, 3), ids=lambda fault: fault.name)


# --- hawkBit ------------------------------------------------------------------------------------------------------


@named(FAULTS)
def test_a_deployment_arrives_when_hawkbit_is_itself_again(
        lab: Lab, apps: Apps, quiet: Device, front: Proxy, fault: Fault) -> None:
    before = quiet.app_pid("hello")
    front.fault(fault)
    front.drop_connections()
    version, bundle = new_version(apps)
    action = lab.deploy(quiet, bundle)
    until(lambda: quiet.ctl("status")["server_error"], "davitd to notice", 20)
    error = quiet.ctl("status")["server_error"]
    if fault.status and fault.status != 200:
        assert str(fault.status) in error
    if fault.body == HTML:
        assert "web page" in error
    assert lab.hawkbit.action(quiet.name, action).active and quiet.app_pid("hello") == before
    front.fault(None)

    lab.succeeded(quiet, action)
    assert quiet.get("/version") == version


@named(FAULTS)
def test_a_result_is_delivered_when_hawkbit_takes_it_again(
        lab: Lab, apps: Apps, quiet: Device, front: Proxy, fault: Fault) -> None:
    fault = Fault(**{**vars(fault), "only": "/feedback", "method": "POST"})
    front.fault(fault)
    before = front.log()
    version, bundle = new_version(apps)
    action = lab.deploy(quiet, bundle)
    until(lambda: quiet.ctl("history")[0]["id"] == str(action), "the end on the device", 30)
    # A connection that breaks behind the request is a result that the server has: it says so at the second attempt.
    least = 3 if fault.status or fault.hang else 1
    until(lambda: front.since(before).faulty.count >= least, "attempts to report it", 30)
    assert quiet.get("/version") == version
    front.fault(None)

    lab.succeeded(quiet, action)
    assert [entry["id"] for entry in quiet.ctl("history")].count(str(action)) == 1


def test_a_hawkbit_that_refuses_connections_is_found_again(lab: Lab, apps: Apps, quiet: Device, front: Proxy) -> None:
    front.refuse()
    version, bundle = new_version(apps)
    action = lab.deploy(quiet, bundle)
    until(lambda: "refused" in quiet.ctl("status")["server_error"], "davitd to notice", 20)
    front.listen()

    lab.succeeded(quiet, action)
    assert quiet.get("/version") == version


@pytest.mark.parametrize("loss, updates", [(0.01, 1), (0.2, 2)])
def test_lost_requests_to_hawkbit_only_cost_time(
        lab: Lab, apps: Apps, quiet: Device, front: Proxy, loss: float, updates: int) -> None:
    front.fault(Fault(f"{loss:.0%} loss", loss=loss))
    for _ in range(updates):
        version, bundle = new_version(apps)
        lab.succeeded(quiet, lab.deploy(quiet, bundle))
        assert quiet.get("/version") == version


def test_answers_as_late_as_a_time_out_allows_are_waited_for(lab: Lab, apps: Apps, quiet: Device, front: Proxy) -> None:
    """30 s latency where the time-out is 60 s: the same here in 1 s of 2 s."""
    front.fault(Fault("late", delay=1.0))
    version, bundle = new_version(apps)
    lab.succeeded(quiet, lab.deploy(quiet, bundle), timeout=90)
    assert quiet.get("/version") == version and quiet.ctl("status")["server_reached"]


def test_answers_later_than_the_time_out_are_a_server_that_is_not_reached(lab: Lab, quiet: Device, front: Proxy) -> None:
    front.fault(Fault("too late", delay=3.0))
    until(lambda: "timed out after 2 s" in quiet.ctl("status")["server_error"], "davitd to say so", 20)


# --- the repository -----------------------------------------------------------------------------------------------

# What a server says about a commit that it does not have is an answer: the deployment fails with it.
ANSWERS = {404: "not-found", 410: "not-found"}


@named([fault for fault in FAULTS if fault.status not in ANSWERS])
def test_a_download_succeeds_when_the_repository_is_itself_again(
        lab: Lab, apps: Apps, quiet: Device, repository: Proxy, fault: Fault) -> None:
    before = quiet.app_pid("hello")
    version, bundle = new_version(apps)
    repository.fault(fault)
    seen = repository.log()
    action = lab.deploy(quiet, bundle)
    until(lambda: "trying again" in quiet.ctl("status")["message"], "davitd to say that it tries again", 60)
    assert quiet.app_pid("hello") == before and repository.since(seen).faulty.count
    repository.fault(None)

    lab.succeeded(quiet, action)
    assert quiet.get("/version") == version


@named([fault for fault in FAULTS if fault.status in ANSWERS])
def test_what_the_repository_does_not_have_fails_at_once_with_the_cause(
        lab: Lab, apps: Apps, quiet: Device, repository: Proxy, fault: Fault) -> None:
    before = quiet.app_pid("hello")
    repository.fault(fault)
    action = lab.failed(quiet, lab.deploy(quiet, new_version(apps)[1]))

    assert f"cause={ANSWERS[fault.status]}" in action.last
    assert quiet.app_pid("hello") == before


def test_a_repository_that_refuses_connections_is_found_again(lab: Lab, apps: Apps, quiet: Device, repository: Proxy) -> None:
    repository.refuse()
    version, bundle = new_version(apps)
    action = lab.deploy(quiet, bundle)
    until(lambda: "trying again" in quiet.ctl("status")["message"], "davitd to say that it tries again", 60)
    repository.listen()

    lab.succeeded(quiet, action)
    assert quiet.get("/version") == version


def test_transfers_that_are_reset_at_each_tenth_are_carried_on(lab: Lab, apps: Apps, quiet: Device, repository: Proxy) -> None:
    version, bundle = new_version(apps, "--files", "12", "--file-size", "100000")
    before = repository.log()
    repository.fault(Fault("reset at each tenth", reset_at=0, next_tenth=True, only=".filez", times=10))
    lab.succeeded(quiet, lab.deploy(quiet, bundle))

    assert quiet.get("/version") == version
    cut = repository.since(before).faulty.requests
    assert sorted(round((request.cut_at or 0) * 10) for request in cut) == list(range(10)), "one at each tenth"
    arrived = [a.target for a in repository.since(before).of(".filez").requests if not a.fault]
    assert len(arrived) == len(set(arrived)), "what had arrived was fetched a second time"


@pytest.mark.parametrize("loss", [0.01, 0.2])
def test_lost_requests_to_the_repository_only_cost_time(
        lab: Lab, apps: Apps, quiet: Device, repository: Proxy, loss: float) -> None:
    version, bundle = new_version(apps, "--files", "100", "--file-size", "2000")
    repository.fault(Fault(f"{loss:.0%} loss", loss=loss))
    before = repository.log()
    lab.succeeded(quiet, lab.deploy(quiet, bundle), timeout=90)

    assert quiet.get("/version") == version
    assert repository.since(before).faulty.count > 0
    assert repository.since(before).count < 300, "much more was asked for than was lost"


def test_64_kbit_a_second_are_enough(lab: Lab, apps: Apps, quiet: Device, repository: Proxy) -> None:
    version, bundle = new_version(apps, "--files", "2", "--file-size", "20000")
    repository.fault(Fault("64 kbit/s", rate=8000))
    before = repository.log()
    lab.succeeded(quiet, lab.deploy(quiet, bundle), timeout=120)

    assert quiet.get("/version") == version
    asked = [request.target for request in repository.since(before).requests]
    assert len(asked) == len(set(asked)) or all(asked.count(a) == 1 for a in asked if ".filez" in a), "fetched twice"
