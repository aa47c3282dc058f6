"""CloudWatch Logs in memory, and lines of the service's log in it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError
from smas_emulator.logs.filter_patterns import matcher

from service.aws.personas import ActingCredentials, PersonaSession
from service.aws.service_log import MOST_AT_ONCE, CloudWatchServiceLog
from service.domain.audit import AuditEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_logs import CloudWatchLogsClient

    from service.audit.ports import ServiceLog

SESSION = PersonaSession(
    ReadOnlyCredentials("ASIAAUDITOR", "secret", "token", None), datetime(2100, 1, 1, tzinfo=UTC)
)


@dataclass
class FakeLogs:
    """FilterLogEvents as its page describes it, in pages of a few lines, some of them empty.

    Each call takes ``seconds`` of the time that ``clock`` tells.
    """

    lines: list[tuple[datetime, str]] = field(default_factory=list)
    page: int = 1000
    asked: list[dict[str, Any]] = field(default_factory=list)
    signed_by: set[str] = field(default_factory=set)
    failing: str = ""
    seconds: float = 0
    now: float = 0
    _found: list[list[dict[str, Any]]] = field(default_factory=list)

    def filter_log_events(self, **asked: Any) -> dict[str, Any]:
        """One page, oldest first; before the first one comes an empty one."""
        self.now += self.seconds
        if self.failing:
            raise ClientError({"Error": {"Code": self.failing, "Message": "no"}}, "FilterLogEvents")
        self.signed_by.add(str(ActingCredentials().get_frozen_credentials().access_key))
        self.asked.append(asked)
        token = asked.pop("nextToken", None)
        if token is None:
            matches = matcher(asked["filterPattern"])
            start, end = asked["startTime"], asked["endTime"]
            found = [
                {"timestamp": milliseconds, "message": text}
                for at, text in sorted(self.lines)
                if start <= (milliseconds := int(at.timestamp() * 1000)) <= end and matches(text)
            ]
            self._found.append(found)
            return {"events": [], "nextToken": f"{len(self._found) - 1}:0"}
        search, first = map(int, token.split(":"))
        found = self._found[search]
        answer: dict[str, Any] = {"events": found[first : first + self.page]}
        more = first + self.page < len(found)
        return {**answer, "nextToken": f"{search}:{first + self.page}"} if more else answer

    def clock(self) -> float:
        """Seconds."""
        return self.now

    def log(self, most_at_once: int = MOST_AT_ONCE) -> CloudWatchServiceLog:
        """The service's log in it."""
        client = cast("CloudWatchLogsClient", self)
        return CloudWatchServiceLog(client, SESSION, "/smas/service", most_at_once, self.clock)

    def write(self, time: datetime, shipped: timedelta = timedelta(), **line: Any) -> None:
        """A line that was shipped some time after it was written."""
        self.lines.append((time + shipped, json.dumps({**line, "time": time.isoformat()}) + "\n"))


def refusal(event_id: str, **changed: Any) -> dict[str, Any]:
    """A refusal as the service writes it."""
    return {
        "level": "WARNING",
        "logger": "service.audit",
        "message": "refused",
        "audit": "refusal",
        "event_id": event_id,
        "actor": "ds-nlp",
        "subject": "sub-of-ds-nlp",
        "role": None,
        "action": "smas:read_version",
        "model": "fraud/credit",
        "version": 3,
        "path": "weights.bin",
        "outcome": "denied",
        "error_code": "not_found",
        "source_ip": "203.0.113.7",
        "user_agent": "smas/1",
        "auth_method": "bearer",
        "request_id": "r1",
        **changed,
    }


def told(log: ServiceLog, start: datetime, end: datetime) -> Iterator[AuditEvent]:
    """The refusals of a range that the log has the time to read whole."""
    for each in log.refusals(start, end):
        assert isinstance(each, AuditEvent)
        yield each
