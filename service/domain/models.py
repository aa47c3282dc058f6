"""A model's card, its settings, and the aliases that point into it, as they are stored."""

from __future__ import annotations

from typing import Final

import msgspec

from service.domain.names import parse_alias
from service.errors import Fault, ValidationFailed

MAX_DESCRIPTION_BYTES: Final = 16 * 1024
MAX_TAGS: Final = 50
MAX_TAG_KEY_BYTES: Final = 128
MAX_TAG_VALUE_BYTES: Final = 256
MAX_PROTECTED_ALIASES: Final = 20


class Card(msgspec.Struct, frozen=True):
    """What people say about a model; times are RFC 3339 in UTC, whole seconds."""

    description: str
    tags: dict[str, str]
    created_at: str
    created_by: str
    updated_at: str


class Settings(msgspec.Struct, frozen=True):
    """How a model is governed. What this release cannot enforce yet, it does not accept."""

    protected_aliases: tuple[str, ...] = ("production",)
    required_approvals: int = 0
    scan_policy: str = "digest"
    default_retention_days: int | None = None

    def protects(self, alias: str) -> bool:
        """Whether only approvers may move ``alias``."""
        return alias in self.protected_aliases


class Pointer(msgspec.Struct, frozen=True):
    """An alias's value: a version, or None once it was removed; and who moved it when."""

    version: int | None
    updated_at: str
    updated_by: str
    subject: str


class Releases(msgspec.Struct, frozen=True):
    """What deployers may read of a model: versions that protected aliases point to, and their blobs.

    A blob is written as ``<sha256>:<S3 version id>``. The verifier alone writes this record, before it
    tags (the union of old and new) and again after (the new alone), so a crash leaves it knowing what
    may carry the tag.
    """

    versions: tuple[int, ...] = ()
    blobs: tuple[str, ...] = ()


def check_card(description: str, tags: dict[str, str]) -> None:
    """Raise ``ValidationFailed``, naming every fault, unless description and tags are within limits."""
    faults: list[Fault] = []
    if _utf8_length(description) not in range(MAX_DESCRIPTION_BYTES + 1):
        faults.append(Fault("description", f"must be at most {MAX_DESCRIPTION_BYTES} bytes of UTF-8"))
    if len(tags) > MAX_TAGS:
        faults.append(Fault("tags", f"must hold at most {MAX_TAGS} tags"))
    for key, value in tags.items():
        if _utf8_length(key) not in range(1, MAX_TAG_KEY_BYTES + 1):
            faults.append(Fault("tags", f"a key must be 1 to {MAX_TAG_KEY_BYTES} bytes of UTF-8"))
        if _utf8_length(value) not in range(MAX_TAG_VALUE_BYTES + 1):
            faults.append(Fault("tags", f"a value must be at most {MAX_TAG_VALUE_BYTES} bytes of UTF-8"))
    if faults:
        raise ValidationFailed.of(faults)


def check_settings(settings: Settings) -> None:
    """Raise ``ValidationFailed`` for settings that make no sense or that this release cannot enforce."""
    faults: list[Fault] = []
    if len(settings.protected_aliases) > MAX_PROTECTED_ALIASES:
        faults.append(Fault("protected_aliases", f"must hold at most {MAX_PROTECTED_ALIASES} aliases"))
    if len(set(settings.protected_aliases)) != len(settings.protected_aliases):
        faults.append(Fault("protected_aliases", "must not hold an alias twice"))
    if settings.required_approvals != 0:
        faults.append(Fault("required_approvals", "must be 0: this release has no approvals yet"))
    if settings.scan_policy != "digest":
        faults.append(Fault("scan_policy", "must be 'digest': this release verifies digests only"))
    if settings.default_retention_days is not None:
        faults.append(Fault("default_retention_days", "must be null: this release sets no retention yet"))
    if faults:
        raise ValidationFailed.of(faults)
    for index, alias in enumerate(settings.protected_aliases):
        parse_alias(alias, f"protected_aliases[{index}]")


def _utf8_length(text: str) -> int:
    """Bytes of UTF-8, or -1 for text that has none (a lone surrogate)."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return -1
