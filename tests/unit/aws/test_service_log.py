"""The service's log as evidence: newest first out of one that answers oldest first, and nothing invented."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.logs.filter_patterns import matcher

from service.aws.personas import ActingCredentials, PersonaSession
from service.aws.service_log import DISPLACED, MOST_AT_ONCE, CloudWatchServiceLog
from service.domain.audit import AnnouncedSession, Outcome, Source
from service.errors import Forbidden, Throttled

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
SESSION = PersonaSession(ReadOnlyCredentials("ASIAAUDITOR", "secret", "token", None), NOON + DAY)


@dataclass
class FakeLogs:
    """FilterLogEvents as its page describes it, in pages of a few lines, some of them empty."""

    lines: list[tuple[datetime, str]] = field(default_factory=list)
    page: int = 1000
    asked: list[dict[str, Any]] = field(default_factory=list)
    signed_by: set[str] = field(default_factory=set)
    failing: str = ""
    _found: list[list[dict[str, Any]]] = field(default_factory=list)

    def filter_log_events(self, **asked: Any) -> dict[str, Any]:
        """One page, oldest first; before the first one comes an empty one."""
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

    def log(self, most_at_once: int = MOST_AT_ONCE) -> CloudWatchServiceLog:
        """The service's log in it."""
        return CloudWatchServiceLog(
            cast("CloudWatchLogsClient", self), SESSION, "/smas/service", most_at_once
        )

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


def test_a_refusal_is_a_row() -> None:
    """Every field of the line, and nothing that a refusal has not."""
    logs = FakeLogs()
    logs.write(NOON + timedelta(milliseconds=1500), **refusal("e1"))

    (event,) = logs.log().refusals(NOON, NOON + HOUR)

    assert (event.time, event.event_id, event.source) == (NOON + SECOND, "e1", Source.SERVICE)
    assert (event.actor, event.subject, event.role) == ("ds-nlp", "sub-of-ds-nlp", None)
    assert (event.action, event.model, event.version) == ("smas:read_version", "fraud/credit", 3)
    assert (event.path, event.key, event.sha256, event.bytes) == ("weights.bin", None, None, None)
    assert (event.outcome, event.error_code) == (Outcome.DENIED, "not_found")
    assert (event.source_ip, event.user_agent) == ("203.0.113.7", "smas/1")
    assert (event.auth_method, event.request_id) == ("bearer", "r1")


def test_sessions_are_read_as_they_were_announced() -> None:
    """Role, token, person and team; other lines of the log are not asked for."""
    logs = FakeLogs()
    announced: dict[str, Any] = {"role": "compliance", "token_id": "t", "subject": "s", "team": None}
    logs.write(NOON, audit="session", message="session", **announced)
    logs.write(NOON, **refusal("e1"))
    logs.write(NOON, message="request", status=200)

    assert list(logs.log().sessions(NOON, NOON + SECOND)) == [AnnouncedSession(NOON, **announced)]


@given(
    st.lists(st.tuples(st.integers(-100, 200_000), st.integers(0, 30)), max_size=40),
    st.integers(0, 100_000),
    st.integers(0, 100_000),
    st.integers(1, 7),
)
def test_exactly_the_range_newest_first(
    lines: list[tuple[int, int]], first: int, length: int, page: int
) -> None:
    """Whatever CloudWatch's own times are (up to half a minute late), the line's time decides."""
    logs = FakeLogs(page=page)
    for number, (second, late) in enumerate(lines):
        logs.write(NOON + second * SECOND, late * SECOND, **refusal(f"{number:03}"))
    start, end = NOON + first * SECOND, NOON + (first + length) * SECOND

    found = list(logs.log().refusals(start, end))

    wanted = [
        (NOON + second * SECOND, f"{number:03}")
        for number, (second, _) in enumerate(lines)
        if first <= second < first + length
    ]
    assert [(event.time, event.event_id) for event in found] == sorted(wanted, reverse=True)


def test_a_busy_hour_is_read_in_pieces() -> None:
    """More than is held at once comes all the same, in order; only as much as is asked for is read."""
    logs = FakeLogs()
    for number in range(300):
        logs.write(NOON + (number // 10) * SECOND, **refusal(f"{number:06}"))

    found = list(logs.log(100).refusals(NOON, NOON + HOUR))

    assert [event.event_id for event in found] == [f"{number:06}" for number in reversed(range(300))]


def test_a_single_second_is_never_split() -> None:
    """All of a second belongs together, however much it is."""
    logs = FakeLogs()
    for number in range(101):
        logs.write(NOON, **refusal(f"{number:06}"))

    assert len(list(logs.log(100).refusals(NOON - HOUR, NOON + HOUR))) == 101


def test_the_newest_are_found_without_reading_the_oldest() -> None:
    """A page of an auditor's costs what it shows, not what the range holds."""
    logs = FakeLogs()
    for hour in range(24 * 30):
        logs.write(NOON - hour * HOUR, **refusal(f"{hour:04}"))

    found = list(islice(logs.log().refusals(NOON - 30 * DAY, NOON + SECOND), 3))

    assert [event.event_id for event in found] == ["0000", "0001", "0002"]
    assert min(asked["startTime"] for asked in logs.asked) > (NOON - DAY).timestamp() * 1000


def test_a_quiet_month_is_a_few_questions() -> None:
    """Windows grow while nothing is found."""
    logs = FakeLogs()

    assert list(logs.log().refusals(NOON - 30 * DAY, NOON)) == []
    assert len(logs.asked) <= 2 * 8


def test_a_line_that_was_shipped_twice_is_one() -> None:
    """Shipping is at least once; a row is once."""
    logs = FakeLogs()
    for late in (0, 5):
        logs.write(NOON, late * SECOND, **refusal("e1"))

    assert [event.event_id for event in logs.log().refusals(NOON, NOON + SECOND)] == ["e1"]


@pytest.mark.parametrize(
    "line",
    [
        {"audit": "refusal"},
        {**refusal("e2"), "event_id": 7},
        {**refusal("e2"), "version": "three"},
        {**refusal("e2"), "time": "yesterday"},
        {**refusal("e2"), "time": "2026-01-31T12:00:00"},
    ],
    ids=range(5),
)
def test_malformed_lines_are_counted_and_hide_no_other(
    caplog: pytest.LogCaptureFixture, line: dict[str, Any]
) -> None:
    """Whatever got into the log group: the readable lines are there, and the log says how many were not."""
    logs = FakeLogs()
    logs.write(NOON, **refusal("e1"))
    logs.lines.append((NOON, json.dumps(line)))

    assert [event.event_id for event in logs.log().refusals(NOON, NOON + SECOND)] == ["e1"]
    (warning,) = caplog.records
    assert (warning.message, vars(warning)["lines"]) == ("malformed audit lines", 1)


def test_everything_is_asked_in_the_readers_session() -> None:
    """Also the pages that are read after others came between."""
    logs = FakeLogs(page=1)
    for number in range(3):
        logs.write(NOON, **refusal(str(number)))
    events = logs.log().refusals(NOON, NOON + SECOND)
    next(events)
    list(logs.log().sessions(NOON, NOON + SECOND))

    assert len(list(events)) == 2
    assert logs.signed_by == {"ASIAAUDITOR"}
    with pytest.raises(RuntimeError):
        ActingCredentials().get_frozen_credentials()


@pytest.mark.parametrize(
    ("code", "meaning"), [("AccessDeniedException", Forbidden), ("ThrottlingException", Throttled)]
)
def test_failures_are_the_stores_own(code: str, meaning: type[Exception]) -> None:
    """Who may not read the log is told so."""
    with pytest.raises(meaning):
        next(FakeLogs(failing=code).log().refusals(NOON, NOON + SECOND))


def test_the_question_is_a_little_wider_than_the_range() -> None:
    """Both ends are inside of CloudWatch's range, in milliseconds, never before 1970."""
    logs = FakeLogs()
    list(logs.log().sessions(NOON, NOON + SECOND))
    list(logs.log().sessions(datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)))

    noon = int(NOON.timestamp() * 1000)
    wide = int(DISPLACED.total_seconds() * 1000)
    assert [(each["startTime"], each["endTime"]) for each in logs.asked[::2]] == [
        (noon - wide, noon + 1000 + wide),
        (0, wide),
    ]
