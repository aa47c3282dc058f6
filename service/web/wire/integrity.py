"""Bodies of the check of the trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from service.domain.times import written
from service.web.wire.base import Given, Time

if TYPE_CHECKING:
    from service.audit.integrity.findings import Note, Problem
    from service.audit.integrity.report import IntegrityReport
    from service.audit.sessions import SessionCheck, UnknownSession


class Finding(Given):
    """What was found: a stable kind, the key of the file it is about (or null), and a sentence."""

    kind: str
    file: str | None
    message: str

    @classmethod
    def of(cls, found: Problem | Note) -> Finding:
        """The finding, rendered."""
        return cls(found.kind.value, found.file, found.message)


class Session(Given):
    """A persona's session as CloudTrail recorded it, which the service never announced."""

    time: Time
    role: Annotated[str, msgspec.Meta(description="the persona")]
    session_name: str | None
    subject: Annotated[str | None, msgspec.Meta(description="the source identity it claims")]
    team: str | None
    token_id: Annotated[str | None, msgspec.Meta(description="the jti it claims")]
    assumed_by: Annotated[str | None, msgspec.Meta(description="the ARN of whoever assumed the role")]
    source_ip: str | None
    event_id: str

    @classmethod
    def of(cls, session: UnknownSession) -> Session:
        """The session, rendered."""
        return cls(
            time=written(session.time),
            role=session.role,
            session_name=session.session_name,
            subject=session.subject,
            team=session.team,
            token_id=session.token_id,
            assumed_by=session.assumed_by,
            source_ip=session.source_ip,
            event_id=session.event_id,
        )


class Sessions(Given):
    """How many persona sessions were assumed, and those that nobody announced; more counts unnamed ones."""

    assumed: int
    unknown: list[Session]
    more: int

    @classmethod
    def of(cls, check: SessionCheck) -> Sessions:
        """The sessions, rendered."""
        return cls(check.assumed, [Session.of(session) for session in check.unknown], check.more)


class Integrity(Given, rename={"start": "from", "end": "to"}):
    """Whether the trail's files are what CloudTrail delivered.

    valid is about the files alone, digests and logs count those looked into. problems make the trail invalid,
    notes do not; more_problems and more_notes count those that are not named. The good digests reach from
    proved_from to proved_until. complete is false where time was up: only what is before checked_until was
    checked, sessions too, and another check goes on from there; sessions is null where there was no time.
    """

    valid: bool
    complete: bool
    digests: int
    logs: int
    start: Time
    end: Time
    checked_until: Time
    proved_from: Time | None
    proved_until: Time | None
    problems: list[Finding]
    notes: list[Finding]
    more_problems: int
    more_notes: int
    sessions: Sessions | None

    @classmethod
    def of(cls, report: IntegrityReport) -> Integrity:
        """The report, rendered."""
        trail = report.trail
        return cls(
            valid=trail.valid,
            complete=trail.complete,
            digests=trail.digests,
            logs=trail.logs,
            start=written(trail.start),
            end=written(trail.end),
            checked_until=written(trail.checked_until),
            proved_from=written(trail.proved_from) if trail.proved_from else None,
            proved_until=written(trail.proved_until) if trail.proved_until else None,
            problems=[Finding.of(problem) for problem in trail.problems],
            notes=[Finding.of(note) for note in trail.notes],
            more_problems=trail.more_problems,
            more_notes=trail.more_notes,
            sessions=Sessions.of(report.sessions) if report.sessions else None,
        )
