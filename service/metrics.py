"""Metrics in CloudWatch's embedded format, inside lines that the log has anyway.

What a request or an event comes to is added up while it is under way, and written with its line. What each
metric tells is in docs/metrics.md. The format:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)

NAMESPACE: Final = "SMAS"
Dimension = Literal["Route", "Persona", "Function"]
Unit = Literal["Count", "Bytes", "Milliseconds", "Seconds"]
# Of a dimension that says nothing this time: CloudWatch wants a text.
NONE: Final = "none"
# A metric's values in one line, a dimension's text, and a value.
MOST_VALUES: Final = 100
LONGEST_DIMENSION: Final = 1024
LARGEST: Final = 2.0**360


class Metric(msgspec.Struct, frozen=True):
    """A metric without dimensions and, beside that, one for each value of the dimension ``by``.

    Counts and bytes are summed up in a line; of times each is kept.
    """

    name: str
    unit: Unit = "Count"
    by: Dimension | None = None

    @property
    def summed(self) -> bool:
        """Whether a line holds the sum of what was added."""
        return self.unit in {"Count", "Bytes"}


REQUESTS: Final = Metric("Requests", by="Route")
LATENCY: Final = Metric("Latency", "Milliseconds", by="Route")
CLIENT_ERRORS: Final = Metric("ClientErrors", by="Route")
SERVER_ERRORS: Final = Metric("ServerErrors", by="Route")
THROTTLED: Final = Metric("Throttled", by="Route")
REFUSED_BY_SERVICE: Final = Metric("RefusedByService", by="Route")
REFUSED_BY_AWS: Final = Metric("RefusedByAws", by="Route")
DOWNLOAD_URLS: Final = Metric("DownloadUrls", by="Persona")
DOWNLOAD_BYTES: Final = Metric("DownloadBytes", "Bytes", by="Persona")
UPLOADS_BEGUN: Final = Metric("UploadsBegun")
UPLOAD_BYTES_BEGUN: Final = Metric("UploadBytesBegun", "Bytes")
UPLOADS_COMPLETED: Final = Metric("UploadsCompleted")
UPLOAD_BYTES_COMPLETED: Final = Metric("UploadBytesCompleted", "Bytes")
VERSIONS_PUBLISHED: Final = Metric("VersionsPublished")
SESSIONS_ASSUMED: Final = Metric("SessionsAssumed")
SESSIONS_REUSED: Final = Metric("SessionsReused")
COLD_STARTS: Final = Metric("ColdStarts", by="Function")
BLOBS_VERIFIED: Final = Metric("BlobsVerified")
BLOBS_QUARANTINED: Final = Metric("BlobsQuarantined")
VERIFIED_BYTES: Final = Metric("VerifiedBytes", "Bytes")
VERSIONS_AVAILABLE: Final = Metric("VersionsAvailable")
VERSIONS_REJECTED: Final = Metric("VersionsRejected")
VERIFICATION_TIME: Final = Metric("VerificationTime", "Milliseconds")
EVENT_AGE: Final = Metric("EventAge", "Seconds")
EVENTS_UNSETTLED: Final = Metric("EventsUnsettled")

ALL: Final = tuple(each for each in tuple(globals().values()) if isinstance(each, Metric))


class Measurements:
    """What was measured since the last line was written; of one thread, like all of a request."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._values: dict[Metric, list[float]] = {}
        self._dimensions: dict[Dimension, str] = {}

    def add(self, metric: Metric, value: float = 1) -> None:
        """Add to a metric. What is no number CloudWatch accepts is left out: no request fails for that."""
        values = self._values.get(metric, [])
        kept = [sum(values) + value] if metric.summed else [*values, value][:MOST_VALUES]
        if all(abs(each) <= LARGEST for each in kept):
            self._values[metric] = kept

    def describe(self, dimension: Dimension, value: str | None) -> None:
        """Say what a dimension is; it stays so for the lines that follow."""
        text = "".join(each if each.isascii() and each.isprintable() else "?" for each in value or "")
        self._dimensions[dimension] = text.strip(" :")[:LONGEST_DIMENSION].rstrip() or NONE

    def taken(self) -> dict[str, Any]:
        """The members of a line that hold all of it, none if there is nothing; it is written only once."""
        values, self._values = self._values, {}
        if not values:
            return {}
        return {
            "_aws": {"Timestamp": int(self._clock() * 1000), "CloudWatchMetrics": _directives(tuple(values))},
            **{each: self._dimensions.get(each, NONE) for each in _dimensions(values)},
            **{metric.name: found[0] if len(found) == 1 else found for metric, found in values.items()},
        }


def _dimensions(metrics: dict[Metric, list[float]]) -> list[Dimension]:
    return list(dict.fromkeys(metric.by for metric in metrics if metric.by))


@lru_cache
def _directives(metrics: tuple[Metric, ...]) -> list[dict[str, Any]]:
    """What CloudWatch is to make of the values: a directive for metrics of the same dimension."""
    of: dict[Dimension | None, list[Metric]] = {}
    for metric in metrics:
        of.setdefault(metric.by, []).append(metric)
    return [
        {
            "Namespace": NAMESPACE,
            "Dimensions": [[], [by]] if by else [[]],
            "Metrics": [{"Name": metric.name, "Unit": metric.unit} for metric in same],
        }
        for by, same in of.items()
    ]


_current: ContextVar[Measurements | None] = ContextVar("measurements", default=None)


def add(metric: Metric, value: float = 1) -> None:
    """Add to what is being measured, if something is."""
    measurements = _current.get()
    if measurements is not None:
        measurements.add(metric, value)


def taken() -> dict[str, Any]:
    """The members of a line with all that was measured since the last one."""
    measurements = _current.get()
    return measurements.taken() if measurements is not None else {}


@contextmanager
def measuring() -> Iterator[Measurements]:
    """Measure what the block does; in a block within another one, both measure into the outer one's.

    What none of its lines took is written in one of its own at the end.
    """
    outer = _current.get()
    if outer is not None:
        yield outer
        return
    measurements = Measurements()
    token = _current.set(measurements)
    try:
        yield measurements
    finally:
        _current.reset(token)
        left = measurements.taken()
        if left:
            log.info("measured", extra=left)
