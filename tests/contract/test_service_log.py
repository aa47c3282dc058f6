"""The service's log: what every implementation promises, held over memory and over CloudWatch's own calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.audit.ports import Unread
from tests.fakes.audit import FakeServiceLog
from tests.fakes.logs import FakeLogs, refusal
from tests.unit.audit.test_events import refusal as refused

if TYPE_CHECKING:
    from service.audit.ports import ServiceLog

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Filled(Protocol):
    """Makes a log with refusals at seconds after noon, that reads only so much in its time."""

    def __call__(self, seconds: list[int], slowness: int) -> ServiceLog:
        """``slowness`` 0: it reads everything."""


def in_memory(seconds: list[int], slowness: int) -> ServiceLog:
    """The fake."""
    events = [refused(NOON + second * SECOND, f"{number:03}") for number, second in enumerate(seconds)]
    return FakeServiceLog(events, patience=60 // slowness * SECOND + SECOND if slowness else None)


def in_cloudwatch(seconds: list[int], slowness: int) -> ServiceLog:
    """The adapter, over a CloudWatch Logs whose calls take their time."""
    logs = FakeLogs(seconds=slowness / 4, page=2)
    for number, second in enumerate(seconds):
        logs.write(NOON + second * SECOND, **refusal(f"{number:03}"))
    return logs.log()


@pytest.mark.parametrize("filled", [in_memory, in_cloudwatch])
@given(st.lists(st.integers(0, 100), max_size=20), st.integers(0, 40), st.integers(1, 100))
def test_asked_again_it_tells_all_of_a_range_once(
    filled: Filled, seconds: list[int], slowness: int, length: int
) -> None:
    """Newest first, and however often its time is up in between, it gets on."""
    log = filled(seconds, slowness)
    start, end = NOON, NOON + length * SECOND
    found: list[tuple[datetime, str]] = []
    until: datetime | None = end
    while until is not None:
        told, until = list(log.refusals(start, until)), None
        for each in told:
            if isinstance(each, Unread):
                assert each is told[-1]
                assert start < each.before < end
                end = until = each.before
                assert not until.microsecond
            else:
                assert start <= each.time < end
                found.append((each.time, each.event_id))
    wanted = [(NOON + at * SECOND, f"{number:03}") for number, at in enumerate(seconds) if at < length]
    assert found == sorted(wanted, reverse=True)


@pytest.mark.parametrize("filled", [in_memory, in_cloudwatch])
def test_an_empty_range_holds_nothing(filled: Filled) -> None:
    """Nor does it ask for more time."""
    assert list(filled([0], 40).refusals(NOON, NOON)) == []
