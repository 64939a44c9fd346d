"""What an operator can ask that the lab's hawkBit does not know: confirmation, windows, modes one by one. On a device with
a scripted server."""

from collections.abc import Iterator

import pytest

from tests.device.scripted import Scripted, slow  # pylint: disable=unused-import
from tests.device.support import BIG, Apps, downloading
from tests.lab.lab import Lab
from tests.lab.wait import until


@pytest.fixture(scope="module")
def shared(lab: Lab, apps: Apps) -> Iterator[Scripted]:
    """Soft deployments ask somebody at this device; the server may ask for a yes, too."""
    made = Scripted(lab, apps)
    made.boot(soft={"update": "ask"})
    made.becomes_good()
    yield made
    made.close()


@pytest.fixture
def scripted(shared: Scripted) -> Iterator[Scripted]:
    yield shared
    shared.server.model.confirmation = False
    shared.check()


@pytest.fixture
def asked(scripted: Scripted) -> Scripted:
    """From here on every deployment needs the user's yes."""
    scripted.server.model.confirmation = True
    return scripted


def is_calm(scripted: Scripted) -> None:
    """While it waits it polls, and that is all: after it has read what changed."""
    scripted.server.polls(3)
    assert scripted.server.polls(4) == []


# --- confirmation -------------------------------------------------------------------------------------------------


def test_nothing_is_fetched_before_the_yes_and_then_it_goes_on(asked: Scripted) -> None:
    action = asked.assign(asked.hello("2"))
    asked.reaches("confirming")
    is_calm(asked)
    assert action.status == "wait_for_confirmation"
    asked.device.enter("davitctl", "confirm", str(action.id), "--reason", "tea is ready")

    asked.finished(action)
    said, = asked.server.do(lambda _: [row for row in action.rows if any("tea is ready" in text for text in row.messages)])
    assert said.type == "running"


def test_a_no_is_said_once_however_often_the_server_asks(asked: Scripted) -> None:
    action = asked.assign(asked.hello("2"))
    asked.reaches("confirming")
    asked.device.enter("davitctl", "deny", str(action.id), "--reason", "not before friday")

    asked.server.wait_for(lambda _: any("not before friday" in text for text in action.messages), "the no")
    asked.reaches("")
    assert action.status == "wait_for_confirmation" and action.active
    is_calm(asked)
    asked.is_untouched()
    assert (asked.newest()["id"], asked.newest()["cause"]) == (str(action.id), "denied")
    asked.device.enter("systemctl", "restart", "davitd")
    asked.server.polls(4)
    assert asked.phase() == "", "after a restart it asked again"
    is_calm(asked)
    assert len(asked.device.ctl("history")) == len({entry["id"] for entry in asked.device.ctl("history")})


def test_a_no_may_be_overruled_by_the_operator(asked: Scripted) -> None:
    action = asked.assign(asked.hello("2"))
    asked.reaches("confirming")
    asked.device.enter("davitctl", "deny", str(action.id), "--reason", "no")
    asked.reaches("")
    asked.server.do(lambda model: model.confirm(action, {"confirmation": "confirmed"}))

    asked.finished(action)


def test_the_operators_yes_counts_while_the_device_still_asks(asked: Scripted) -> None:
    action = asked.assign(asked.hello("2"))
    asked.reaches("confirming")
    asked.server.do(lambda model: model.confirm(action, {"confirmation": "confirmed"}))

    asked.finished(action)


def test_a_reboot_while_it_waits_for_the_yes_changes_nothing(asked: Scripted) -> None:
    action = asked.assign(asked.hello("2"))
    asked.reaches("confirming")
    asked.device.reboot()

    asked.reaches("confirming")
    asked.is_untouched()
    until(lambda: asked.device.attempt("davitctl", "confirm", str(action.id)).returncode == 0, "the yes")
    asked.finished(action)


def test_a_target_that_confirms_by_itself_is_not_asked(asked: Scripted) -> None:
    asked.server.do(lambda model: model.auto_confirm(model.target(asked.name), True))
    asked.finished(asked.assign(asked.hello("2")))
    asked.server.do(lambda model: model.auto_confirm(model.target(asked.name), False))


def test_a_cancel_while_it_waits_for_the_yes(asked: Scripted) -> None:
    action = asked.assign(asked.hello("2"))
    asked.reaches("confirming")
    asked.server.do(lambda model: model.cancel(action))

    asked.server.ended(action, "canceled")
    asked.is_untouched()


def test_a_newer_one_takes_the_place_of_one_that_waits_for_a_yes(asked: Scripted) -> None:
    older = asked.assign(asked.hello("2"))
    asked.reaches("confirming")
    newer = asked.assign(asked.hello("3"))
    asked.server.ended(older, "canceled")
    until(lambda: asked.device.attempt("davitctl", "confirm", str(newer.id)).returncode == 0, "the question")

    asked.finished(newer)


# --- windows and modes --------------------------------------------------------------------------------------------


def test_outside_its_window_it_downloads_and_inside_it_switches(scripted: Scripted) -> None:
    action = scripted.assign(scripted.hello("2"), window=False)
    scripted.reaches("waiting-to-switch")
    is_calm(scripted)
    scripted.is_untouched()
    scripted.server.do(lambda model: model.change(action, window=True))

    scripted.finished(action)


def test_a_window_that_closes_in_the_middle_of_a_switch_does_not_tear_it(scripted: Scripted) -> None:
    action = scripted.assign(scripted.hello("2", health={"stays_up": "3s"}), window=True)
    until(lambda: scripted.phase() in ("switching", "probation"), "the switch")
    scripted.server.do(lambda model: model.change(action, window=False))

    scripted.finished(action)


def test_a_reboot_while_it_waits_for_its_window(scripted: Scripted) -> None:
    action = scripted.assign(scripted.hello("2"), window=False)
    scripted.reaches("waiting-to-switch")
    scripted.device.power_cut()
    scripted.device.boot()
    scripted.reaches("waiting-to-switch")
    scripted.is_untouched()
    scripted.server.do(lambda model: model.change(action, window=True))

    scripted.finished(action)


def test_a_cancel_while_it_waits_for_its_window(scripted: Scripted) -> None:
    action = scripted.assign(scripted.hello("2"), window=False)
    scripted.reaches("waiting-to-switch")
    scripted.server.do(lambda model: model.cancel(action))

    scripted.server.ended(action, "canceled")
    scripted.is_untouched()


def test_a_newer_one_takes_the_place_of_one_that_waits_for_its_window(scripted: Scripted) -> None:
    older = scripted.assign(scripted.hello("2"), window=False)
    scripted.reaches("waiting-to-switch")
    newer = scripted.assign(scripted.hello("3"))

    scripted.server.ended(older, "canceled")
    scripted.finished(newer)


def test_a_download_that_the_server_does_not_want_yet_waits(scripted: Scripted) -> None:
    action = scripted.assign(scripted.hello("2"), said={"download": "skip"})
    scripted.reaches("waiting-to-download")
    is_calm(scripted)
    scripted.server.do(lambda model: model.change(action, said={}))

    scripted.finished(action)


def test_a_soft_one_that_becomes_forced_no_longer_asks(scripted: Scripted) -> None:
    action = scripted.assign(scripted.hello("2"), kind="timeforced")
    scripted.reaches("waiting-to-switch")
    is_calm(scripted)
    scripted.is_untouched()
    scripted.server.do(lambda model: model.change(action, force_reached=True))

    scripted.finished(action)


def test_a_soft_one_waits_for_a_yes_here(scripted: Scripted) -> None:
    action = scripted.assign(scripted.hello("2"), kind="soft")
    scripted.reaches("waiting-to-switch")
    scripted.is_untouched()
    scripted.device.enter("davitctl", "confirm", str(action.id))

    scripted.finished(action)


def test_a_soft_one_that_is_denied_here_ends_with_the_reason(scripted: Scripted) -> None:
    action = scripted.assign(scripted.hello("2"), kind="soft")
    scripted.reaches("waiting-to-switch")
    scripted.allowed = {404}  # the no goes where a yes is asked for first
    scripted.device.enter("davitctl", "deny", str(action.id), "--reason", "in use")

    scripted.server.ended(action, "error")
    assert "in use" in "".join(action.messages) and action.messages[-1] == "cause=denied"
    scripted.is_untouched()


def test_words_that_no_server_had_yet_are_taken_for_soft_with_a_warning(scripted: Scripted) -> None:
    words = {"download": "whenever", "update": "gently", "maintenanceWindow": "ajar"}
    action = scripted.assign(scripted.hello("2"), said=words)
    scripted.reaches("waiting-to-switch")
    assert any("gently" in line["MESSAGE"] for line in scripted.device.journal("_SYSTEMD_UNIT=davitd.service"))
    is_calm(scripted)
    scripted.device.enter("davitctl", "confirm", str(action.id))

    scripted.finished(action)


def test_download_only_ends_as_downloaded_and_the_assignment_switches_without_a_byte(scripted: Scripted, lab: Lab) -> None:
    module = scripted.hello("2")
    held = scripted.assign(module, kind="downloadonly")
    scripted.server.ended(held, "downloaded")
    scripted.is_untouched()
    before = lab.repository.traffic()

    scripted.finished(scripted.assign(module))
    assert lab.repository.since(before).requests == []


def test_a_cancel_during_the_download_is_answered_within_two_seconds_of_its_poll(scripted: Scripted, slow: None) -> None:
    action = scripted.assign(scripted.hello("2", *BIG))
    downloading(scripted.device)
    scripted.server.do(lambda model: model.cancel(action))
    scripted.server.ended(action, "canceled")

    asked = scripted.server.seen("cancelAction")[-1].when
    said = scripted.server.seen("cancelFeedback")[-1].when
    assert said - asked < 2 * 3
    scripted.is_untouched()
