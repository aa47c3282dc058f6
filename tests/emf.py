"""What CloudWatch asks of a line whose metrics it is to take out.

Its own specification and limits, in our words:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
"""

from __future__ import annotations

import json
import time
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
Namespace = Annotated[str, Meta(min_length=1, max_length=255, pattern="^[0-9A-Za-z._/#:-]+$")]
DimensionSet = Annotated[list[Name], Meta(max_length=30)]
Size = Literal["Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes"]
Bits = Literal["Bits", "Kilobits", "Megabits", "Gigabits", "Terabits"]
Rate = Literal["Bytes/Second", "Bits/Second", "Count/Second"]  # and those of the larger units
Unit = Literal["Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "None"] | Size | Bits | Rate


class Definition(msgspec.Struct, forbid_unknown_fields=True):
    """A metric."""

    Name: Name
    Unit: Unit = "None"
    StorageResolution: Literal[1, 60] = 60


class Directive(msgspec.Struct, forbid_unknown_fields=True):
    """Metrics of the same dimensions."""

    Namespace: Namespace
    Dimensions: Annotated[list[DimensionSet], Meta(min_length=1)]
    Metrics: Annotated[list[Definition], Meta(min_length=1, max_length=100)]


class Metadata(msgspec.Struct, forbid_unknown_fields=True):
    """What CloudWatch reads first."""

    Timestamp: Annotated[int, Meta(ge=0)]
    CloudWatchMetrics: Annotated[list[Directive], Meta(min_length=1)]


_LARGEST: Final = 2.0**360
_TWO_WEEKS, _TWO_HOURS = 14 * 24 * 3600, 2 * 3600
_LARGEST_LINE: Final = 256 * 1024


def check(line: dict[str, Any]) -> None:
    """Fail unless CloudWatch would take every metric out of ``line``."""
    msgspec.convert(line["_aws"], Metadata)
    assert len(json.dumps(line, allow_nan=False).encode()) < _LARGEST_LINE
    assert -_TWO_WEEKS < line["_aws"]["Timestamp"] / 1000 - time.time() < _TWO_HOURS
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for name in (each["Name"] for each in directive["Metrics"]):
            values = line[name] if isinstance(line[name], list) else [line[name]]
            assert 1 <= len(values) <= 100
            assert all(type(value) in {int, float} and abs(value) <= _LARGEST for value in values), name
            for dimensions in directive["Dimensions"]:
                assert (name, tuple(dimensions)) not in seen, f"{name} would be counted twice"
                seen.add((name, tuple(dimensions)))
        for dimension in (each for some in directive["Dimensions"] for each in some):
            text = line[dimension]
            assert isinstance(text, str)
            assert 1 <= len(text) <= 1024
            assert text.isascii()
            assert text.isprintable()
            assert text.strip(" :")


def values(line: dict[str, Any]) -> dict[str, Any]:
    """The metrics that CloudWatch takes out of ``line``, by name."""
    return {
        each["Name"]: line[each["Name"]]
        for directive in line["_aws"]["CloudWatchMetrics"]
        for each in directive["Metrics"]
    }
