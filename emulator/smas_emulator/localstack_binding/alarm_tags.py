"""CloudWatch in LocalStack: an alarm keeps the tags that it was made with."""
# LocalStack is not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import functools
from typing import Any

from localstack.services.cloudwatch.provider_v2 import CloudwatchProvider


def keep_tags_of_new_alarms() -> None:
    """Store the tags of PutMetricAlarm and PutCompositeAlarm, which LocalStack drops.

    "If you are using this operation to update an existing alarm, any tags you specify in this parameter are
    ignored" (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html).
    """
    for operation in ("put_metric_alarm", "put_composite_alarm"):
        _keep_tags(operation)


def _keep_tags(operation: str) -> None:
    original = getattr(CloudwatchProvider, operation)

    @functools.wraps(original)
    def put_alarm(provider: Any, context: Any, request: dict[str, Any]) -> Any:
        store = provider.get_store(context.account_id, context.region)
        before = set(store.alarms)
        answer = original(provider, context, request)
        for arn in set(store.alarms) - before:
            store.TAGS.tag_resource(arn, request.get("Tags") or [])
        return answer

    setattr(CloudwatchProvider, operation, put_alarm)
