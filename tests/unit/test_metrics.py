"""Metrics: whatever was measured, CloudWatch can take it out of the line, and the documentation names it."""

from __future__ import annotations

import contextvars
import io
import json
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import metrics
from service.logs import SafeJsonFormatter
from service.metrics import ALL, MOST_VALUES, NONE, Measurements
from tests import emf

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<unit>\w+) \| –(?:, `(?P<by>\w+)`)? \|", re.MULTILINE)
METRICS = st.sampled_from(ALL)
VALUES = st.one_of(st.integers(0, 1 << 62), st.floats(width=64))
DIMENSIONS = st.sampled_from(["Route", "Persona", "Function"])


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the service's own formatter makes of the metrics' own lines."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(SafeJsonFormatter())
    logger = logging.getLogger("service.metrics")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


@given(
    st.lists(st.tuples(METRICS, VALUES), max_size=300),
    st.lists(st.tuples(DIMENSIONS, st.none() | st.text(max_size=2000)), max_size=5),
)
def test_a_line_is_what_cloudwatch_takes(
    added: list[tuple[metrics.Metric, float]], described: list[tuple[Any, str | None]]
) -> None:
    """Whatever is measured, however often, and whatever a dimension is said to be."""
    measurements = Measurements()
    for dimension, text in described:
        measurements.describe(dimension, text)
    for metric, value in added:
        measurements.add(metric, value)
    line = measurements.taken()
    if line:
        emf.check(json.loads(SafeJsonFormatter().format(record(line))))
    assert measurements.taken() == {}


@given(st.lists(st.tuples(METRICS, st.integers(0, 1 << 40)), min_size=1, max_size=60))
def test_nothing_is_lost_or_counted_twice(added: list[tuple[metrics.Metric, int]]) -> None:
    """Counts and bytes are summed up, times are all there, across any number of lines."""
    measurements, told = Measurements(), []
    for number, (metric, value) in enumerate(added):
        measurements.add(metric, value)
        if number % 7 == 0:
            told.append(measurements.taken())
    told.append(measurements.taken())
    for metric in ALL:
        found = [emf.values(line)[metric.name] for line in told if line and metric.name in emf.values(line)]
        flat = [value for each in found for value in (each if isinstance(each, list) else [each])]
        wanted = [value for each, value in added if each == metric]
        assert sum(flat) == sum(wanted)
        assert metric.summed or flat == wanted


def test_of_many_times_the_first_are_kept() -> None:
    """A list in the format ends somewhere."""
    measurements = Measurements()
    for _ in range(MOST_VALUES + 5):
        measurements.add(metrics.LATENCY, 1.5)
    assert measurements.taken()["Latency"] == [1.5] * MOST_VALUES


def test_a_dimension_nobody_described_is_none() -> None:
    """CloudWatch drops a metric whose dimension has no text."""
    measurements = Measurements()
    measurements.add(metrics.DOWNLOAD_URLS)
    assert measurements.taken()["Persona"] == NONE
    measurements.describe("Persona", "compliance")
    measurements.add(metrics.DOWNLOAD_URLS)
    line = measurements.taken()
    assert line["Persona"] == "compliance"
    assert "Route" not in line


def test_without_anything_being_measured_nothing_is_kept() -> None:
    """What is added outside of a request is nobody's."""
    metrics.add(metrics.REQUESTS)
    assert metrics.taken() == {}


def test_what_no_line_took_gets_its_own(lines: io.StringIO) -> None:
    """At the end of the outermost block; a block within another measures into that one."""
    with metrics.measuring() as outer:
        metrics.add(metrics.SESSIONS_ASSUMED)
        with metrics.measuring() as inner:
            metrics.add(metrics.SESSIONS_ASSUMED)
        assert inner is outer
        assert lines.getvalue() == ""
    (line,) = map(json.loads, lines.getvalue().splitlines())
    emf.check(line)
    assert (line["message"], line["SessionsAssumed"]) == ("measured", 2)
    with metrics.measuring():
        metrics.add(metrics.SESSIONS_REUSED)
        assert metrics.taken()["SessionsReused"] == 1
    assert len(lines.getvalue().splitlines()) == 1
    assert metrics.taken() == {}


def test_a_block_that_fails_is_measured_too(lines: io.StringIO) -> None:
    """And leaves nothing to the next."""

    def fails() -> None:
        with metrics.measuring():
            metrics.add(metrics.EVENTS_UNSETTLED)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert json.loads(lines.getvalue())["EventsUnsettled"] == 1
    assert metrics.taken() == {}


def test_threads_measure_apart() -> None:
    """Each has a context of its own."""
    with metrics.measuring():
        metrics.add(metrics.REQUESTS)
        assert contextvars.Context().run(metrics.taken) == {}
        assert metrics.taken()["Requests"] == 1


def test_the_documentation_names_each_metric() -> None:
    """Its name, unit and dimension, in the order of the code, and none that there is not."""
    documented = [
        (row["name"], row["unit"], row["by"]) for row in ROW.finditer(DOCUMENT.read_text(encoding="utf-8"))
    ]
    assert documented == [(metric.name, metric.unit, metric.by) for metric in ALL]


def test_no_name_is_taken_by_a_metric_filter() -> None:
    """A metric would be counted twice."""
    folder = Path(__file__).parents[2] / "infra" / "metric-filters"
    filters = {json.loads(file.read_text(encoding="utf-8"))["metric"] for file in folder.glob("*.json")}
    assert not filters & {metric.name for metric in ALL}
    assert len({metric.name for metric in ALL}) == len(ALL)


def record(extra: dict[str, Any]) -> logging.LogRecord:
    """A record of the log that has ``extra``."""
    made = logging.LogRecord("service.request", logging.INFO, __file__, 1, "request", (), None)
    made.__dict__.update(extra)
    return made
