"""What the builder is given."""

from __future__ import annotations

from tests.local_aws import REPOSITORY


def test_nothing_but_the_service_and_its_lock_is_sent_to_the_builder() -> None:
    """The ignore file lists what goes, so that what is new stays."""
    lines = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule for rule in rules if rule.startswith("!")} == {"!requirements/service.txt", "!service"}
