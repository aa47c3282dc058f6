"""Names of teams, models, aliases and versions, and how callers refer to a version.

Every ``parse_*`` takes untrusted text and returns it, or raises ``ValidationFailed`` naming the place.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from service.errors import ValidationFailed

TEAM: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,38}", re.ASCII)
MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}", re.ASCII)
ALIAS: Final = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)
DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
VERSION: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)

LATEST: Final = "latest"
MAX_VERSION: Final = 999_999_999


class ModelId(msgspec.Struct, frozen=True, order=True):
    """A model's full name, ``team/model``."""

    team: str
    model: str

    def __str__(self) -> str:
        return f"{self.team}/{self.model}"


def parse_team(text: str) -> str:
    """A team's name: 1-39 lower-case letters, digits and inner dashes."""
    if not TEAM.fullmatch(text):
        raise ValidationFailed.at("team", "must match [a-z0-9][a-z0-9-]{0,38}")
    return text


def parse_model_id(team: str, model: str) -> ModelId:
    """A model's name inside its team: 1-96 of letters, digits, ``.``, ``_`` and ``-``."""
    parse_team(team)
    if not MODEL.fullmatch(model):
        raise ValidationFailed.at("model", "must match [A-Za-z0-9][A-Za-z0-9._-]{0,95}")
    return ModelId(team, model)


def parse_alias(text: str, location: str = "alias") -> str:
    """An alias: 1-63 lower-case letters, digits and dashes, starting with a letter; not ``latest``."""
    if not ALIAS.fullmatch(text):
        raise ValidationFailed.at(location, "must match [a-z][a-z0-9-]{0,62}")
    if text == LATEST:
        raise ValidationFailed.at(
            location, "'latest' is reserved: it always means the newest available version"
        )
    return text


def parse_digest(text: str, location: str = "sha256") -> str:
    """A SHA-256 digest: 64 lower-case hexadecimal digits."""
    if not DIGEST.fullmatch(text):
        raise ValidationFailed.at(location, "must be 64 lower-case hexadecimal digits")
    return text


def parse_reference(text: str) -> int | str:
    """A version reference: its number, an alias, or ``latest``."""
    if VERSION.fullmatch(text):
        return int(text)
    if text == LATEST:
        return LATEST
    if not ALIAS.fullmatch(text):
        raise ValidationFailed.at("ref", "must be a version number, an alias, or 'latest'")
    return text
