"""A call of PutLogEvents is never larger than CloudWatch Logs takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.cloudtrail import log_lines
from smas_emulator.cloudtrail.log_lines import (
    LARGEST_LINE_BYTES,
    LINE_OVERHEAD,
    LONGEST_SPAN_MILLISECONDS,
    MOST_BYTES,
    MOST_LINES,
    LogLines,
)

HOUR = 3_600_000


def calls(lines: LogLines) -> list[list[tuple[int, str]]]:
    """All calls, until nothing waits."""
    made = []
    while lines:
        made.append(lines.call())
        lines.sent(len(made[-1]))
    return made


def test_events_of_a_call() -> None:
    """10,000, and then another."""
    lines = LogLines()
    assert not any(lines.add(0, b"{}") for _ in range(MOST_LINES + 1))

    assert lines.enough
    assert [len(call) for call in calls(lines)] == [MOST_LINES, 1]


def test_bytes_of_a_call() -> None:
    """1 MiB, with 26 bytes for each event."""
    lines = LogLines()
    quarter = MOST_BYTES // 4 - LINE_OVERHEAD
    for size in (quarter, quarter, quarter, quarter, quarter, quarter, quarter, quarter - 1, 1):
        lines.add(0, b"x" * size)

    assert [len(call) for call in calls(lines)] == [4, 4, 1]


def test_span_of_a_call() -> None:
    """Less than a day from the first to the last."""
    lines = LogLines()
    for time in (0, LONGEST_SPAN_MILLISECONDS - 1, LONGEST_SPAN_MILLISECONDS):
        lines.add(time, b"{}")

    assert [len(call) for call in calls(lines)] == [2, 1]


def test_a_line() -> None:
    """256 KB with its 26 bytes."""
    lines = LogLines()

    assert (lines.add(0, b"x" * LARGEST_LINE_BYTES), len(lines)) == (0, 1)
    assert (lines.add(0, b"x" * (LARGEST_LINE_BYTES + 1)), len(lines)) == (1, 1)
    assert LARGEST_LINE_BYTES + LINE_OVERHEAD == 256 * 1024


def test_what_waits_is_bounded() -> None:
    """The oldest are given up, and counted."""
    lines = LogLines()
    lost = [lines.add(number, b"x" * LARGEST_LINE_BYTES) for number in range(34)]

    assert lost == [0] * 32 + [1] * 2
    assert [time for call in calls(lines) for time, _text in call] == list(range(2, 34))


@given(st.lists(st.tuples(st.integers(0, 60 * HOUR), st.integers(0, 300_000)), max_size=60))
def test_every_call_is_one_that_is_taken(given_lines: list[tuple[int, int]]) -> None:
    """However the clock jumps: in order of time, within a day, within the sizes; nothing is lost but told."""
    lines, lost = LogLines(), 0
    for time, size in given_lines:
        lost += lines.add(time, b"x" * size)
    made = calls(lines)

    assert sum(map(len, made)) == len(given_lines) - lost
    for call in made:
        times = [time for time, _text in call]
        assert times == sorted(times)
        assert times[-1] - times[0] < LONGEST_SPAN_MILLISECONDS
        assert sum(len(text) + LINE_OVERHEAD for _time, text in call) <= MOST_BYTES
        assert 0 < len(call) <= MOST_LINES
    waited = sum(len(text) + LINE_OVERHEAD for call in made for _time, text in call)
    assert waited <= log_lines.MOST_WAITING_BYTES
