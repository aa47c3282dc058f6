"""Times as people write them: so long ago, a day, or a moment."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from smas.cli.sizes import parse_age

if TYPE_CHECKING:
    from collections.abc import Callable

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
FORMS: Final = "2d, 12h or 30m ago; 2026-11-01, a day from its midnight (UTC); or RFC 3339"


def parse_when(text: str, now: Callable[[], datetime]) -> str:
    """``2d`` (so long ago), ``2026-11-01`` or an RFC 3339 time, as RFC 3339 in UTC. Raises ``ValueError``."""
    from smas.audit import moment  # noqa: PLC0415 - `smas --help` answers without it
    from smas.errors import SmasError  # noqa: PLC0415

    wanted = text.strip()
    try:
        return str(moment(_ago(wanted, now) or _midnight(wanted) or wanted))
    except (SmasError, OverflowError) as error:
        message = f"{text!r} is no time: write it like {FORMS}, as in 2026-11-24T12:00:00Z"
        raise ValueError(message) from error


def _ago(text: str, now: Callable[[], datetime]) -> datetime | None:
    try:
        seconds = parse_age(text)
    except ValueError:
        return None
    return now() - timedelta(seconds=seconds)


def _midnight(text: str) -> datetime | None:
    if not _DAY.fullmatch(text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
