"""CloudWatch Logs in LocalStack: filter patterns are evaluated, and metric filters count in their own group.

LocalStack's free edition lets every pattern match everything, and has a place for a better matcher.
"""
# LocalStack and moto are not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import functools
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from localstack.aws.api.logs import InvalidParameterException
from localstack.aws.connect import connect_to
from localstack.services.logs import provider
from localstack.services.moto import call_moto
from moto.logs.models import LogsBackend

from smas_emulator.logs.errors import InvalidPatternError
from smas_emulator.logs.filter_patterns import matcher
from smas_emulator.logs.metric_filters import by_namespace, check_value, counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LOG = logging.getLogger(__name__)
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
_MOST_VALUES = 1000
# Events live in memory: of each stream the newest are kept.
_MOST_EVENTS = 100_000


def evaluate_filter_patterns() -> None:
    """Let FilterLogEvents, subscription filters and metric filters match as in AWS."""
    provider.get_pattern_matcher = _matcher_of_events
    _search_all_streams_in_order()
    _check_and_replace_metric_filters()
    _store_and_count()


def _matcher_of_events(pattern: str) -> Callable[[str, Mapping[str, Any]], bool]:
    matches = _checked(pattern)
    return lambda _pattern, event: matches(event["message"])


def _checked(pattern: str | None) -> Callable[[str], bool]:
    try:
        return matcher(pattern or "")
    except InvalidPatternError as error:
        message = f"Invalid filter pattern: {error}"
        raise InvalidParameterException(message) from None


def _search_all_streams_in_order() -> None:
    """AWS no longer asks whether streams are to be interleaved: they are."""
    search = LogsBackend.filter_log_events

    @functools.wraps(search)
    def filter_log_events(backend: Any, *given: Any) -> Any:
        *others, pattern, _ = given
        _checked(pattern)
        interleaved = True
        return search(backend, *others, pattern, interleaved)

    LogsBackend.filter_log_events = filter_log_events


def _check_and_replace_metric_filters() -> None:
    """A filter of the same name and group is replaced, which moto would keep beside it."""
    put = LogsBackend.put_metric_filter

    @functools.wraps(put)
    def put_metric_filter(backend: Any, name: str, pattern: str, group: str, changes: Any) -> None:
        _checked(pattern)
        try:
            check_value(changes)
        except InvalidPatternError as error:
            raise InvalidParameterException(str(error)) from None
        backend.delete_metric_filter(name, group)
        put(backend, name, pattern, group, changes)

    LogsBackend.put_metric_filter = put_metric_filter


def _store_and_count() -> None:
    """LocalStack would let each metric filter count in all log groups, and keep all events for good."""
    original = provider.LogsProvider.put_log_events

    @functools.wraps(original)
    def put_log_events(
        _provider: Any, context: Any, log_group_name: str, log_stream_name: str, log_events: Any, **_: Any
    ) -> Any:
        answer = call_moto(context)
        backend = provider.get_moto_logs_backend(context.account_id, context.region)
        del backend.groups[log_group_name].streams[log_stream_name].events[:-_MOST_EVENTS]
        filters = backend.describe_metric_filters(log_group_name=log_group_name)
        if filters:
            _count(context, filters, log_events)
        return answer

    provider.LogsProvider.put_log_events = put_log_events


def _count(context: Any, filters: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]) -> None:
    try:
        client = connect_to(aws_access_key_id=context.account_id, region_name=context.region).cloudwatch
        for namespace, values in by_namespace(counted(filters, events)).items():
            data = [
                {
                    "MetricName": each.metric,
                    "Value": each.value,
                    "Timestamp": datetime.fromtimestamp(each.milliseconds / 1000, UTC),
                }
                for each in values
            ]
            for first in range(0, len(data), _MOST_VALUES):
                client.put_metric_data(Namespace=namespace, MetricData=data[first : first + _MOST_VALUES])
    except Exception:
        LOG.exception("metric filters did not count")  # the events are stored; that must be answered
