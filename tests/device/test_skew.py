"""State of another version of Davit on the disk: older is brought up to date, newer is refused without touching the apps."""

import json
import os
import re
import sqlite3
from pathlib import Path

import pytest

from tests.device.support import Apps, MakeDevice
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.wait import until

SOURCE = Path("/src/agent/journal.cpp")


def migrations() -> list[str]:
    """The journal's own, as they stand in the source: released ones never change."""
    text = SOURCE.read_text()
    found = re.findall(r'R"\((.*?)\)"', text[text.index("migrations()"):text.index("return all;")], re.DOTALL)
    assert found
    return found


def make_journal(path: Path, schema: int) -> sqlite3.Connection:
    """A journal as a Davit with this schema leaves it."""
    for side in ("", "-wal", "-shm"):
        path.with_name(path.name + side).unlink(missing_ok=True)
    database = sqlite3.connect(path)
    database.execute("PRAGMA page_size=1024")
    database.execute("PRAGMA journal_mode=WAL")
    for script in migrations()[:schema]:
        database.executescript(script)
    database.execute(f"PRAGMA user_version={schema}")
    database.commit()
    return database


def schema_of(device: Device) -> int:
    with sqlite3.connect(device.state / "state.db") as database:
        schema = int(database.execute("PRAGMA user_version").fetchone()[0])
    database.close()
    return schema


def set_schema(device: Device, schema: int) -> None:
    with sqlite3.connect(device.state / "state.db") as database:
        database.execute(f"PRAGMA user_version={schema}")
    database.close()


def both(device: Device) -> tuple[int, int]:
    return device.app_pid("hello"), device.app_pid("ticker")


@pytest.mark.parametrize("back", range(len(migrations())), ids=lambda back: f"schema {len(migrations()) - back}")
def test_the_journal_of_an_older_version_is_read_and_brought_up_to_date(
        lab: Lab, apps: Apps, hello_1: Device, back: int) -> None:
    schema = len(migrations()) - back
    pids = both(hello_1)
    hello_1.enter("systemctl", "stop", "davitd")
    deployment = {"id": "4711", "parts": []}
    with make_journal(hello_1.state / "state.db", schema) as database:
        database.execute("INSERT INTO history (id, deployment, success, message, cause, started_ms, finished_ms)"
                         " VALUES ('4711', ?, 1, 'installed hello 1', '', 1000, 2000)", (json.dumps(deployment),))
    database.close()
    hello_1.enter("systemctl", "start", "davitd")

    assert [(entry["id"], entry["message"]) for entry in hello_1.ctl("history")] == [("4711", "installed hello 1")]
    assert schema_of(hello_1) == len(migrations())
    assert both(hello_1) == pids
    lab.install(hello_1, apps.hello("2"))
    assert hello_1.get("/version") == "2" and [entry["success"] for entry in hello_1.ctl("history")] == [True, True]


def test_the_journal_of_a_newer_version_is_refused_and_the_apps_run_on_and_come_back(lab: Lab, hello_1: Device) -> None:
    pids = both(hello_1)
    hello_1.enter("systemctl", "stop", "davitd")
    set_schema(hello_1, len(migrations()) + 1)
    hello_1.attempt("systemctl", "start", "davitd")

    until(lambda: hello_1.show("davitd.service", "ActiveState")["ActiveState"] == "failed", "davitd to give up", 20)
    said = hello_1.log("davitd")
    assert f"was written by a newer Davit (its schema is {len(migrations()) + 1}" in said
    assert said.count("was written by a newer Davit") == 1, "said every two seconds"
    assert both(hello_1) == pids
    hello_1.stop()
    _boot_degraded(hello_1)
    until(lambda: hello_1.get("/version") == "1" and hello_1.get("/version", 8081) == "1", "the apps after a reboot", 20)
    assert hello_1.pid("davitd.service") == 0

    # The newer Davit comes back, here by its number.
    set_schema(hello_1, len(migrations()))
    hello_1.enter("systemctl", "reset-failed", "davitd")
    hello_1.enter("systemctl", "start", "davitd")
    assert hello_1.ctl("history")


def _boot_degraded(device: Device) -> None:
    """davitd fails, so systemd calls the whole device degraded; the lab's boot() takes that for a mistake of the lab."""
    try:
        device.boot()
    except RuntimeError as error:
        assert "davitd.service" in str(error)


def test_a_generation_with_words_of_a_newer_version_is_read(lab: Lab, apps: Apps, hello_1: Device) -> None:
    file = hello_1.state / os.readlink(hello_1.state / "current") / "generation.json"
    content = json.loads(file.read_text())
    content |= {"schema": 99, "slots": ["a", "b"]}
    for app in content["apps"]:
        app |= {"sequence": 7, "labels": {"x": [1, 2]}}
    for name in ("generation.json", "generation.copy.json"):
        file.with_name(name).write_text(json.dumps(content))
    hello_1.reboot()
    until(lambda: hello_1.get("/version") == "1" and hello_1.get("/version", 8081) == "1", "the apps", 20)

    lab.install(hello_1, apps.hello("2"))
    assert hello_1.get("/version") == "2" and hello_1.get("/version", 8081) == "1"


def test_a_configuration_with_words_of_a_newer_version_is_read_with_a_warning(make_device: MakeDevice) -> None:
    device = make_device(telepathy={"enabled": True})
    assert "telepathy" in device.log("davitd") and device.ctl("status")["server_reached"]
