"""The watch: each unknown session is reported once, and only when its line has had time to arrive."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from service.audit.watch import LOOK_BACK, NOTHING, Watch, look
from service.errors import Unavailable
from tests.fakes.audit import FakeServiceLog, FakeTrailFiles
from tests.unit.audit.assumed import HOUR, MINUTE, NOON, PREFIX, announced, assumed

if TYPE_CHECKING:
    from datetime import datetime


def ids(found: tuple[Any, ...]) -> list[str]:
    """Which sessions were reported."""
    return sorted(each.event_id for each in found)


def test_it_is_reported_at_the_second_look_and_never_again() -> None:
    """Suspected first, confirmed next, then over."""
    files, log = FakeTrailFiles(), FakeServiceLog()
    files.log(NOON, [assumed(event_id="odd"), assumed(event_id="known", jti="mine")])
    log.announced.append(announced(token_id="mine"))

    looked, reported = NOTHING, []
    for minute in range(5):
        looked, unknown = look(looked, files, log, PREFIX, NOON + minute * MINUTE)
        reported.append(ids(unknown))

    assert reported == [[], ["odd"], [], [], []]


def test_a_line_that_arrives_after_the_file_is_not_too_late() -> None:
    """The log may be slower than the trail."""
    files, log = FakeTrailFiles(), FakeServiceLog()
    files.log(NOON, [assumed()])
    looked, _ = look(NOTHING, files, log, PREFIX, NOON)
    log.announced.append(announced())

    _, unknown = look(looked, files, log, PREFIX, NOON + MINUTE)

    assert unknown == ()


def test_each_file_is_read_once() -> None:
    """A look reads what was delivered since the last one, whatever minute its name tells."""
    files, log = FakeTrailFiles(), FakeServiceLog()
    first = files.log(NOON, [assumed()])
    looked, _ = look(NOTHING, files, log, PREFIX, NOON + MINUTE)
    late = files.log(NOON - MINUTE, [assumed()])
    files.reads.clear()

    look(looked, files, log, PREFIX, NOON + 2 * MINUTE)

    assert (first in files.reads, files.reads) == (False, [late])


def test_a_record_that_is_delivered_twice_is_reported_once() -> None:
    """CloudTrail may deliver a record again, in the same file or a later one."""
    files, log = FakeTrailFiles(), FakeServiceLog()
    files.log(NOON, [assumed(event_id="odd"), assumed(event_id="odd")])

    looked, reported = NOTHING, []
    for minute in range(5):
        looked, unknown = look(looked, files, log, PREFIX, NOON + minute * MINUTE)
        reported += ids(unknown)
        if minute == 2:
            files.log(NOON + 2 * MINUTE, [assumed(event_id="odd")])

    assert reported == ["odd"]


def test_the_first_look_goes_an_hour_back() -> None:
    """What lies longer ago was somebody else's watch; what is remembered does not grow with time."""
    files, log = FakeTrailFiles(), FakeServiceLog()
    files.log(NOON - LOOK_BACK - 5 * MINUTE, [assumed(NOON - 2 * HOUR)])
    recent = files.log(NOON - LOOK_BACK + 5 * MINUTE, [assumed(NOON - HOUR)])

    looked, _ = look(NOTHING, files, log, PREFIX, NOON)
    later, _ = look(looked, files, log, PREFIX, NOON + 3 * HOUR)

    assert (list(looked.files), list(later.files)) == ([recent], [])


def test_a_look_that_fails_loses_nothing() -> None:
    """What it would have read is read by the next one."""

    class Failing(FakeServiceLog):
        def sessions(self, start: datetime, end: datetime) -> Any:
            del start, end
            raise Unavailable("CloudWatch Logs cannot be reached")

    files, log = FakeTrailFiles(), FakeServiceLog()
    files.log(NOON, [assumed(event_id="odd")])
    with pytest.raises(Unavailable):
        look(NOTHING, files, Failing(), PREFIX, NOON)

    looked, _ = look(NOTHING, files, log, PREFIX, NOON + MINUTE)
    _, unknown = look(looked, files, log, PREFIX, NOON + 2 * MINUTE)

    assert ids(unknown) == ["odd"]


def test_the_process_writes_one_line_for_each(caplog: pytest.LogCaptureFixture) -> None:
    """An error line of the audit's logger, with what a person needs to look into it."""
    files, log, now = FakeTrailFiles(), FakeServiceLog(), [NOON]
    files.log(NOON, [assumed(event_id="odd", jti="made-up")])
    watch = Watch(lambda: (files, log), PREFIX, lambda: now[0])

    for _ in range(4):
        watch.look_once()
        now[0] += MINUTE

    (line,) = [vars(each) for each in caplog.records if each.name == "service.audit"]
    assert (line["levelno"], line["message"], line["audit"]) == (
        logging.ERROR,
        "unknown session",
        "unknown_session",
    )
    told = {name: line[name] for name in ("event_id", "token_id", "subject", "role", "team", "source_ip")}
    assert told == {
        "event_id": "odd",
        "token_id": "made-up",
        "subject": "sub-of-ds-fraud",
        "role": "data-scientist",
        "team": "fraud",
        "source_ip": "203.0.113.7",
    }


@pytest.mark.parametrize("failure", [Unavailable("STS cannot be reached"), RuntimeError("a bug")])
def test_nothing_ends_the_watch(caplog: pytest.LogCaptureFixture, failure: Exception) -> None:
    """An outage or a bug is logged, and the next look goes on."""
    files, log = FakeTrailFiles(), FakeServiceLog()
    files.log(NOON, [assumed(event_id="odd")])
    failing = [failure]

    def opened() -> tuple[FakeTrailFiles, FakeServiceLog]:
        if failing:
            raise failing.pop()
        return files, log

    watch = Watch(opened, PREFIX, lambda: NOON)
    for _ in range(3):
        watch.look_once()

    assert [each.message for each in caplog.records] == ["watch interrupted", "unknown session"]


def test_a_stopped_watch_looks_no_more() -> None:
    """Its thread ends when the process is told to."""
    looks: list[int] = []
    files, log = FakeTrailFiles(), FakeServiceLog()

    def opened() -> tuple[FakeTrailFiles, FakeServiceLog]:
        looks.append(1)
        watch.stop()
        return files, log

    watch = Watch(opened, PREFIX, lambda: NOON)
    watch.run(3600)

    assert looks == [1]
