"""A device beside a scripted DDI server (tests/lab/ddi_server.py), and what must be true of them after every test."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.device.support import SLOW, Apps
from tests.lab.ddi_model import Action, chunk
from tests.lab.ddi_server import DdiServer
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.wait import until

MOST_STATUSES = 20  # of one action

_numbers = itertools.count(1)


class Scripted:
    """One device and its server; they may serve many tests, each of which begins and ends with a `good-N` of hello."""

    def __init__(self, lab: Lab, apps: Apps, **words: Any) -> None:
        self.lab, self._apps = lab, apps
        self.server = DdiServer(gateway_token=lab.hawkbit.gateway_token, **words)
        self.device = Device(lab.run, f"scripted-{next(_numbers)}", layers=[lab.layer])
        self.good = ""
        self.allowed: set[int] = set()  # statuses of refusals that belong to the test
        self._checked = 0

    @property
    def name(self) -> str:
        return self.device.name

    def boot(self, **settings: Any) -> None:
        url = f"http://{self.device.host_address}:{self.server.port}"
        self.lab.configure(self.device, **settings | {"hawkbit": {"url": url} | settings.get("hawkbit", {})})
        self.device.boot()
        until(lambda: self.server.seen(""), "the first poll")

    def close(self) -> None:
        self.device.close()
        self.server.__exit__()

    # --- the operator -------------------------------------------------------

    def module(self, bundle: Path, **words: Any) -> dict[str, Any]:
        """Publishes a bundle. @return the module as the server describes it"""
        (name, commit), = self.lab.release(bundle).commits.items()
        version = bundle.name.split("-", 1)[1].rsplit("-", 1)[0]
        return chunk(name, version, commit=commit, **words)

    def hello(self, version: str, *options: str, **manifest: Any) -> dict[str, Any]:
        """A release of this test's own, quick unless its manifest says otherwise."""
        version = f"{version}-{next(_numbers)}"
        return self.module(self._apps.hello(version, *options, **{"health": {"stays_up": "300ms"}} | manifest))

    def assign(self, *chunks: dict[str, Any], **words: Any) -> Action:
        """And the device looks at once: waiting for its next poll shows nothing."""
        action = self.server.assign(self.name, *chunks, **words)
        self.device.enter("davitctl", "check")
        return action

    def finished(self, action: Action, timeout: float = 60) -> None:
        """Returns when the device has ended the action well: its only app runs."""
        self.server.ended(action, "finished", timeout)
        assert self.device.get("/version") == action.chunks[0]["version"]

    def becomes_good(self) -> None:
        module = self.hello("good")
        self.finished(self.assign(module, **({"confirm": False} if self.server.model.confirmation else {})))
        self.good = module["version"]

    # --- the device ---------------------------------------------------------

    def phase(self) -> str:
        """Empty: nothing is under way."""
        return str(self.device.ctl("status")["phase"])

    def reaches(self, phase: str) -> None:
        try:
            until(lambda: self.phase() == phase, f"phase '{phase}'", 60)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.phase()}\n{self.device.log('davitd')}") from error

    def newest(self) -> dict[str, Any]:
        """Of the device's history."""
        return self.device.ctl("history")[0]  # type: ignore[no-any-return]

    def is_untouched(self) -> None:
        assert self.device.get("/version") == self.good

    # --- after a test -------------------------------------------------------

    def check(self) -> None:
        """The next deployment works; then it polls and does nothing else; nothing that the server refuses was sent, and
        not too much of the rest."""
        self.becomes_good()
        self.server.polls(2)  # what was on its way: a poll, and what follows from it
        assert self.server.polls(1) == []
        requests = self.server.seen(since=self._checked)
        self._checked += len(requests)
        refused = [request for request in requests if request.status >= 400 and request.status not in self.allowed]
        assert not refused, refused
        reports = Counter(request.path for request in requests if request.resource == "feedback" and request.status == 200)
        assert all(count <= MOST_STATUSES for count in reports.values()), reports
        self.allowed = set()


@pytest.fixture(scope="module")
def shared(lab: Lab, apps: Apps) -> Iterator[Scripted]:
    made = Scripted(lab, apps)
    made.boot()
    made.becomes_good()
    yield made
    made.close()


@pytest.fixture
def scripted(shared: Scripted) -> Iterator[Scripted]:
    """The module's device, checked after the test."""
    yield shared
    shared.check()


@pytest.fixture
def make_scripted(lab: Lab, apps: Apps) -> Iterator[Callable[..., Scripted]]:
    """Devices with servers of their own, not booted yet. @param confirmation  the server asks for the user's yes"""
    made: list[Scripted] = []

    def make(**words: Any) -> Scripted:
        made.append(Scripted(lab, apps, **words))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def slow(lab: Lab) -> Iterator[None]:
    lab.repository.slow(SLOW)
    yield
    lab.repository.slow(None)
