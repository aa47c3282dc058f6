"""Times as the contract writes them: RFC 3339 in UTC, whole seconds, with ``Z``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from service.errors import ValidationFailed

_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)


def written(moment: datetime) -> str:
    """``moment`` (aware) as text, whole seconds, rounded down."""
    # Not strftime: its years before 1000 have fewer than four digits.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def parsed(text: str) -> datetime:
    """The moment in ``text`` as this store wrote it. Raises ``ValueError`` for any other way to write it."""
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    if written(moment) != text:
        message = "not written the way this store writes times"
        raise ValueError(message)
    return moment


def parse_moment(text: str, location: str) -> datetime:
    """A caller's RFC 3339 time with any offset, cut to whole seconds in UTC.

    Raises ``ValidationFailed`` for anything else, a time without an offset included.
    """
    wanted = ValidationFailed.at(location, "must be an RFC 3339 time, such as 2026-01-31T09:30:00Z")
    if not _RFC3339.fullmatch(text):
        raise wanted
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError) as error:
        raise wanted from error


def age(text: str, now: datetime) -> timedelta:
    """How long ago ``text``, a time this store wrote, was at ``now``."""
    return now - parsed(text)
