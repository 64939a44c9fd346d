"""What the agent costs while nothing happens, and how big it is."""

import os
import time

from tests.bench.table import Table
from tests.lab.device import Device
from tests.lab.lab import Lab
from tests.lab.processes import Work, children, memory, processor_time, work
from tests.lab.story import amount
from tests.lab.wait import until

POLLS = 20
WATCHED = float(os.environ.get("DAVIT_TEST_IDLE_SECONDS", "120"))


def measure(lab: Lab, table: Table) -> None:
    device = lab.device("bench-idle")
    lab.registered(device)
    lab.install(device, lab.publisher.app("hello", "idle", manifest={"health": {"every": "200ms", "stays_up": "200ms"}}))
    _polling(lab, device, "00:05:00", 300)
    _idle(device, table)
    _polling(lab, device, "00:00:30", 30)
    _polls(device, table)
    device.close()
    lab.hawkbit.configure("pollingTime", "00:00:01")


def sizes(lab: Lab, table: Table) -> None:
    for name, goal in (("davitd", 2.5e6), ("davitctl", 0), ("davit-launch", 0), ("davit-units", 0), ("davit-ostree", 0), ("davit-http", 0)):
        for file in lab.layer.rglob(name):
            if file.is_file():
                table.add(f"size of {name}, stripped", amount(file.stat().st_size), f"goal ≤ {amount(goal)}" if goal else "",
                          file.stat().st_size <= goal if goal else None)


def _polling(lab: Lab, device: Device, interval: str, seconds: int) -> None:
    """Sets the interval and returns when davitd has taken it over."""
    lab.hawkbit.configure("pollingTime", interval)
    device.ctl("check")
    def taken() -> bool:
        status = device.ctl("status")
        return 0.8 * seconds < (status["next_poll_ms"] - status["last_contact_ms"]) / 1000 < 1.2 * seconds
    until(taken, f"the interval {interval}", 90)
    device.enter("systemctl", "restart", "davitd")  # the memory of a fresh agent, and nothing of the past to do
    until(taken, f"the interval {interval}", 90)
    time.sleep(3)


def _idle(device: Device, table: Table) -> None:
    pid = device.host_pid(device.pid("davitd.service"))
    now = [memory(process) for process in [pid, *children(pid)]]
    rss, pss, dirty = (sum(values) for values in zip(*((m.rss, m.pss, m.private_dirty) for m in now)))
    table.add("idle: RSS", amount(rss), "goal ≤ 10 MB", rss <= 10e6)
    table.add("idle: PSS", amount(pss), "goal ≤ 6 MB", pss <= 6e6)
    table.add("idle: private dirty", amount(dirty), "rauc-hawkbit-updater + rauc: 3.5 MB", dirty <= 3.5e6)
    state = _newest_change(device)
    before = work(pid)
    time.sleep(WATCHED)
    done = work(pid) - before
    per_minute = done.switches / WATCHED * 60
    table.add("idle, 5 min polls: wake-ups per minute", f"{per_minute:.1f}", "goal ≤ 2 (context switches of all threads)", per_minute <= 2)
    unchanged = _newest_change(device) == state
    table.add("idle: written to disk", amount(done.written), "goal 0; state directory " + ("untouched" if unchanged else "CHANGED"),
              done.written == 0 and unchanged)
    before_polls = processor_time(pid)
    for _ in range(POLLS):
        _check(device)
    each = (processor_time(pid) - before_polls) / POLLS
    table.add("5 min polls: processor time per hour", f"{each * 12:.2f} s", "12 polls, each with a process of its own")


def _check(device: Device) -> None:
    """One poll; returns when it is over."""
    before = device.ctl("status")["last_contact_ms"]
    device.ctl("check")
    until(lambda: device.ctl("status")["last_contact_ms"] > before, "a poll", 30)


def _polls(device: Device, table: Table) -> None:
    pid = device.host_pid(device.pid("davitd.service"))
    before = _with_children(pid)
    time.sleep(WATCHED)
    done = _with_children(pid) - before
    table.add("30 s polls: context switches per minute", f"{done.switches / WATCHED * 60:.1f}", "rauc-hawkbit-updater: 62")
    table.add("30 s polls: processor time per hour", f"{done.seconds / WATCHED * 3600:.2f} s", "FullMetalUpdate: 0.24 s")
    table.add("30 s polls: written to disk", amount(done.written), "goal 0", done.written == 0)


def _with_children(pid: int) -> Work:
    """davit-http is one; it stays between polls that are so frequent."""
    return sum((work(process) for process in children(pid)), work(pid))


def _newest_change(device: Device) -> float:
    """Modification times of everything below the state directory."""
    return max(path.lstat().st_mtime for path in [device.state, *device.state.rglob("*")])
