"""davitd is killed (a real SIGKILL) while entering, in the middle of, and while leaving every phase, in every way in which
the phase can end, and starts again: in the end everything is as if nothing had happened.

The cases come from the machine's own table: a phase or a row that is new there has failing cases here until a story walks it.
"""

import functools

import pytest

from tests.crash.life import DRIVER, Device, Json, drive
from tests.crash.stories import STORIES, Row, Story, story_of
from tests.crash.telling import Told, new_set, prepared, tell

POINTS = ("entering", "in the middle of", "elsewhere in", "leaving")


@functools.cache
def table() -> list[Row]:
    if not DRIVER.exists():
        return []
    said = drive({"verb": "table"})
    assert said
    return [(row["phase"], row["event"]) for row in said["transitions"]]


def order_for(point: str, number: int, visit: Json) -> Json:
    """How to kill davitd there."""
    if point == "entering":
        return {"kill_at_journal_sync": visit["journal_sync"]}
    if point == "leaving":
        return {"kill_before_journal_write": visit["journal_sync"]}
    if point == "elsewhere in" and visit["operations"]:     # of the files on its disk
        return {"visit": number, "operations": visit["operations"] // 2 + 1}
    if not visit["calls"]:      # nothing happens in it, but that it is entered, and that somebody may be told
        return {"visit": number, "told": True} if visit["told"] else {"kill_at_journal_sync": visit["journal_sync"]}
    return {"kill_at_call": visit["first_call"] + len(visit["calls"]) // 2, "afterwards": point == "in the middle of"}


def case(row: Row, point: str):
    story = story_of(row)
    marks = [pytest.mark.xdist_group(story.name)] if story else []
    return pytest.param(row, point, id=f"{point.replace(' ', '-')}-{row[0]}-{row[1]}", marks=marks)


@pytest.mark.parametrize("story", [pytest.param(story, id=story.name, marks=pytest.mark.xdist_group(story.name)) for story in STORIES])
def test_the_story_walks_what_it_is_told_for_and_ends_well(story: Story, told) -> None:
    walked = told(story.name)
    assert set(story.rows) <= set(walked.walk)
    last = walked.end["history"][0]
    assert (last["id"], last["success"], last["cause"]) == ("7", story.success, story.cause)
    assert walked.end["sets"]["current"] == list(story.ends_with)
    asked = ["7"] if story.members.get("confirm") and story.success else []
    assert [report["id"] for report in walked.end["reports"]] == ["1", *asked, "7"]
    assert walked.end["errors"] == []


def test_every_row_of_the_table_has_a_story() -> None:
    assert table(), "has the driver been built?"
    assert [row for row in table() if not story_of(row)] == []


@pytest.mark.parametrize(("row", "point"), [case(row, point) for row in table() for point in POINTS])
def test_killed(row: Row, point: str, device: Device, told) -> None:
    story = story_of(row)
    assert story, f"no story walks {row}"
    undisturbed = told(story.name)
    number = undisturbed.walk.index(row)
    order = order_for(point, number + 1, undisturbed.visits[number])
    killed_and_started_again(story, prepared(story, device), undisturbed, order)


@pytest.mark.parametrize("story", [pytest.param(story, id=story.name, marks=pytest.mark.xdist_group(story.name))
                                   for story in STORIES if story.name in ("update", "unhealthy", "download-only")])
@pytest.mark.parametrize("afterwards", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", ["Apps::forget_all_but", "Content::keep_only"])
def test_killed_while_cleaning_up(story: Story, call: str, afterwards: bool, device: Device, told) -> None:
    undisturbed = told(story.name)
    last = undisturbed.visits[-1]
    number = last["first_call"] + len(last["calls"]) + last["cleaning"].index(call)
    killed_and_started_again(story, prepared(story, device), undisturbed, {"kill_at_call": number, "afterwards": afterwards})


@pytest.mark.parametrize("story", [pytest.param(story, id=story.name, marks=pytest.mark.xdist_group(story.name))
                                   for story in STORIES if story.name in ("update", "unhealthy", "canceled-downloading")])
def test_killed_before_it_knows_that_the_server_has_the_result(story: Story, device: Device, told) -> None:
    """The last thing that a story writes into the journal is that its result was delivered."""
    undisturbed = told(story.name)
    assert tell(story, prepared(story, device), {"kill_before_journal_write": undisturbed.journal_syncs - 1}) is None
    assert device.reports() == undisturbed.end["reports"]

    said = tell(story, device)
    assert said is not None
    again = undisturbed.end["reports"] + undisturbed.end["reports"][-1:]
    assert device.describe(said) == undisturbed.end | {"reports": again}


def killed_and_started_again(story: Story, device: Device, undisturbed: Told, order: Json) -> None:
    assert tell(story, device, order) is None, "davitd was to be killed"
    if not story.hides_since:
        assert device.sets()["current"] in (["hello 1", "ticker 1"], undisturbed.end["sets"]["current"], new_set(story))
    said = tell(story, device)
    assert said is not None
    assert device.describe(said) == undisturbed.end
    started = [deed for deed in device.deeds() if deed == "start ticker 1"]
    assert len(started) == undisturbed.deeds.count("start ticker 1"), "an app that has nothing to do with it was restarted"
