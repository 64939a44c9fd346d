"""One lab for all tests of a session: hawkBit's start is paid once."""

from collections.abc import Iterator

import pytest

from tests.lab.device import Device
from tests.lab.hawkbit import HawkBit
from tests.lab.lab import Lab
from tests.lab.run import Run


@pytest.fixture(scope="session")
def run() -> Iterator[Run]:
    with Run("test") as run:
        yield run


@pytest.fixture(scope="session")
def lab(run: Run) -> Lab:
    lab = Lab(run)
    lab.hawkbit.wait_ready()
    return lab


@pytest.fixture(scope="session")
def hawkbit(run: Run) -> HawkBit:
    """hawkBit alone, for tests without a device."""
    return HawkBit(run).wait_ready()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A failed test shows what davitd and the apps of its devices said."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if not report.failed:
        return
    for device in getattr(item, "funcargs", {}).values():
        if isinstance(device, Device) and device.is_on():
            try:
                report.sections.append((f"journal of {device.name}", device.sh(
                    "journalctl --quiet --no-pager --output=short-precise --lines=150 -u 'davit*' -u 'davit-app-*'", check=False)))
            except Exception as error:  # pylint: disable=broad-except  # the report of the failure must not fail
                report.sections.append((f"journal of {device.name}", repr(error)))
