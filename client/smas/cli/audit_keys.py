"""What a key in the store's bucket stands for, by the layout that the store documents: the kind comes first.

Pure, and strict: people's own sessions may name any key. What is not exactly a key of the store, or says
something else than its event does, stands for nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from smas.audit_results import AuditEvent

# Manifests and verdicts are numbered downwards from this, so that the newest comes first in a list.
_INVERT: Final = 9_999_999_999
_MAX_VERSION: Final = 999_999_999
_TEAM: Final = r"[a-z0-9][a-z0-9-]{0,38}"
_ALIAS: Final = r"(?P<alias>[a-z][a-z0-9-]{0,62})"
_NUMBER: Final = r"(?P<version>[1-9][0-9]{0,8})"
_INVERTED: Final = r"(?P<inverted>[0-9]{10})\.json"
_DIGEST: Final = r"(?P<digest>[0-9a-f]{64})"
_SUBJECT: Final = r"(?P<subject>[^/]+)\.json"

# What follows the model in the key of each kind's records.
_OF_A_MODEL: Final = {
    kind: re.compile(pattern, re.ASCII)
    for kind, pattern in {
        "cards": r"\.json",
        "settings": r"\.json",
        "releases": r"\.json",
        "manifests": f"/{_INVERTED}",
        "verdicts": f"/{_INVERTED}",
        "authors": f"/{_NUMBER}/{_SUBJECT}",
        "approvals": f"/{_NUMBER}/{_SUBJECT}",
        "moves": f"/{_ALIAS}/{_NUMBER}/{_SUBJECT}",
        "tombstones": rf"/{_NUMBER}\.json",
        "aliases": rf"/{_ALIAS}\.json",
        "protected": rf"/{_ALIAS}\.json",
        "uploads": rf"/{_DIGEST}\.json",
        "findings": rf"/{_DIGEST}/[^/]+\.json",
    }.items()
}
_REQUEST: Final = re.compile(rf"requests/{_TEAM}/(?P<subject>[^/]+)/[0-9a-f]{{64}}\.json", re.ASCII)
_MODELS: Final = re.compile(
    rf"cards/(?:(?P<team>{_TEAM})/(?P<beginning>(?:[A-Za-z0-9][A-Za-z0-9._-]{{0,95}})?))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Record:
    """A record of the store: its kind, and what else its key names.

    ``subject`` is in whose name it is: of each kind that bears one, everybody may write only their own.
    """

    kind: str
    version: int | None = None
    alias: str | None = None
    digest: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Models:
    """The prefix of a list of models: of a team, or of all; whose names begin with something, or any."""

    team: str | None
    beginning: str


def record_of(event: AuditEvent) -> Record | None:
    """The record whose key the call named, None if it named no record's or says what the event does not."""
    if event.key is None:
        return None
    if event.model is None:
        request = _REQUEST.fullmatch(event.key)
        return Record("requests", subject=request["subject"]) if request else None
    kind = event.key.partition("/")[0]
    beginning = f"{kind}/{event.model}"
    if kind not in _OF_A_MODEL or not event.key.startswith(beginning):
        return None
    match = _OF_A_MODEL[kind].fullmatch(event.key.removeprefix(beginning))
    if match is None:
        return None
    found = match.groupdict()
    version = _version(found)
    if version != event.version:
        return None
    return Record(kind, version, found.get("alias"), found.get("digest"), found.get("subject"))


def kind_listed(event: AuditEvent) -> str | None:
    """The kind of which a list has all that its model has, None if its prefix is another."""
    kind, _, rest = (event.key or "").partition("/")
    return kind if event.model is not None and rest == f"{event.model}/" else None


def models_listed(event: AuditEvent) -> Models | None:
    """Which models a list is of, None if it is of something else."""
    match = _MODELS.fullmatch(event.key or "") if event.model is None else None
    return Models(match["team"], match["beginning"] or "") if match else None


def _version(found: dict[str, str]) -> int | None:
    if "inverted" in found:
        number = _INVERT - int(found["inverted"])
        # A number that no version has agrees with no event.
        return number if 1 <= number <= _MAX_VERSION else 0
    return int(found["version"]) if "version" in found else None
