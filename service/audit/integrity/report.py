"""What an auditor asks: whether the record is whole, and whether personas were assumed unannounced."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from service.audit.integrity.checking import Integrity, check_integrity
from service.audit.integrity.files_in_time import FilesInTime, TimeUp
from service.audit.integrity.findings import Note, NoteKind
from service.audit.sessions import SessionCheck, check_sessions
from service.domain.times import written
from service.errors import ValidationFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from service.audit.ports import AuditWorkspace

LONGEST: Final = timedelta(days=7)
DEFAULT: Final = timedelta(hours=24)
_SESSIONS_UNCHECKED: Final = (
    "Time was up before all log files were looked through for sessions that the service never announced. Ask "
    "for a shorter range."
)
# API Gateway waits for 30 s. The sessions are looked for in the same files a second time, and in those of a
# day more, because a call may be delivered late.
CHECK_SECONDS: Final = 12.0
ALL_SECONDS: Final = 24.0


class IntegrityReport(msgspec.Struct, frozen=True):
    """The trail's files, and the sessions of the time that was checked; None if time was up before.

    Then the check is not complete, and as a whole has come to its beginning alone.
    """

    trail: Integrity
    sessions: SessionCheck | None


def integrity_report(
    workspace: AuditWorkspace,
    start: datetime | None,
    end: datetime | None,
    *,
    now: datetime,
    seconds: Callable[[], float] = time.monotonic,
) -> IntegrityReport:
    """Check a range, by default the last 24 hours before its end, and its end now.

    Raises ``ValidationFailed`` for a range that is empty, longer than seven days, or in the future.
    """
    start, end = checked_range(start, end, now)
    begun = seconds()

    def out_of_time(limit: float) -> Callable[[], bool]:
        return lambda: seconds() >= begun + limit

    trail = check_integrity(
        workspace.files, workspace.keys, start, end, now=now, out_of_time=out_of_time(CHECK_SECONDS)
    )
    if trail.checked_until <= start:
        return IntegrityReport(trail, None)
    files = FilesInTime(workspace.files, out_of_time(ALL_SECONDS))
    try:
        sessions = check_sessions(
            files,
            workspace.log,
            workspace.role_prefix,
            start,
            trail.checked_until,
            people_roles=workspace.people_roles,
        )
    except TimeUp:
        note = Note(NoteKind.SESSIONS_UNCHECKED, None, _SESSIONS_UNCHECKED)
        unchecked = replace(trail, complete=False, checked_until=start, notes=(*trail.notes, note))
        return IntegrityReport(unchecked, None)
    return IntegrityReport(trail, sessions)


def checked_range(start: datetime | None, end: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """The range that is asked for, in whole seconds. Raises ``ValidationFailed``."""
    now = now.replace(microsecond=0)
    end = end or now
    try:
        start = start or end - DEFAULT
    except OverflowError as error:
        raise ValidationFailed.at("to", "must be a day after the beginning of time") from error
    if start >= end:
        raise ValidationFailed.at("from", f"must be before the end of the range, {written(end)}")
    if start >= now:
        raise ValidationFailed.at("from", f"must not be in the future: it is {written(now)}")
    if end - start > LONGEST:
        raise ValidationFailed.at("from", f"must be at most {LONGEST.days} days before the end of the range")
    return start, end
