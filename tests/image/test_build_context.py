"""What the builder is given."""

from __future__ import annotations

from tests.local_aws import REPOSITORY

SERVICE = {"!requirements/service.txt", "!service"}
LOCAL_AWS = {"!requirements/emulator.txt", "!emulator/pyproject.toml", "!emulator/smas_emulator"}


def test_nothing_but_what_the_images_hold_is_sent_to_the_builder() -> None:
    """The ignore file lists what goes, so that what is new stays."""
    lines = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule for rule in rules if rule.startswith("!")} == SERVICE | LOCAL_AWS
