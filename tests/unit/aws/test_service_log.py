"""The service's log as evidence: newest first out of one that answers oldest first, and nothing invented."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.audit.ports import Unread
from service.aws.personas import ActingCredentials
from service.aws.service_log import DISPLACED, PAGE_SECONDS
from service.domain.audit import AnnouncedSession, Outcome, Source
from service.errors import Forbidden, Throttled
from tests.fakes.logs import FakeLogs, refusal, told

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


def test_a_refusal_is_a_row() -> None:
    """Every field of the line, and nothing that a refusal has not."""
    logs = FakeLogs()
    logs.write(NOON + timedelta(milliseconds=1500), **refusal("e1"))

    (event,) = told(logs.log(), NOON, NOON + HOUR)

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

    found = list(told(logs.log(), start, end))

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

    found = list(told(logs.log(100), NOON, NOON + HOUR))

    assert [event.event_id for event in found] == [f"{number:06}" for number in reversed(range(300))]


def test_a_single_second_is_never_split() -> None:
    """All of a second belongs together, however much it is."""
    logs = FakeLogs()
    for number in range(101):
        logs.write(NOON, **refusal(f"{number:06}"))

    assert len(list(told(logs.log(100), NOON - HOUR, NOON + HOUR))) == 101


def test_the_newest_are_found_without_reading_the_oldest() -> None:
    """A page of an auditor's costs what it shows, not what the range holds."""
    logs = FakeLogs()
    for hour in range(24 * 30):
        logs.write(NOON - hour * HOUR, **refusal(f"{hour:04}"))

    found = list(islice(told(logs.log(), NOON - 30 * DAY, NOON + SECOND), 3))

    assert [event.event_id for event in found] == ["0000", "0001", "0002"]
    assert min(asked["startTime"] for asked in logs.asked) > (NOON - DAY).timestamp() * 1000


def test_a_quiet_month_is_a_few_questions() -> None:
    """Windows grow while nothing is found."""
    logs = FakeLogs()

    assert list(told(logs.log(), NOON - 30 * DAY, NOON)) == []
    assert len(logs.asked) <= 2 * 8


def test_a_line_that_was_shipped_twice_is_one() -> None:
    """Shipping is at least once; a row is once."""
    logs = FakeLogs()
    for late in (0, 5):
        logs.write(NOON, late * SECOND, **refusal("e1"))

    assert [event.event_id for event in told(logs.log(), NOON, NOON + SECOND)] == ["e1"]


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

    assert [event.event_id for event in told(logs.log(), NOON, NOON + SECOND)] == ["e1"]
    (warning,) = caplog.records
    assert (warning.message, vars(warning)["lines"]) == ("malformed audit lines", 1)


def test_time_is_up_with_what_was_read_told() -> None:
    """Nothing below the moment it names was read; no page of the log is asked for long after the end."""
    logs = FakeLogs(seconds=0.25, page=50)
    for minute in range(60 * 24):
        logs.write(NOON - minute * SECOND * 60, **refusal(f"{minute:06}"))

    *found, end = logs.log().refusals(NOON - DAY, NOON + SECOND)

    assert isinstance(end, Unread)
    events = [event for event in found if not isinstance(event, Unread)]
    assert len(events) == len(found) > 0
    assert [event.event_id for event in events] == [f"{minute:06}" for minute in range(len(events))]
    assert events[-1].time >= end.before > events[-1].time - timedelta(minutes=1)
    assert logs.now <= PAGE_SECONDS + 2 * logs.seconds


def test_a_log_too_slow_for_anything_still_gets_on() -> None:
    """A second of it is read, however long that takes: asked again, the end is reached."""
    logs, end, found = FakeLogs(seconds=100, page=1), NOON + SECOND, list[str]()
    for second in range(5):
        logs.write(NOON - second * SECOND, **refusal(f"{second}a"))
        logs.write(NOON - second * SECOND, **refusal(f"{second}b"))
    for _ in range(10):
        before = end
        for each in logs.log().refusals(NOON - 5 * SECOND, end):
            if isinstance(each, Unread):
                end = each.before
            else:
                found.append(each.event_id)
        if end == before:
            break
        assert end < before
    assert found == [f"{second}{letter}" for second in range(5) for letter in "ba"]


def test_windows_do_not_outgrow_the_time_left() -> None:
    """In a busy log, where a wider one would be begun for nothing."""
    logs = FakeLogs(seconds=1)
    list(logs.log().refusals(NOON - 30 * DAY, NOON))
    assert logs.now <= PAGE_SECONDS + 2 * logs.seconds


def test_everything_is_asked_in_the_readers_session() -> None:
    """Also the pages that are read after others came between."""
    logs = FakeLogs(page=1)
    for number in range(3):
        logs.write(NOON, **refusal(str(number)))
    events = told(logs.log(), NOON, NOON + SECOND)
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
        next(told(FakeLogs(failing=code).log(), NOON, NOON + SECOND))


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
