"""A model's card and settings: both sides of every limit."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from service.domain.models import Settings, check_card, check_settings
from service.errors import ValidationFailed


def card_faults(description: str, tags: dict[str, str]) -> list[str]:
    """The places where a card is wrong."""
    try:
        check_card(description, tags)
    except ValidationFailed as failure:
        return [f"{fault.location}: {fault.message}" for fault in failure.errors]
    return []


def settings_faults(**changed: Any) -> list[str]:
    """The places where settings are wrong."""
    try:
        check_settings(replace(Settings(), **changed))
    except ValidationFailed as failure:
        return [fault.location for fault in failure.errors]
    return []


@pytest.mark.parametrize(
    ("description", "tags"),
    [
        ("", {}),
        ("é" * 8192, {}),
        ("", {"k" * 128: "v" * 256}),
        ("", {"é" * 64: "é" * 128}),
        ("", {"k": ""}),
        ("", {str(number): "x" for number in range(50)}),
    ],
    ids=["empty", "description", "tag", "tag-in-bytes", "empty-value", "fifty"],
)
def test_a_card_at_its_limits_is_accepted(description: str, tags: dict[str, str]) -> None:
    """16 KiB of description, 50 tags, keys of 1-128 and values of 0-256 bytes of UTF-8."""
    assert card_faults(description, tags) == []


@pytest.mark.parametrize(
    ("description", "tags", "fault"),
    [
        ("é" * 8192 + "x", {}, "description: must be at most 16384 bytes of UTF-8"),
        ("\ud800", {}, "description: must be at most 16384 bytes of UTF-8"),
        ("", {"": "v"}, "tags: a key must be 1 to 128 bytes of UTF-8"),
        ("", {"é" * 64 + "x": "v"}, "tags: a key must be 1 to 128 bytes of UTF-8"),
        ("", {"\ud800": "v"}, "tags: a key must be 1 to 128 bytes of UTF-8"),
        ("", {"k": "é" * 128 + "x"}, "tags: a value must be at most 256 bytes of UTF-8"),
        ("", {"k": "\udfff"}, "tags: a value must be at most 256 bytes of UTF-8"),
        ("", {str(number): "x" for number in range(51)}, "tags: must hold at most 50 tags"),
    ],
)
def test_a_card_beyond_one_limit_is_refused_for_it(
    description: str, tags: dict[str, str], fault: str
) -> None:
    """One byte or one tag more is refused, and text that has no UTF-8."""
    assert card_faults(description, tags) == [fault]


def test_all_faults_of_a_card_are_told_at_once() -> None:
    """Whoever writes a card mends it in one round."""
    assert len(card_faults("x" * 16385, {"": "x" * 257})) == 3


@pytest.mark.parametrize(
    "aliases", [(), ("production",), ("a" * 63,), tuple(f"alias-{number}" for number in range(20))], ids=len
)
def test_settings_within_their_limits_are_accepted(aliases: tuple[str, ...]) -> None:
    """Up to 20 protected aliases; none is allowed too."""
    assert settings_faults(protected_aliases=aliases) == []


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"protected_aliases": tuple(f"alias-{number}" for number in range(21))}, "protected_aliases"),
        ({"protected_aliases": ("production", "production")}, "protected_aliases"),
        ({"protected_aliases": ("production", "Production")}, "protected_aliases[1]"),
        ({"protected_aliases": ("latest",)}, "protected_aliases[0]"),
        ({"protected_aliases": ("a" * 64,)}, "protected_aliases[0]"),
        ({"required_approvals": 1}, "required_approvals"),
        ({"required_approvals": -1}, "required_approvals"),
        ({"scan_policy": "strict"}, "scan_policy"),
        ({"default_retention_days": 1}, "default_retention_days"),
        ({"default_retention_days": 0}, "default_retention_days"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_kept_are_refused(changed: dict[str, Any], place: str) -> None:
    """What makes no sense, and what this release would only pretend to enforce."""
    assert settings_faults(**changed) == [place]


def test_production_is_protected_from_the_first_day() -> None:
    """Without any settings, ``production`` is the approvers' alone."""
    assert [Settings().protects(alias) for alias in ("production", "staging")] == [True, False]
