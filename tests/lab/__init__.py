"""The lab: real parts put together for the demo, the device tests and the bench.

A real hawkBit, nginx in front of OSTree repositories, devices that boot systemd, and the real `davit` CLI to publish
with. Everything a Lab starts is written down in its Run, so that it can be stopped after a crash of the lab itself.
"""
