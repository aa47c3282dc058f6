"""Values as people write them on the command line: metadata, sizes, ages."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from smas.cli.output import printable
from smas.cli.sizes import duration_text, parse_age, parse_size, size_text
from smas.cli.times import parse_when
from smas.cli.transfer import read_metadata

from tests.client.site.fixtures import M

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.client.cli.conftest import Command

keys = st.text(st.characters(exclude_characters="=./\0", exclude_categories=["Cs"]), min_size=1, max_size=20)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)
)


@given(key=keys, value=values)
def test_json_values_are_taken_as_such(key: str, value: Any) -> None:
    """`key=<JSON>` is that value, whatever it is."""
    assert read_metadata((f"{key}={json.dumps(value)}",)) == {key: value}


@given(key=keys, text=st.text())
def test_anything_else_is_text(key: str, text: str) -> None:
    """Also with further equals signs, also what only looks like a number to Python."""
    try:
        json.loads(text)
    except ValueError:
        assert read_metadata((f"{key}={text}",)) == {key: text}


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_no_number_is_not_a_number(text: str) -> None:
    """The store takes no NaN: these stay the text that they are."""
    assert read_metadata((f"a={text}",)) == {"a": text}


@given(path=st.lists(keys, min_size=1, max_size=4), value=values)
def test_dots_nest(path: list[str], value: Any) -> None:
    """`a.b.c=v` is `{"a": {"b": {"c": v}}}`."""
    expected: Any = value
    for key in reversed(path):
        expected = {key: expected}
    assert read_metadata((f"{'.'.join(path)}={json.dumps(value)}",)) == expected


@given(first=keys, second=keys, values=st.tuples(st.integers(), st.integers()))
def test_siblings_are_kept_and_later_ones_win(first: str, second: str, values: tuple[int, int]) -> None:
    """Values gather under the same name; the same name twice is the last one."""
    assume(first != second)
    one, two = values
    assert read_metadata((f"m.{first}={one}", f"m.{second}={two}", f"m.{first}={two}")) == {
        "m": {first: two, second: two}
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.dictionaries(keys, values, max_size=3),
    after=st.dictionaries(keys, values, max_size=3),
)
def test_files_are_merged_in_order(tmp_path: Path, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Objects of both are merged, everything else of the later one replaces the earlier one's."""

    def merged(one: dict[str, Any], two: dict[str, Any]) -> dict[str, Any]:
        both = dict(one)
        for key, value in two.items():
            held = both.get(key)
            nested = isinstance(held, dict) and isinstance(value, dict)
            both[key] = merged(held, value) if isinstance(held, dict) and nested else value
        return both

    (tmp_path / "before.json").write_text(json.dumps(before), encoding="utf-8")
    (tmp_path / "after.json").write_text(json.dumps(after), encoding="utf-8")
    given_files = (str(tmp_path / "before.json"), str(tmp_path / "after.json"))
    assert read_metadata(given_files) == merged(before, after)


@pytest.mark.parametrize(
    ("given_values", "told"),
    [
        (("no-such-file.json",), "single values are written key=value"),
        (("=1",), "does not fit"),
        (("a..b=1",), "does not fit"),
        (("a=1", "a.b=2"), "does not fit"),
        (("list.json",), "must hold a JSON object"),
        (("broken.json",), "is no JSON"),
        (("nan.json",), "is no JSON"),
        (("latin.json",), "is no JSON"),
    ],
)
def test_what_cannot_be_metadata(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given_values: tuple[str, ...], told: str
) -> None:
    """Each is wrong usage that says why."""
    monkeypatch.chdir(tmp_path)
    Path("list.json").write_text("[1]")
    Path("broken.json").write_text("{")
    Path("nan.json").write_text('{"a": NaN}')
    Path("latin.json").write_bytes('{"a": "ä"}'.encode("latin-1"))
    with pytest.raises(click.BadParameter, match=told):
        read_metadata(given_values)


def test_metadata_arrives_at_the_store(smas: Command, files: Path, tmp_path: Path) -> None:
    """Files and values together, as the version's metadata; a number too large for JSON is refused."""
    (tmp_path / "m.json").write_text('{"framework": "sklearn", "metrics": {"auc": 0.9}}')
    pushed = smas.done(
        "push", files, M, "--metadata", tmp_path / "m.json", "--metadata", "metrics.f1=0.8", "--json"
    )
    assert pushed.json["version"]["metadata"] == {
        "framework": "sklearn",
        "metrics": {"auc": 0.9, "f1": 0.8},
    }
    smas.wire.sent.clear()
    refused = smas("push", files, M, "--metadata", "a=1e999")
    assert refused.code == 7
    assert smas.wire.sent == []


UNITS = {"": 1, "k": 10**3, "M": 10**6, "g": 10**9, "T": 10**12, "Ki": 2**10, "mi": 2**20, "Gi": 2**30}


@given(
    number=st.integers(0, 2**40),
    unit=st.sampled_from(sorted(UNITS)),
    ending=st.sampled_from(["", "B", "b"]),
    space=st.sampled_from(["", " "]),
)
def test_sizes_are_read(number: int, unit: str, ending: str, space: str) -> None:
    """Decimal units, binary ones with an i, in either case, with or without B."""
    assume(number * UNITS[unit] < 2**53)
    assert parse_size(f" {number}{space}{unit}{ending} ") == number * UNITS[unit]


@given(number=st.decimals(0, 9999, places=2), unit=st.sampled_from(sorted(UNITS)))
def test_sizes_may_have_a_fraction(number: Any, unit: str) -> None:
    """Up to what a float holds, rounded down to whole bytes."""
    exact = float(number) * UNITS[unit]
    assert parse_size(f"{number}{unit}") == math.floor(exact)


def _outcome(parse: Callable[[str], int], text: str) -> int | str:
    try:
        return parse(text)
    except ValueError as error:
        return str(error)


@given(text=st.text())
def test_what_is_no_size_or_age_is_refused(text: str) -> None:
    """Whatever is written, the answer is a number of bytes or seconds, or a ValueError that quotes it."""
    for parse, example in ((parse_size, "10M"), (parse_age, "30d")):
        said = _outcome(parse, text)
        assert isinstance(said, int) or (repr(text) in said and example in said)


@pytest.mark.parametrize("text", ["-1", "1.5.2", "10 MM", "M", "", "1e3", "٣", "10Kib/s", "1.", "0x10"])
def test_odd_sizes_are_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match="is no size"):
        parse_size(text)


@given(number=st.integers(0, 10**6), unit=st.sampled_from("smhdw"))
def test_ages_are_read(number: int, unit: str) -> None:
    """Seconds, minutes, hours, days, weeks."""
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}[unit]
    assert parse_age(f"{number}{unit}") == number * seconds


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("0s", "2026-11-24T12:00:00Z"),
        ("30m", "2026-11-24T11:30:00Z"),
        (" 12h ", "2026-11-24T00:00:00Z"),
        ("2d", "2026-11-22T12:00:00Z"),
        ("4w", "2026-10-27T12:00:00Z"),
        ("2026-11-01", "2026-11-01T00:00:00Z"),
        ("2024-02-29", "2024-02-29T00:00:00Z"),
        ("2026-11-01T13:14:15Z", "2026-11-01T13:14:15Z"),
        ("2026-11-01t13:14:15.999z", "2026-11-01T13:14:15Z"),
        ("2026-11-01 00:30:00+02:00", "2026-10-31T22:30:00Z"),
    ],
)
def test_times_are_read(text: str, moment: str) -> None:
    """So long ago, a day from its midnight, or RFC 3339 with any offset: all as the store takes them."""
    assert parse_when(text, lambda: NOON) == moment


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "-1d", "1.5h", "2 days", "1y", "٣d", "999999999999d", "20261101", "2026-W44-1"),
        *("2026-11-31", "2023-02-29", "11/01/2026", "2026-11-01T12:00:00", "2026-11-01T12:00Z"),
        *("2026-11-01T25:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"),
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    """Nothing is guessed, least of all somebody's time zone."""
    with pytest.raises(ValueError, match="is no time: write it like 2d, 12h"):
        parse_when(text, lambda: NOON)


@given(moment=st.datetimes(timezones=st.timezones()), text=st.text(max_size=30))
def test_every_time_can_be_written(moment: datetime, text: str) -> None:
    """Whatever time it is anywhere; and anything else is a time, too, or a ValueError."""
    assume(1 < moment.year < 9999 and moment.utcoffset() is not None)
    written = f"{moment.astimezone(UTC).replace(tzinfo=None):%Y-%m-%dT%H:%M:%S}".rjust(19, "0")
    assert parse_when(f"{written}Z", lambda: NOON) == f"{written}Z"
    with suppress(ValueError):
        assert datetime.fromisoformat(parse_when(text, lambda: NOON)).utcoffset() == timedelta()


@given(size=st.integers(0, 10**16))
def test_shown_sizes_are_near_the_truth(size: int) -> None:
    """What is shown, read again, differs by no more than its last digit."""
    shown = size_text(size).replace(" bytes", "")
    assert abs(parse_size(shown) - size) <= max(size * 0.051, 0)


@given(seconds=st.integers(0, 10**7))
def test_shown_durations_are_the_time(seconds: int) -> None:
    """Hours, minutes and seconds add up, two digits each after the first."""
    parts = duration_text(seconds).split(":")
    total = 0
    for part in parts:
        total = total * 60 + int(part)
    assert total == seconds
    assert len(parts) in {2, 3}
    assert all(len(part) == 2 for part in parts[1:])


@given(text=st.text())
def test_printable_text_steers_no_terminal(text: str) -> None:
    """No control, format or surrogate character is left, and what was printable stays as it is."""
    import unicodedata  # noqa: PLC0415

    shown = printable(text)
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs"}]
    assert printable(shown) == shown
    shown.encode()
