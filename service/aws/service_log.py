"""The service's own log as evidence, read from CloudWatch Logs in the reader's session.

FilterLogEvents answers oldest first, page by page, at most 10,000 lines or 1 MB each; a page may be empty and
yet not the last. Both ends of its range are milliseconds and inside it
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html).
"""

from __future__ import annotations

import logging
import math
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import msgspec

from service.audit.ports import Unread
from service.aws.failures import translated
from service.aws.personas import acting_as
from service.domain.audit import AnnouncedSession, AuditEvent, Outcome, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import FilterLogEventsRequestTypeDef

    from service.aws.personas import PersonaSession

log = logging.getLogger(__name__)

REFUSALS: Final = '{ $.audit = "refusal" }'
SESSIONS: Final = '{ $.audit = "session" }'
# CloudWatch's time of a line is that of its shipping: moments after the line's own, by another clock.
DISPLACED: Final = timedelta(seconds=30)
MOST_AT_ONCE: Final = 5_000
# For the refusals of a page. API Gateway waits for 30 s, and what AWS recorded is read before them and where
# bytes are published looked up after them, in times of their own.
PAGE_SECONDS: Final = 6.0
_FIRST: Final = timedelta(hours=1)
_WIDEST: Final = timedelta(days=30)
_NARROWEST: Final = timedelta(seconds=1)
_STEP: Final = 4

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class RefusalLine(msgspec.Struct):
    """A refusal as ``service.web.refusals`` writes it; other members are of no interest."""

    event_id: str
    time: Moment
    action: str
    actor: str | None = None
    subject: str | None = None
    role: str | None = None
    model: str | None = None
    version: int | None = None
    path: str | None = None
    error_code: str | None = None
    source_ip: str | None = None
    user_agent: str | None = None
    auth_method: str | None = None
    request_id: str | None = None


class SessionLine(msgspec.Struct):
    """A session as ``service.aws.personas`` announces it."""

    time: Moment
    role: str
    token_id: str
    subject: str
    team: str | None = None


Line = TypeVar("Line", RefusalLine, SessionLine)


class CloudWatchServiceLog(msgspec.Struct, frozen=True):
    """``ServiceLog`` over one log group; ``client`` signs as whoever is acted for.

    ``most_at_once`` is how many refusals are in memory, but for what a single second holds; ``clock`` counts
    seconds. Whoever can write the group can write such lines: that right is what they are worth.
    """

    client: CloudWatchLogsClient
    session: PersonaSession
    group: str
    most_at_once: int = MOST_AT_ONCE
    clock: Callable[[], float] = time.monotonic
    page_seconds: float = PAGE_SECONDS

    def refusals(self, start: datetime, end: datetime) -> Iterator[AuditEvent | Unread]:
        """See ``ServiceLog.refusals``. Raises ``Forbidden``, ``Throttled``, ``Unavailable``.

        Goes back from ``end`` in windows of whole seconds: wider ones while little is found, narrower ones
        where more is found than is held at once, or than there is time to read: a window comes oldest first,
        so one that is not read to its end tells nothing. A single second is read however long it takes, so
        that every page gets on.
        """
        deadline = self.clock() + self.page_seconds
        first, until = _second_of(start), _second_after(end)
        width, read_any = _FIRST, False
        while until > first:
            since, begun = max(first, until - width), self.clock()
            # A first window must leave time for a narrower one.
            found = self._window(since, until, deadline if read_any else (begun + deadline) / 2)
            took, left = self.clock() - begun, deadline - self.clock()
            if found is not None:
                yield from (event for event in found if start <= event.time < end)
                until, read_any = since, True
                if len(found) < self.most_at_once // _STEP**2 and took * _STEP < left:
                    width = min(width * _STEP, _WIDEST)
            elif left > 0:
                width = max(_NARROWEST, _whole((until - since) / _STEP))
            else:
                width = _NARROWEST
            if left <= 0 and read_any and until > first:
                yield Unread(until)
                return

    def sessions(self, start: datetime, end: datetime) -> Iterator[AnnouncedSession]:
        """See ``ServiceLog.sessions``. Raises ``Forbidden``, ``Throttled``, ``Unavailable``."""
        for line in self._lines(SESSIONS, start, end, SessionLine):
            yield AnnouncedSession(_second_of(line.time), line.role, line.token_id, line.subject, line.team)

    def _window(self, since: datetime, until: datetime, stop_at: float) -> list[AuditEvent] | None:
        """The refusals of a window, newest first, each once; None if they are too many or take too long."""
        found: dict[str, AuditEvent] = {}
        if until - since <= _NARROWEST:
            stop_at = math.inf
        try:
            for line in self._lines(REFUSALS, since, until, RefusalLine, stop_at):
                found[line.event_id] = _event(line)
                if len(found) > self.most_at_once and until - since > _NARROWEST:
                    return None
        except _OutOfTime:
            return None
        return sorted(found.values(), key=lambda event: (event.time, event.event_id), reverse=True)

    def _lines(
        self, pattern: str, since: datetime, until: datetime, kind: type[Line], stop_at: float = math.inf
    ) -> Iterator[Line]:
        """The lines that match and by their own time are of the range; others are counted in the log."""
        malformed = 0
        for message in self._messages(pattern, since - DISPLACED, until + DISPLACED, stop_at):
            try:
                line = msgspec.json.decode(message, type=kind)
            except (msgspec.DecodeError, UnicodeError):
                malformed += 1
                continue
            if since <= line.time < until:
                yield line
        if malformed:
            log.warning("malformed audit lines", extra={"log_group": self.group, "lines": malformed})

    def _messages(self, pattern: str, since: datetime, until: datetime, stop_at: float) -> Iterator[str]:
        asked: FilterLogEventsRequestTypeDef = {
            "logGroupName": self.group,
            "filterPattern": pattern,
            "startTime": max(0, _milliseconds(since)),
            "endTime": max(0, _milliseconds(until)),
        }
        while True:
            with acting_as(self.session), translated("CloudWatch Logs"):
                page = self.client.filter_log_events(**asked)
            yield from (event["message"] for event in page.get("events", ()))
            token = page.get("nextToken")
            if token is None:
                return
            if self.clock() >= stop_at:
                raise _OutOfTime
            asked["nextToken"] = token


class _OutOfTime(Exception):
    """There is more to be read than there is time for."""


def _event(line: RefusalLine) -> AuditEvent:
    return AuditEvent(
        event_id=line.event_id,
        time=_second_of(line.time),
        actor=line.actor,
        subject=line.subject,
        role=line.role,
        action=line.action,
        key=None,
        model=line.model,
        version=line.version,
        path=line.path,
        sha256=None,
        bytes=None,
        outcome=Outcome.DENIED,
        error_code=line.error_code,
        source_ip=line.source_ip,
        user_agent=line.user_agent,
        auth_method=line.auth_method,
        request_id=line.request_id,
        source=Source.SERVICE,
    )


def _second_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _second_after(moment: datetime) -> datetime:
    whole = _second_of(moment)
    return whole if whole == moment else whole + _NARROWEST


def _whole(span: timedelta) -> timedelta:
    return timedelta(seconds=int(span.total_seconds()))


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
