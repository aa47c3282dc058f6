"""Log files: which are looked into, and how what is in them is read."""

from __future__ import annotations

import gzip
import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.audit import log_files
from service.audit.log_files import (
    DELIVERED_WITHIN,
    LATEST_DELIVERY,
    UnreadableLogFile,
    delivered,
    named,
    records,
    records_in,
)
from tests.fakes.audit import IDENTITY, FakeTrailFiles
from tests.fakes.trail_records import s3_record

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTES = st.lists(st.integers(0, 60 * 24 * 90), max_size=30).map(
    lambda minutes: [NOON - timedelta(minutes=minute) for minute in minutes]
)


def holding(minutes: Sequence[datetime]) -> FakeTrailFiles:
    """A trail with an empty file delivered at each of the minutes."""
    files = FakeTrailFiles()
    for minute in minutes:
        files.log(minute, [])
    return files


@given(MINUTES, st.integers(0, 60 * 24 * 90), st.integers(1, 60 * 24 * 5))
def test_the_files_that_may_hold_a_range_newest_first(minutes: list[datetime], back: int, long: int) -> None:
    """Those delivered from its start until a day after its end, in the order of delivery."""
    files, start = holding(minutes), NOON - timedelta(minutes=back)
    end = start + timedelta(minutes=long)
    found = list(delivered(files, start, end))
    wanted = [minute for minute in minutes if start - DELIVERED_WITHIN < minute < end + LATEST_DELIVERY]
    assert [file.delivered for file in found] == sorted(wanted, reverse=True)
    assert [file.key for file in found] == sorted((file.key for file in found), reverse=True)
    assert all(file.key in files.bodies and named(IDENTITY, file.name) == file for file in found)


@given(MINUTES, st.data())
def test_on_from_a_file(minutes: list[datetime], data: st.DataObject) -> None:
    """What is newer than `upto` is left out, and nothing else."""
    files = holding(minutes)
    every = list(delivered(files, NOON - timedelta(days=100), NOON))
    if every:
        place = data.draw(st.integers(0, len(every) - 1))
        assert list(delivered(files, NOON - timedelta(days=100), NOON, upto=every[place])) == every[place:]


def test_a_busy_day_is_listed_by_the_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """More files than a list's page holds: the order stays, and only an hour's keys are held."""
    monkeypatch.setattr(log_files, "_PAGE", 3)
    minutes = [NOON - timedelta(minutes=7 * number) for number in range(100)]
    found = list(delivered(holding(minutes), NOON - timedelta(days=1), NOON))
    assert [file.delivered for file in found] == minutes


def test_days_without_a_file_are_passed_over() -> None:
    """A trail that slept for years is found again in a few lists."""
    files = holding([NOON, NOON - timedelta(days=2_000), NOON - timedelta(days=2_001)])
    assert len(list(delivered(files, NOON - timedelta(days=3_000), NOON))) == 3
    assert len(files.lists) < 150


def test_other_keys_are_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    """What has no log file's name is no log file, and the log says that it lies there."""
    files = holding([NOON])
    key = next(iter(files.bodies))
    for odd in (key.replace(".json.gz", ".txt"), f"{key}.bak", key.replace("20261124T", "20261324T")):
        files.bodies[odd] = b""
    assert [file.key for file in delivered(files, NOON - timedelta(days=1), NOON)] == [key]
    assert "no log file's name" in caplog.text


@pytest.mark.parametrize("name", ["", "20261124T1200Z_", "20261324T1200Z_a", "20261124T1200Z_a/b", "x_a"])
def test_names_that_no_log_file_has(name: str) -> None:
    """A cursor that was made up leads nowhere."""
    assert named(IDENTITY, name) is None


def test_records_are_read_with_what_is_needed_of_them() -> None:
    """Unknown members are passed over, missing ones are None."""
    bare = {"eventID": "b", "eventTime": "2026-11-24T12:00:00Z", "eventSource": "x", "eventName": "y"}
    text = json.dumps({"Records": [s3_record(NOON, "a", "k"), bare], "more": 1})
    full, minimal = records(gzip.compress(text.encode()))
    assert (full.event_id, full.time, full.parameters["key"]) == ("a", NOON, "k")
    assert (minimal.event_id, minimal.user_identity, minimal.parameters) == ("b", None, {})


@pytest.mark.parametrize(
    "odd",
    [
        {"eventID": None},
        {"eventTime": "yesterday"},
        {"eventID": "x" * 129},
        {"eventSource": 7},
    ],
)
def test_an_odd_record_does_not_hide_the_others(
    odd: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    """It is left out, and the log says so."""
    text = json.dumps(
        {"Records": [s3_record(NOON, "a"), {**s3_record(NOON, "b"), **odd}, s3_record(NOON, "c")]}
    )
    assert [record.event_id for record in records_in(text.encode())] == ["a", "c"]
    assert "unreadable record" in caplog.text


def test_half_a_surrogate_pair_hides_nothing() -> None:
    """A key may hold one; a strict JSON reader would refuse the whole file."""
    text = json.dumps({"Records": [s3_record(NOON, "a", "blobs/\ud800"), s3_record(NOON, "b", "cards/x")]})
    assert [record.event_id for record in records_in(text.encode())] == ["a", "b"]
    assert [record.event_id for record in records_in(text.encode().replace(b"cards", b"\xff"))] == ["a", "b"]


def test_a_file_in_two_members() -> None:
    """Gzip allows it."""
    text = json.dumps({"Records": [s3_record(NOON, "a")]}).encode()
    assert len(records(gzip.compress(text[:50]) + gzip.compress(text[50:]))) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain",
        gzip.compress(b"", mtime=0),
        gzip.compress(b"no JSON", mtime=0),
        gzip.compress(b"[]", mtime=0),
        gzip.compress(b'{"Records": {}}', mtime=0),
        gzip.compress(b'{"Records": null}', mtime=0),
        gzip.compress(b"[" * 100_000, mtime=0),
        gzip.compress(b'{"Records": []}', mtime=0)[:-1],
        gzip.compress(b'{"Records": []}', mtime=0) + b"rest",
        zlib.compress(b'{"Records": []}'),
    ],
)
def test_what_is_no_log_file_is_said(data: bytes) -> None:
    """Rather than taken for a file without records."""
    with pytest.raises(UnreadableLogFile):
        records(data)


def test_a_file_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever lies in the bucket must not fill the memory."""
    monkeypatch.setattr(log_files, "MAX_TEXT_BYTES", 1_000)
    with pytest.raises(UnreadableLogFile, match="more than"):
        records(gzip.compress(b" " * 1_001))


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    """Nothing but `UnreadableLogFile` comes of any bytes, compressed or not."""
    for stored in (data, gzip.compress(data)):
        with pytest.raises(UnreadableLogFile):
            records(stored)
