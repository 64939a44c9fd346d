"""How often a device asks a server that does not answer as it should: a fleet must never become an attack.

With the settings of production, for the first minute after the fault, which is the worst one: the back-off grows from
there to ten minutes (hawkBit) and five (repository). All devices at once, each behind proxies of its own that count.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.device.support import Apps
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.proxy import HTML, Fault, Log, Proxy
from tests.lab.wait import until

# What davitd has without a configuration.
PRODUCTION: dict[str, Any] = {"hawkbit": {"timeout": "30s", "longest_retry": "600s"},
                              "download": {"first_retry": "5s", "longest_retry": "300s", "stall_timeout": "60s"}}
MINUTE = 60.0
# 0, 5, 15 and 35 s: four attempts, each with a poll, a result and a line of progress at most.
MOST_HAWKBIT = 12
# Four attempts, too; in each libostree asks up to six times for what does not arrive.
MOST_REPOSITORY = 48

EVERYTHING = [
    *(Fault(f"answers {status}", status=status) for status in (500, 503, 429, 404, 410)),
    Fault("answers HTML", status=200, body=HTML),
    Fault("hangs", hang=True),
    Fault("truncates bodies", truncate_at=0.5),
    Fault("resets at the first byte", reset_at=0.0),
    Fault("resets in the middle", reset_at=0.5),
]
# The server offers a deployment whose result it does not take, so it goes on offering it.
RESULTS = [
    *(Fault(f"answers results with {status}", status=status, only="/feedback") for status in (500, 429, 403, 404, 410)),
    Fault("answers results with HTML", status=200, body=HTML, only="/feedback"),
]


@dataclass
class Patient:
    """A device and its servers."""

    device: Device
    front: Proxy
    repository: Proxy
    fault: Fault
    ill_since: tuple[Log, Log] | None = None

    def close(self) -> None:
        self.device.close()
        self.front.close()
        self.repository.close()


@pytest.fixture
def patients(lab: Lab) -> Iterator[list[Patient]]:
    found: list[Patient] = []
    yield found
    lab.hawkbit.configure("pollingTime", "00:00:01")
    for patient in found:
        patient.close()


def admit(lab: Lab, fault: Fault, number: int) -> Patient:
    front, repository = Proxy(lab.run, lab.hawkbit.url), Proxy(lab.run, lab.repository.url())
    device = lab.device(f"patient-{number}", front=front, repository=repository, **PRODUCTION)
    lab.registered(device)
    return Patient(device, front, repository, fault)


def all_poll_as_seldom_as_in_production(lab: Lab, patients: list[Patient]) -> None:
    lab.hawkbit.configure("pollingTime", "00:05:00")
    for patient in patients:
        def is_patient(device: Device = patient.device) -> bool:
            device.ctl("check")
            status = device.ctl("status")
            return bool(status["next_poll_ms"] > status["last_contact_ms"] + 60_000)
        until(is_patient, "the long interval", 20)


def falls_ill(patient: Patient, *, front: bool, repository: bool) -> None:
    patient.ill_since = patient.front.log(), patient.repository.log()
    if front:
        patient.front.fault(patient.fault)
        patient.front.drop_connections()
    if repository:
        patient.repository.fault(patient.fault)


def rate(patient: Patient) -> tuple[int, int]:
    """@return the most requests within a minute, of hawkBit and of the repository"""
    assert patient.ill_since
    before = patient.ill_since
    return (patient.front.since(before[0]).most_within(MINUTE), patient.repository.since(before[1]).most_within(MINUTE))


def show(patients: list[Patient]) -> None:
    print(f"\n{'':34}{'hawkBit':>10}{'repository':>12}   requests in the first minute")
    for patient in patients:
        hawkbit, repository = rate(patient)
        print(f"{patient.fault.name:34}{hawkbit:10}{repository:12}")


def test_servers_that_do_not_answer_as_they_should_are_left_in_peace(lab: Lab, apps: Apps, patients: list[Patient]) -> None:
    for number, fault in enumerate([*EVERYTHING, *RESULTS]):
        patients.append(admit(lab, fault, number))
    of_everything, of_results = patients[:len(EVERYTHING)], patients[len(EVERYTHING):]
    all_poll_as_seldom_as_in_production(lab, patients)
    release = lab.release(apps.hello("1-rates", "--files", "20", "--file-size", "2000"))
    actions = [lab.publisher.deploy(release, patient.device.name) for patient in patients]
    for patient in patients:
        falls_ill(patient, front=patient in of_results, repository=patient in of_everything)
        patient.device.ctl("check")
    for patient in of_everything:  # hawkBit falls ill when the device has the deployment from it
        until(lambda log=patient.repository.log: log().faulty.count, "the first attempt to fetch", 20)
        patient.front.fault(patient.fault)
        patient.front.drop_connections()
        patient.device.ctl("check")
    time.sleep(MINUTE)  # what is measured is what happens in a minute

    show(patients)
    for patient in patients:
        hawkbit, repository = rate(patient)
        assert patient.front.log().faulty.count, patient.fault.name
        # One that installs says so step by step.
        assert hawkbit <= MOST_HAWKBIT + (8 if patient in of_results else 0), patient.fault.name
        assert repository <= MOST_REPOSITORY, patient.fault.name
    for patient, action in list(zip(patients, actions))[len(EVERYTHING):]:
        assert [entry["id"] for entry in patient.device.ctl("history")] == [str(action)]


def test_a_deployment_that_cannot_be_read_is_refused_once(lab: Lab, patients: list[Patient]) -> None:
    for number, status in enumerate((200, 404, 410)):
        fault = Fault(f"answers results with {status}", status=status, only="/feedback")
        patients.append(admit(lab, fault, 200 + number))
    all_poll_as_seldom_as_in_production(lab, patients)
    for patient in patients:
        falls_ill(patient, front=True, repository=False)
        lab.crafted(patient.device, {"name": "hello"})
        patient.device.ctl("check")
        until(lambda: patient.device.ctl("history"), "the refusal", 20)
    time.sleep(10)  # a circle would turn hundreds of times

    show(patients)
    for patient in patients:
        assert len(patient.device.ctl("history")) == 1
        assert rate(patient)[0] <= MOST_HAWKBIT, patient.fault.name


def test_a_server_that_wants_to_be_asked_without_a_pause_is_not(lab: Lab, patients: list[Patient]) -> None:
    def no_pause(body: bytes) -> bytes:
        return body.replace(b"00:05:00", b"00:00:00")
    patients.append(admit(lab, Fault("asks for no pause", change=no_pause), 300))
    all_poll_as_seldom_as_in_production(lab, patients)
    falls_ill(patients[0], front=True, repository=False)
    patients[0].device.ctl("check")
    until(lambda: patients[0].front.log().faulty.count >= 3, "a few polls", 20)
    time.sleep(5)

    assert patients[0].front.since(patients[0].ill_since[0]).most_within(5) <= 8  # type: ignore[index]
