"""Times: RFC 3339 is read with any offset, and written in one way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.times import age, parse_moment, parsed, written
from service.errors import ValidationFailed

HALF_PAST_NINE = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T09:30:00Z", HALF_PAST_NINE),
        ("2026-01-31t09:30:00z", HALF_PAST_NINE),
        ("2026-01-31T09:30:00+00:00", HALF_PAST_NINE),
        ("2026-01-31T09:30:00-00:00", HALF_PAST_NINE),
        ("2026-01-31T15:00:00+05:30", HALF_PAST_NINE),
        ("2026-01-30T21:30:00-12:00", HALF_PAST_NINE),
        ("2026-01-31T09:30:00.1Z", HALF_PAST_NINE),
        ("2026-01-31T09:30:00.999999999Z", HALF_PAST_NINE),
        ("2026-01-31T23:59:59Z", HALF_PAST_NINE.replace(hour=23, minute=59, second=59)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_time_of_rfc_3339_is_read_in_utc_and_whole_seconds(text: str, moment: datetime) -> None:
    """Any offset, any fraction, either case; fractions are cut, never rounded up."""
    assert parse_moment(text, "at") == moment


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2026", "2026-01-31", "20260131T093000Z", "1769851800"),
        *("2026-01-31T09:30:00", "2026-01-31 09:30:00Z", "2026-01-31T09:30Z", "2026-01-31T09Z"),
        *(
            "2026-01-31T09:30:00+0000",
            "2026-01-31T09:30:00+00",
            "2026-01-31T09:30:00 Z",
            "2026-01-31T09:30:00ZZ",
        ),
        *("2026-01-31T09:30:00,5Z", "2026-01-31T09:30:00.Z", "2026-W05-6T09:30:00Z", "2026-031T09:30:00Z"),
        *("2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z"),
        *("2026-01-31T24:00:00Z", "2026-01-31T25:00:00Z", "2026-01-31T09:60:00Z", "2026-01-31T09:30:61Z"),
        *("2026-01-31T09:30:00+24:00", "2026-01-31T09:30:00+23:60", "0000-01-01T00:00:00Z"),
        *(
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "02026-01-31T09:30:00Z",
            "-026-01-31T09:30:00Z",
        ),
        *("2026-01-31T09:30:00Z\n", " 2026-01-31T09:30:00Z", "\u0662026-01-31T09:30:00Z"),
    ],
)
def test_anything_else_is_refused_at_its_place(text: str) -> None:
    """No other format, no time without an offset, no day that never was, nothing outside UTC's years."""
    with pytest.raises(ValidationFailed) as refusal:
        parse_moment(text, "at")
    assert [fault.location for fault in refusal.value.errors] == ["at"]


def zones() -> st.SearchStrategy[timezone]:
    """Offsets of whole minutes."""
    return st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=zones()))
def test_what_is_written_is_read_back(moment: datetime) -> None:
    """Every moment is written in the contract's one form and read back, cut to whole seconds."""
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:
        return
    text = written(moment)
    whole = in_utc.replace(microsecond=0)
    assert (len(text), parsed(text), parse_moment(text, "at")) == (20, whole, whole)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (HALF_PAST_NINE.replace(microsecond=999_999), "2026-01-31T09:30:00Z"),
        (HALF_PAST_NINE.astimezone(timezone(timedelta(hours=14))), "2026-01-31T09:30:00Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
    ],
    ids=str,
)
def test_a_time_is_written_in_one_way(moment: datetime, text: str) -> None:
    """UTC, four digits of year, whole seconds rounded down, ``Z``."""
    assert written(moment) == text


@pytest.mark.parametrize(
    "text",
    [
        *("2026-1-31T9:30:0Z", "2026-01-31T09:30:00z", "2026-01-31T09:30:00+00:00", "2026-01-31T09:30:00.0Z"),
        *("\u0662026-01-31T09:30:00Z", "2026-01-31", ""),
    ],
)
def test_a_time_this_store_would_not_write_is_not_read_as_its_own(text: str) -> None:
    """A record written past the service is found out by its times, too."""
    with pytest.raises(ValueError, match=r"time"):
        parsed(text)


def test_the_age_of_a_time_is_counted_to_now() -> None:
    """Positive when it is past."""
    assert age("2026-01-31T09:29:00Z", HALF_PAST_NINE) == timedelta(minutes=1)
