"""What the store's audit answers, typed: for compliance and auditors.

Times are RFC 3339 texts in UTC, sizes are bytes, digests are lower-case hex SHA-256.
"""

from __future__ import annotations

from typing import Any

import msgspec

from smas.results import Result


class Publication(Result, frozen=True):
    """A place where some bytes are published."""

    version: int
    path: str


class AuditEvent(Result, frozen=True):
    """One call that AWS recorded (``source`` cloudtrail) or the store refused (``source`` service).

    ``actor`` is the session's name (a person's user name), ``subject`` the source identity that no later
    session can change, ``role`` the persona. ``action`` is IAM's name of the call, as in ``s3:GetObject``.
    ``key`` is the key in the store's bucket that the call named, of a list its prefix: whatever was sent.
    ``version`` and ``path`` are what the request itself named, ``published_as`` every place in the model
    where the bytes (``sha256``) are published. ``bytes`` is how many were transferred; ``outcome`` success,
    denied or error. What the record does not tell is None.
    """

    event_id: str
    time: str
    actor: str | None
    subject: str | None
    role: str | None
    action: str
    key: str | None
    model: str | None
    version: int | None
    path: str | None
    published_as: list[Publication]
    sha256: str | None
    bytes: int | None
    outcome: str
    error_code: str | None
    source_ip: str | None
    user_agent: str | None
    auth_method: str | None
    request_id: str | None
    source: str


class AuditPage(Result, frozen=True):
    """Some events, newest first; ``more`` says that there may be older ones, also after an empty page.

    ``documents`` are the same events as the store wrote them, with every field of a newer store.
    ``unreadable_files`` are log files that are gone or damaged: what they held is missing here.
    """

    items: list[AuditEvent]
    documents: list[dict[str, Any]]
    more: bool
    unreadable_files: list[str] = msgspec.field(default_factory=list)


class AuditFinding(Result, frozen=True):
    """What a check found: its kind, the file it is about (its key in the trail's bucket), and a sentence."""

    kind: str
    message: str
    file: str | None = None


class UnknownSession(Result, frozen=True):
    """A session of a persona that the store never announced: somebody else assumed the role.

    As CloudTrail recorded it: ``token_id`` is the ``jti`` it claims, ``subject`` its source identity,
    ``assumed_by`` the ARN of whoever asked for it.
    """

    time: str
    role: str
    event_id: str | None = None
    token_id: str | None = None
    subject: str | None = None
    team: str | None = None
    session_name: str | None = None
    assumed_by: str | None = None
    source_ip: str | None = None


class AuditSessions(Result, frozen=True):
    """How many sessions of personas began, and which of them nobody announced (``more`` beside those)."""

    assumed: int
    unknown: list[UnknownSession] = msgspec.field(default_factory=list)
    more: int = 0


class AuditIntegrity(Result, frozen=True):
    """Whether the trail's log files are what CloudTrail delivered, from ``start`` until before ``end``.

    ``digests`` and ``logs`` are how many files were checked, ``problems`` what is wrong with them. ``notes``
    do not make it invalid: a gap, a file that is in no digest yet. ``proved_from`` to ``proved_until`` is
    what digests cover: they come once an hour, so what happened last is proved only by the next one.
    ``complete`` is false if the check ended before ``end``, at ``checked_until``. ``more_problems`` and
    ``more_notes`` are beyond those that are named. ``sessions`` is about who assumed the store's personas.
    """

    valid: bool
    digests: int
    logs: int
    start: str = msgspec.field(name="from")
    end: str = msgspec.field(name="to")
    problems: list[AuditFinding]
    notes: list[AuditFinding] = msgspec.field(default_factory=list)
    more_problems: int = 0
    more_notes: int = 0
    complete: bool = True
    checked_until: str | None = None
    proved_from: str | None = None
    proved_until: str | None = None
    sessions: AuditSessions | None = None

    @property
    def sound(self) -> bool:
        """Nothing was found wrong in the whole range: neither with the files nor with the sessions."""
        unknown = self.sessions is not None and bool(self.sessions.unknown or self.sessions.more)
        return self.valid and self.complete and not unknown
