"""What happened: one row for each call that AWS recorded or the service refused."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from datetime import datetime

    from service.domain.names import ModelId


class Outcome(StrEnum):
    """How a call ended; ``denied``: somebody was not allowed; ``error``: it failed otherwise."""

    SUCCESS = "success"
    DENIED = "denied"
    ERROR = "error"


class Source(StrEnum):
    """Who says so: CloudTrail's log files, or the service's log of refusals that never reached AWS."""

    CLOUDTRAIL = "cloudtrail"
    SERVICE = "service"


class AuditEvent(msgspec.Struct, frozen=True):
    """One call, as its record tells it; what the record does not tell is None.

    ``actor`` is the session's name (a person's user name), ``subject`` the source identity, ``role`` the
    persona. ``action`` is IAM's name of the call (``s3:GetObject``), or ``smas:`` and the operation for a
    refusal of the service. ``key`` is the key in the store's bucket that the call named, of a list its
    prefix: 1-1,024 bytes of whatever the caller sent. ``version`` and ``path`` are set where the request
    itself named them. ``sha256`` is the blob's digest, ``bytes`` what was transferred, in bytes.
    """

    event_id: str
    time: datetime
    actor: str | None
    subject: str | None
    role: str | None
    action: str
    key: str | None
    model: str | None
    version: int | None
    path: str | None
    sha256: str | None
    bytes: int | None
    outcome: Outcome
    error_code: str | None
    source_ip: str | None
    user_agent: str | None
    auth_method: str | None
    request_id: str | None
    source: Source


class EventFilter(msgspec.Struct, frozen=True):
    """Which events are asked for: all of the given conditions hold; ``start`` <= time < ``end`` (UTC).

    ``actor`` is held against both the session's name and the source identity.
    """

    start: datetime
    end: datetime
    model: ModelId | None = None
    version: int | None = None
    actor: str | None = None
    action: str | None = None
    outcome: Outcome | None = None


class Position(msgspec.Struct, frozen=True, order=True):
    """A place in the one order of all events (by time, then by id); lists go through it downwards."""

    time: datetime
    event_id: str


class AnnouncedSession(msgspec.Struct, frozen=True):
    """What the service wrote into its log before it assumed a persona for somebody.

    ``role`` is the persona's name, ``token_id`` the ``jti`` of the caller's token.
    """

    time: datetime
    role: str
    token_id: str
    subject: str
    team: str | None
