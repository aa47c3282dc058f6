"""Provisions the log groups of service and worker, and the metric filters of `infra/metric-filters/`.

Terraform reads the same files, and those over log groups that only AWS has.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from smas_emulator import seed
from smas_emulator.errors import StackError

if TYPE_CHECKING:
    from pathlib import Path

# One of the numbers that CloudWatch Logs takes
# (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html).
RETENTION_DAYS = 365
GROUPS = {"service": seed.SERVICE_LOG_GROUP, "worker": seed.WORKER_LOG_GROUP}
# Nothing writes these here: the trail delivers to its bucket alone, and there is no API Gateway.
ON_AWS_ALONE = frozenset({"api_gateway", "trail"})


def provision_log_groups(logs: Any, metric_filters: Path) -> None:
    """Make sure that groups and filters exist as described.

    Raises `StackError` naming a file that does not describe a metric filter.
    """
    present = {
        group["logGroupName"]
        for page in logs.get_paginator("describe_log_groups").paginate()
        for group in page["logGroups"]
    }
    for name in GROUPS.values():
        if name not in present:
            logs.create_log_group(logGroupName=name)
        logs.put_retention_policy(logGroupName=name, retentionInDays=RETENTION_DAYS)
    for file in sorted(metric_filters.glob("*.json")):
        asked = metric_filter(file)
        if asked is not None:
            logs.put_metric_filter(**asked)


def metric_filter(file: Path) -> dict[str, Any] | None:
    """What PutMetricFilter is asked for one of the files, None for a log group that only AWS has.

    Raises `StackError`.
    """
    try:
        described = json.loads(file.read_text(encoding="utf-8"))
        if described["log_group"] in ON_AWS_ALONE:
            return None
        return {
            "filterName": described["name"],
            "logGroupName": GROUPS[described["log_group"]],
            "filterPattern": described["pattern"],
            "metricTransformations": [
                {
                    "metricNamespace": described["namespace"],
                    "metricName": described["metric"],
                    "metricValue": str(described["value"]),
                    "defaultValue": float(described["default"]),
                }
            ],
        }
    except (ValueError, TypeError, KeyError) as error:
        msg = f"{file} does not describe a metric filter: {error!r}."
        raise StackError(msg) from error
