"""Commits that nobody vouched for: refused with the reason, and nothing is stopped."""

from pathlib import Path

from tests.device.support import Apps
from tests.lab import craft
from tests.lab.device import Device
from tests.lab.lab import Lab


def test_an_unsigned_commit_is_refused(lab: Lab, apps: Apps, unchanged: Device) -> None:
    release = lab.release(apps.hello("2-unsigned"))
    craft.unsign(lab.publisher.published, release.commits["hello"])
    action = lab.failed(unchanged, lab.publisher.deploy(release, unchanged.name))

    assert "hello" in action.last and "carries no signature" in action.last
    assert "cause=untrusted" in action.last


def test_a_commit_signed_by_a_stranger_is_refused(lab: Lab, apps: Apps, unchanged: Device) -> None:
    release = lab.release(apps.hello("2-stranger"))
    stranger, _ = lab.publisher.new_key("stranger")
    craft.sign(lab.publisher.published, release.commits["hello"], stranger)
    action = lab.failed(unchanged, lab.publisher.deploy(release, unchanged.name))

    assert "hello" in action.last and "no trusted key" in action.last
    assert "cause=untrusted" in action.last


def test_a_key_may_sign_only_the_apps_it_is_for(lab: Lab, apps: Apps, unchanged: Device) -> None:
    release = lab.release(apps.hello("2-limited"))
    secret, public = lab.publisher.new_key("camera")
    unchanged.write("/etc/davit/keys.d/camera.pub", public.read_text().strip() + " apps=camera-*\n")
    craft.sign(lab.publisher.published, release.commits["hello"], secret)
    action = lab.failed(unchanged, lab.publisher.deploy(release, unchanged.name))

    assert "camera" in action.last and "may not sign" in action.last and "hello" in action.last
    assert "cause=untrusted" in action.last


def test_a_commit_made_for_another_app_is_refused(lab: Lab, apps: Apps, unchanged: Device) -> None:
    release = lab.release(apps.ticker("2"))
    action = lab.failed(unchanged, lab.crafted(unchanged, {"name": "hello", "metadata": {"commit": release.commits["ticker"]}}))

    assert "hello" in action.last and "ticker" in action.last
    assert "cause=untrusted" in action.last


def test_a_commit_with_a_flipped_bit_is_refused(lab: Lab, apps: Apps, unchanged: Device) -> None:
    release = lab.release(apps.hello("2-flipped"))
    metadata = craft.metadata_file(lab.publisher.published, release.commits["hello"])
    flip(metadata, 40)
    action = lab.failed(unchanged, lab.publisher.deploy(release, unchanged.name))

    assert "hello" in action.last
    assert "cause=untrusted" in action.last


def test_a_refusal_does_not_stand_in_the_way_of_the_next_deployment(lab: Lab, apps: Apps, hello_1: Device) -> None:
    release = lab.release(apps.ticker("2-refused"))
    craft.unsign(lab.publisher.published, release.commits["ticker"])
    lab.failed(hello_1, lab.publisher.deploy(release, hello_1.name))

    lab.install(hello_1, apps.hello("1"))


def flip(file: Path, offset: int) -> None:
    """Flips a bit of a signature."""
    data = bytearray(file.read_bytes())
    data[offset] ^= 1
    file.write_bytes(data)
