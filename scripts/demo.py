"""./dev demo: the story of Davit's main job, live, on real parts. Ends non-zero at the first line that is not true."""

import argparse
import shlex
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.lab.device import Device  # noqa: E402
from tests.lab.lab import Lab  # noqa: E402
from tests.lab.poller import Poller  # noqa: E402
from tests.lab.run import Run  # noqa: E402
from tests.lab.story import Story, Untrue, amount, demand  # noqa: E402
from tests.lab.wait import until  # noqa: E402

HELLO, TICKER = 8080, 8081


class Demo:
    """The chapters share the lab and the one device."""

    def __init__(self, run: Run, story: Story) -> None:
        self.run, self.story = run, story
        self.lab: Lab
        self.device: Device

    def tell(self) -> None:
        self.parts()
        self.two_apps()
        self.update()
        self.broken()

    def parts(self) -> None:
        self.story.chapter("Real parts, put together")
        with self.story.line("hawkBit starts") as line:
            self.lab = Lab(self.run)
            self.lab.hawkbit.wait_ready()
            line.fact(f"{self.lab.hawkbit.url}")
        with self.story.line("nginx serves the OSTree repository as static files") as line:
            line.fact(self.lab.repository.url())
        with self.story.line("demo-1 boots") as line:
            self.device = self.lab.device("demo-1")
            line.fact("systemd {}, {}, ostree {}".format(
                self.device.sh("systemctl --version | head -1 | cut -d' ' -f2").strip(),
                self.device.sh("runc --version | head -1").strip().replace(" version", ""),
                self.device.sh("ostree --version | sed -n \"s/.*Version: '\\(.*\\)'/\\1/p\"").strip()))
        with self.story.line("demo-1 registers itself") as line:
            self.lab.registered(self.device)
            known = self.lab.hawkbit.attributes("demo-1")
            line.fact(", ".join(f"{key} = {value}" for key, value in sorted(known.items())))

    def two_apps(self) -> None:
        self.story.chapter("hello 1 and ticker 1: one distribution set, one click")
        before = self.lab.repository.traffic()
        publisher = self.lab.publisher
        with self.story.line("committed, signed and published") as line:
            release = publisher.release("demo", "1", publisher.hello("1"), publisher.ticker("1"))
            line.fact("  ".join(f"{app} {commit[:12]}" for app, commit in release.commits.items()))
        with self.story.line("deployed; both answer") as line:
            action = publisher.deploy(release, "demo-1")
            self.answers(HELLO, "1")
            self.answers(TICKER, "1")
            wire = self.lab.repository.since(before)
            line.fact(f"{amount(wire.bytes)} in {wire.count} requests crossed the wire")
        with self.story.line("watched for its stays-up time; hawkBit shows success"):
            self.ended(action, "finished")

    def update(self) -> None:
        self.story.chapter("hello 2: only hello restarts")
        before = self.lab.repository.traffic()
        ticker = self.device.app_pid("ticker")
        publisher = self.lab.publisher
        with self.poller() as poller:
            with self.story.line("published, deployed; hello 2 answers") as line:
                release = publisher.release("demo", "2", publisher.hello("2"), publisher.ticker("1"))
                action = publisher.deploy(release, "demo-1")
                self.answers(HELLO, "2")
                wire = self.lab.repository.since(before)
                line.fact(f"{amount(wire.bytes)} in {wire.count} requests crossed the wire")
            with self.story.line("hawkBit shows success"):
                self.ended(action, "finished")
            with self.story.line("a client that asks every 5 ms saw it") as line:
                line.fact(f"hello was down for {1000 * poller.downtime(new='2'):.0f} ms")
        with self.story.line(f"ticker kept its PID {ticker}"):
            demand(self.device.app_pid("ticker") == ticker, "ticker has another PID: it was restarted")

    def broken(self) -> None:
        self.story.chapter("hello 3 is broken: it starts, is READY, and /health answers 500")
        ticker = self.device.app_pid("ticker")
        publisher = self.lab.publisher
        with self.poller() as poller:
            with self.story.line("published, deployed; hello 3 serves on trial"):
                release = publisher.release("demo", "3", publisher.hello("3", "--health-status", "500"), publisher.ticker("1"))
                started = time.monotonic()
                action = publisher.deploy(release, "demo-1")
                until(lambda: poller.first("3"), "hello 3 on trial", 30)
            with self.story.line("rolled back by itself; hello 2 serves again") as line:
                until(lambda: poller.first("2", after=poller.first("3") or 0), "hello 2 after the rollback", 30)
                line.fact(f"{time.monotonic() - started:.1f} s after the click")
        with self.story.line("hawkBit shows the failure") as line:
            message = self.ended(action, "error")
            line.fact(f"“{message}”")
            for word in ("hello", "/health", "500"):
                demand(word in message, f"the message does not name {word}: {message}")
        with self.story.line(f"ticker kept its PID {ticker}"):
            demand(self.device.app_pid("ticker") == ticker, "ticker has another PID: it was restarted")

    def answers(self, port: int, version: str) -> None:
        until(lambda: version in (self.device.get("/version", port) or ""), f"version {version} on port {port}", 30)

    def poller(self) -> Poller:
        return Poller(self.run, f"{time.monotonic_ns()}", f"http://{self.device.address}:{HELLO}/version")

    def ended(self, action: int, status: str) -> str:
        """@return the device's last word on the action"""
        seen = self.lab.hawkbit.wait_closed("demo-1", action, 60)
        demand(seen.status == status, f"hawkBit shows action {action} as {seen.status}, not {status}:\n{seen.text}")
        return seen.last

    # --- the end ------------------------------------------------------------

    def stays(self) -> None:
        """Leaves everything running and says what can be done with it."""
        publisher, server = self.lab.publisher, self.lab.hawkbit
        publisher.release("demo", "4", publisher.hello("4"), publisher.ticker("1"))
        davit = self.wrapper()
        shell = f"./dev shell -- {davit}"
        self.run.keep()
        self.story.say(f"""
It stays up. Stop it with ./dev clean

  hawkBit UI      {server.url}/UI/login   user {server.user}, password: ./dev shell -- cat {server.password_file}
  hawkBit API     {server.url}/rest/v1
  hello, ticker   http://{self.device.address}:{HELLO}/  http://{self.device.address}:{TICKER}/

Drag the distribution set demo:4 onto demo-1 in the UI, or:
  {shell} deploy demo:4 --to demo-1 --wait
  {shell} device show demo-1
On the device:
  nsenter -t {self.device.leader} -a -- davitctl status
  nsenter -t {self.device.leader} -a -- davitctl history
  nsenter -t {self.device.leader} -a -- journalctl -f -u davitd""")

    def wrapper(self) -> Path:
        """`davit` with this demo's server and login."""
        file = self.run.path("davit")
        settings = " ".join(f"{key}={shlex.quote(value)}" for key, value in self.lab.publisher.login().items())
        file.write_text(f'#!/bin/sh\n{settings} exec {self.lab.publisher.program} "$@"\n')
        file.chmod(0o755)
        return file

    def went_wrong(self) -> None:
        if hasattr(self, "device") and self.device.is_on():
            self.story.say("\nThe end of davitd's journal:\n" + self.device.log("davitd", 25))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything running and say where")
    keep = parser.parse_args().keep
    started = time.monotonic()
    story = Story("Davit: from a click in hawkBit to a healthy container")
    with Run("demo") as run:
        demo = Demo(run, story)
        try:
            demo.tell()
        except (AssertionError, RuntimeError, OSError) as error:
            demo.went_wrong()
            story.say(f"\n{'Not true' if isinstance(error, Untrue) else 'The demo failed'}: {error}")
            return 1
        story.say(f"\nEvery line was true, in {time.monotonic() - started:.0f} s.")
        if keep:
            demo.stays()
        else:
            story.say("./dev demo --keep leaves it all running, for clicking in hawkBit's UI.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
