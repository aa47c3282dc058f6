"""Shipping logs: every line arrives once, in calls that AWS takes, through restarts and failures."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from smas_emulator.cloudtrail.log_lines import LARGEST_LINE_BYTES, MOST_BYTES, MOST_LINES
from smas_emulator.log_shipper import Positions, Shipper, run

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
MILLISECONDS = int(NOW.timestamp() * 1000)


class MissingError(Exception):
    """No such stream."""


class _Exceptions:
    ResourceNotFoundException = MissingError


@dataclass
class FakeLogs:
    """CloudWatch Logs as it answers, holding every call to the limits that AWS documents."""

    streams: set[str] = field(default_factory=set)
    calls: list[list[dict[str, Any]]] = field(default_factory=list)
    failing: bool = False
    exceptions = _Exceptions

    @property
    def messages(self) -> list[str]:
        """All that arrived, in order."""
        return [event["message"] for call in self.calls for event in call]

    def create_log_stream(self, *, logGroupName: str, logStreamName: str) -> None:  # noqa: N803
        """A new stream."""
        assert logGroupName == "/smas/service"
        assert logStreamName not in self.streams
        self.streams.add(logStreamName)

    def put_log_events(self, *, logGroupName: str, logStreamName: str, logEvents: list[Any]) -> None:  # noqa: N803
        """Take a batch."""
        assert logGroupName == "/smas/service"
        if self.failing:
            raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "PutLogEvents")
        if logStreamName not in self.streams:
            raise MissingError
        times = [event["timestamp"] for event in logEvents]
        sizes = [len(event["message"].encode()) + 26 for event in logEvents]
        assert 1 <= len(logEvents) <= MOST_LINES
        assert sum(sizes) <= MOST_BYTES
        assert all(event["message"] for event in logEvents)
        assert times == sorted(times)
        assert times[-1] - times[0] < 24 * 3600 * 1000
        self.calls.append(logEvents)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A log that is still empty."""
    path = tmp_path / "service.log"
    path.touch()
    return path


def shipper(file: Path, logs: FakeLogs) -> Shipper:
    """A shipper as a new process makes it."""
    return Shipper(logs, file, "/smas/service", Positions(file.parent / "shipped.json"), lambda: NOW)


def write(file: Path, *lines: str) -> None:
    """Add lines to the log."""
    with file.open("a", encoding="utf-8") as log:
        log.writelines(f"{line}\n" for line in lines)


def line(number: int, moment: datetime = NOW) -> str:
    """A line as the service writes it."""
    return json.dumps({"message": f"line {number}", "time": moment.isoformat()})


def drain(one: Shipper) -> None:
    """Ship all there is."""
    while one.ship():
        pass


def test_lines_arrive_with_their_own_time(file: Path) -> None:
    """Each line as it is, at the time it tells; what tells none is as old as the line before it."""
    logs = FakeLogs()
    write(file, line(1), "Traceback", "", line(2, NOW + timedelta(seconds=1.5)))

    drain(shipper(file, logs))

    assert [(event["timestamp"] - MILLISECONDS, event["message"]) for event in logs.calls[0]] == [
        (0, line(1)),
        (0, "Traceback"),
        (1500, line(2, NOW + timedelta(seconds=1.5))),
    ]


def test_a_new_start_goes_on(file: Path) -> None:
    """Neither a gap nor a line twice, when the shipper, the service or the local AWS is started anew."""
    first = FakeLogs()
    write(file, line(1), line(2))
    drain(shipper(file, first))
    write(file, line(3))
    second = FakeLogs()

    drain(shipper(file, second))

    assert (first.messages, second.messages) == ([line(1), line(2)], [line(3)])


def test_what_did_not_arrive_is_shipped_again(file: Path) -> None:
    """An outage loses nothing, and what arrived before it does not come again."""
    logs = FakeLogs()
    one = shipper(file, logs)
    write(file, line(1))
    drain(one)
    write(file, line(2))
    logs.failing = True
    with pytest.raises(ClientError):
        one.ship()
    logs.failing = False

    drain(one)

    assert logs.messages == [line(1), line(2)]


def test_a_forgotten_stream_is_made_again(file: Path) -> None:
    """The local AWS forgets its streams when it is started anew behind the shipper's back."""
    logs = FakeLogs()
    one = shipper(file, logs)
    write(file, line(1))
    drain(one)
    logs.streams.clear()
    write(file, line(2))

    drain(one)

    assert logs.messages == [line(1), line(2)]


@pytest.mark.parametrize(
    "lines",
    [
        [str(number) for number in range(25_000)],
        ["x" * 100_000] * 30,
        ["", "x" * (LARGEST_LINE_BYTES + 1000), "after"],
        ["é" * LARGEST_LINE_BYTES, "after"],
        [line(day, NOW + timedelta(days=day)) for day in range(5)],
        [line(2, NOW + timedelta(seconds=2)), line(1, NOW)],
        ["", " ", ""],
    ],
    ids=["many", "large", "too-large", "too-large-in-utf-8", "over-days", "clock-set-back", "blank"],
)
def test_calls_are_such_as_are_taken(file: Path, lines: list[str]) -> None:
    """Whatever is in the log: no more lines, bytes or days a call than AWS takes; too long ones are cut."""
    logs = FakeLogs()
    write(file, *lines)

    drain(shipper(file, logs))

    wanted = [text for text in lines if text.strip()]
    assert len(logs.messages) >= len(wanted)
    joined = "".join(sorted(logs.messages))
    assert all(text[:1000] in joined for text in wanted)
    assert not shipper(file, logs).ship()


def test_positions_nobody_can_read_are_none(file: Path) -> None:
    """Then all is shipped again: rather twice than never."""
    logs = FakeLogs()
    write(file, line(1))
    (file.parent / "shipped.json").write_text("{", encoding="utf-8")

    drain(shipper(file, logs))

    assert logs.messages == [line(1)]


def test_the_last_lines_are_shipped_before_it_ends(file: Path) -> None:
    """Told to stop, it ships what the others wrote while they ended."""
    logs = FakeLogs()
    stopping = threading.Event()
    stopping.set()
    write(file, line(1))

    run([shipper(file, logs)], stopping)

    assert logs.messages == [line(1)]


def test_a_log_group_that_fails_holds_up_no_other(file: Path) -> None:
    """What goes to another group arrives all the same, and the shipper lives on."""
    failing, working = FakeLogs(failing=True), FakeLogs()
    stopping = threading.Event()
    stopping.set()
    write(file, line(1))
    other = file.parent / "other.log"
    write(other, line(2))

    run([shipper(file, failing), shipper(other, working)], stopping)

    assert (failing.messages, working.messages) == ([], [line(2)])
