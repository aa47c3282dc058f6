"""Metrics that metric filters count in log events as they come in.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_MetricTransformation.html
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from smas_emulator.logs.errors import InvalidPatternError
from smas_emulator.logs.filter_patterns import matcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Counted:
    """One value of a metric, and the time of its log event in milliseconds since 1970."""

    namespace: str
    metric: str
    value: float
    milliseconds: int


def check_value(transformations: Iterable[Mapping[str, Any]]) -> None:
    """Raise `InvalidPatternError` for a value taken from the event (`$.size`), which is not supported."""
    for change in transformations:
        try:
            float(change["metricValue"])
        except ValueError:
            msg = f"a metric's value must be a number here, not {change['metricValue']!r}"
            raise InvalidPatternError(msg) from None


def counted(filters: Iterable[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]) -> list[Counted]:
    """What the `filters` of a log group count in `events` that came in together.

    Both are as the API has them. A filter that matches nothing reports its default value, if it has one, once
    at the last event's time (AWS: once a minute in which events come in).
    """
    found: list[Counted] = []
    for each in filters:
        matches = matcher(each.get("filterPattern") or "")
        matching = [event for event in events if matches(event["message"])]
        for change in each["metricTransformations"]:
            values = [(event, float(change["metricValue"])) for event in matching]
            default = change.get("defaultValue")
            if not values and default is not None and events:
                values = [(events[-1], float(default))]
            found += [
                Counted(change["metricNamespace"], change["metricName"], value, event["timestamp"])
                for event, value in values
            ]
    return found


def by_namespace(values: Iterable[Counted]) -> dict[str, list[Counted]]:
    """The same, as they are put into CloudWatch: a namespace at a time."""
    grouped: dict[str, list[Counted]] = defaultdict(list)
    for value in values:
        grouped[value.namespace].append(value)
    return dict(grouped)
