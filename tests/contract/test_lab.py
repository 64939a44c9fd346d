"""The lab reads what hawkBit says of an action in the forms of all its versions."""

from typing import Any

import pytest

from tests.lab.hawkbit import read_action

ROWS = [{"type": "error", "messages": ["hello is unhealthy", "cause=app-failed"]}, {"type": "retrieved", "messages": [None]},
        {"type": "running", "messages": None}]


@pytest.mark.parametrize("item", [
    {"status": "finished"},
    {"status": "finished", "detailStatus": "error"},
    {"active": False, "status": "error"},
], ids=["0.3.0M7", "0.3 to 0.9", "1.0 and later"])
def test_an_action_that_failed(item: dict[str, Any]) -> None:
    action = read_action({"id": 7} | item, ROWS)

    assert (action.id, action.active, action.status) == (7, False, "error")
    assert action.reports[0] == ["hello is unhealthy", "cause=app-failed"]


@pytest.mark.parametrize("item", [
    {"status": "pending"},
    {"status": "pending", "detailStatus": "retrieved"},
    {"active": True, "status": "retrieved"},
], ids=["0.3.0M7", "0.3 to 0.9", "1.0 and later"])
def test_an_action_under_way(item: dict[str, Any]) -> None:
    assert read_action({"id": "7"} | item, ROWS[1:]).active
