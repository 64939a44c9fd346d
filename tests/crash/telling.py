"""Stories, told to a device."""

from tests.crash.life import Device, Json
from tests.crash.stories import Story


class Told:
    """A story without interruption: its visits to the phases, and how it ends."""

    def __init__(self, story: Story, device: Device) -> None:
        said = tell(story, device)
        assert said is not None
        self.visits: list[Json] = said["visits"]
        self.journal_syncs: int = said["journal_syncs"]
        self.walk = [(visit["phase"], visit["event"]) for visit in self.visits]
        self.end = device.describe(said)
        self.deeds = device.deeds()


def tell(story: Story, device: Device, orders: Json | None = None) -> Json | None:
    """davitd starts, and the server offers what it has no result for."""
    return device.live({"resume": True}, {"offer": story.deployment(device.server)}, orders=story.orders() | (orders or {}))


def prepared(story: Story, device: Device) -> Device:
    story.prepare(device)
    device.faults = dict(story.faults)
    device.says = dict(story.says)
    return device


def new_set(story: Story) -> list[str]:
    """What is current while the new apps are on trial."""
    wanted = {label.split()[0]: label for label in ("hello 1", "ticker 1", *story.labels)}
    return [wanted[app] for app in sorted(wanted) if app != story.removes]
