"""Servers that the lab's hawkBit is not: newer, reduced, restored, forgetful, wrong."""

from collections.abc import Callable

import pytest

from tests.device.scripted import Scripted, make_scripted, scripted, shared, slow  # pylint: disable=unused-import
from tests.device.support import BIG, downloading
from tests.lab.ddi_model import chunk
from tests.lab.ddi_server import Stranger
from tests.lab.lab import Lab
from tests.lab.wait import until


# --- numbers, words and links ------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [2**31, 21_474_836_480, 9_007_199_254_740_990], ids=["2^31", "2^31 times ten", "2^53"])
def test_an_action_id_that_needs_more_than_31_bits(scripted: Scripted, number: int) -> None:
    before = scripted.server.do(lambda model: model.state.next_id)
    scripted.server.do(lambda model: setattr(model.state, "next_id", number))
    action = scripted.assign(scripted.hello("2"))
    scripted.server.do(lambda model: setattr(model.state, "next_id", before))

    scripted.finished(action)
    assert scripted.newest()["id"] == str(number)


def test_artifacts_above_four_gigabytes_without_hashes_on_other_hosts_do_not_matter_to_an_app(scripted: Scripted) -> None:
    with Stranger() as stranger:
        href = f"http://{scripted.device.host_address}:{stranger.port}/image"
        artifact = {"filename": "image.bin", "size": 6 * 2**30, "_links": {"download-http": {"href": href}}}
        scripted.finished(scripted.assign(scripted.hello("2") | {"artifacts": [artifact]}))

        assert stranger.visits == []


def test_no_request_follows_a_link_to_another_host(scripted: Scripted) -> None:
    with Stranger() as stranger:
        scripted.server.habits.links_to = f"http://{scripted.device.host_address}:{stranger.port}"
        scripted.finished(scripted.assign(scripted.hello("2")))
        held = scripted.assign(scripted.hello("2", health={"stays_up": "3s"}))
        scripted.reaches("probation")
        scripted.server.do(lambda model: model.cancel(held))
        scripted.finished(held)

        scripted.server.habits.links_to = None
        assert stranger.visits == []


# --- a server that refuses ----------------------------------------------------------------------------------------


def test_a_result_that_is_forbidden_is_offered_again_and_delivered_when_it_may_be(scripted: Scripted) -> None:
    server, device = scripted.server, scripted.device
    scripted.allowed = {403}
    server.habits.refuses = {"feedback": 403}
    action = scripted.assign(scripted.hello("2"))
    until(lambda: scripted.newest()["id"] == str(action.id), "the deployment's end on the device")
    pid = device.app_pid("hello")
    beside = server.polls(15)
    assert len(beside) <= 2 * 15, "it insists too often"

    server.habits.refuses = {}
    scripted.finished(action)
    assert device.app_pid("hello") == pid, "it was installed again"


@pytest.mark.parametrize("status", [429, 403], ids=["in 1.0 and later", "up to 0.9"])
def test_a_quota_that_is_used_up_leaves_room_for_the_result(scripted: Scripted, status: int) -> None:
    scripted.allowed = {status}
    scripted.server.habits.quota = status
    module = scripted.hello("2")
    with scripted.server.lock:
        action = scripted.server.assign(scripted.name, module)
        action.rows *= 1000

    scripted.finished(action)
    assert any(request.status == status for request in scripted.server.seen("feedback")), "no progress was refused"


def test_messages_of_any_text_are_taken(scripted: Scripted) -> None:
    """The server refuses what looks like a tag, and 51 messages; nothing was refused, says the check after each test."""
    action = scripted.assign(chunk("hello", "2 <b>bold</b> & more", commit="<script>" * 600))

    scripted.server.ended(action, "error")
    assert action.messages[-1].startswith("cause=")
    assert all(len(message) <= 512 for message in action.messages)


# --- a server that forgets ----------------------------------------------------------------------------------------


def test_an_action_that_is_deleted_during_its_download_leaves_the_device_free(scripted: Scripted, slow: None) -> None:
    action = scripted.assign(scripted.hello("2-deleted", *BIG))
    downloading(scripted.device)
    scripted.server.do(lambda model: model.delete_action(action))

    scripted.reaches("")
    assert (scripted.newest()["id"], scripted.newest()["cause"]) == (str(action.id), "canceled")
    scripted.is_untouched()
    scripted.allowed = {404}  # where its end is told, nobody knows it


def test_an_action_that_is_force_quit_yields_to_a_newer_one(scripted: Scripted, slow: None, lab: Lab) -> None:
    older = scripted.assign(scripted.hello("2-quit", *BIG))
    downloading(scripted.device)
    scripted.allowed = {410}
    scripted.server.do(lambda model: model.force_quit(older))
    newer = scripted.assign(scripted.hello("3"))

    def ended() -> dict[str, str]:
        return {entry["id"]: entry["cause"] for entry in scripted.device.ctl("history")}
    until(lambda: str(older.id) in ended(), "the end of the older one", 30)     # which could not come to its switch so slowly
    assert ended()[str(older.id)] == "canceled"
    lab.repository.slow(None)
    scripted.finished(newer)


def test_a_target_that_is_deleted_comes_back_by_the_gateway_token(scripted: Scripted) -> None:
    scripted.server.do(lambda model: model.delete_target(scripted.name))

    scripted.server.wait_for(lambda model: scripted.name in model.state.targets, "the target to be there again")
    scripted.server.wait_for(lambda model: model.target(scripted.name).attributes.get("app.hello") == scripted.good, "its attributes")


def test_a_target_that_is_deleted_is_waited_for_with_a_target_token(make_scripted: Callable[..., Scripted]) -> None:
    made = make_scripted()
    made.server.do(lambda model: model.create_target(made.name, "its-token"))
    made.boot(target_token="its-token")
    made.becomes_good()
    made.server.do(lambda model: model.delete_target(made.name))
    until(lambda: "refuses the target token" in made.device.ctl("status")["server_error"], "the device to notice")
    made.is_untouched()

    made.server.do(lambda model: model.create_target(made.name, "its-token"))
    made.allowed = {401}
    made.check()


def test_the_result_of_a_target_that_was_deleted_meanwhile_is_given_up(scripted: Scripted) -> None:
    scripted.allowed = {404}
    action = scripted.assign(scripted.hello("2", health={"stays_up": "3s"}))
    scripted.reaches("probation")
    scripted.server.do(lambda model: model.delete_target(action.controller_id))

    until(lambda: scripted.newest()["id"] == str(action.id), "the deployment's end on the device")
    assert scripted.device.get("/version") == action.chunks[0]["version"]


def test_ids_that_are_used_twice_after_a_restore_are_other_deployments(scripted: Scripted) -> None:
    backup = scripted.server.do(lambda model: model.backup())
    first = scripted.assign(scripted.hello("2"))
    scripted.finished(first)
    scripted.server.do(lambda model: model.restore(backup))
    second = scripted.assign(scripted.hello("3"))

    assert second.id == first.id
    scripted.finished(second)


def test_a_result_that_the_restored_server_has_lost_is_reported_again_without_work(scripted: Scripted) -> None:
    action = scripted.assign(scripted.hello("2"))
    backup = scripted.server.do(lambda model: model.backup())
    scripted.finished(action)
    pid = scripted.device.app_pid("hello")
    scripted.server.do(lambda model: model.restore(backup))

    scripted.finished(scripted.server.do(lambda model: model.state.actions[action.id]))
    assert scripted.device.app_pid("hello") == pid


def test_a_restored_server_is_not_told_that_an_older_set_runs(scripted: Scripted) -> None:
    """It offers 2 again, which had succeeded; but the device went on to 3 since then. These releases have no sequence,
    so 2 is installed again."""
    older = scripted.assign(scripted.hello("2"))
    backup = scripted.server.do(lambda model: model.backup())
    scripted.finished(older)
    scripted.finished(scripted.assign(scripted.hello("3")))
    scripted.server.do(lambda model: model.restore(backup))

    scripted.finished(scripted.server.do(lambda model: model.state.actions[older.id]))


def test_a_deployment_that_a_restored_server_does_not_know_is_given_up(scripted: Scripted, slow: None) -> None:
    backup = scripted.server.do(lambda model: model.backup())
    action = scripted.assign(scripted.hello("2-unknown", *BIG))
    downloading(scripted.device)
    scripted.server.do(lambda model: model.restore(backup))

    scripted.reaches("")
    assert (scripted.newest()["id"], scripted.newest()["cause"]) == (str(action.id), "canceled")
    scripted.is_untouched()
    scripted.allowed = {404}


def test_the_set_that_was_rolled_back_may_be_assigned_again(scripted: Scripted) -> None:
    module = scripted.hello("2-sick", "--health-status", "500")
    first = scripted.server.ended(scripted.assign(module), "error")
    scripted.is_untouched()
    second = scripted.server.ended(scripted.assign(module), "error")

    scripted.is_untouched()
    for action in (first, second):
        assert action.messages[-1] == "cause=app-failed" and "is unhealthy" in action.messages[-2]


# --- less of a server ---------------------------------------------------------------------------------------------


def test_a_reduced_server_is_enough(make_scripted: Callable[..., Scripted], slow: None, lab: Lab) -> None:
    """Gateway token only, no action history, no attributes, and what is canceled simply goes."""
    made = make_scripted()
    habits = made.server.habits
    habits.gateway_only, habits.history, habits.attributes, habits.cancels = True, False, False, False
    made.boot()
    made.becomes_good()
    action = made.assign(made.hello("2-gone", *BIG))
    downloading(made.device)
    made.server.do(lambda model: model.cancel(action))

    made.reaches("")
    made.is_untouched()
    lab.repository.slow(None)
    made.allowed = {404, 410}  # attributes have no place; the action was closed
    made.check()
