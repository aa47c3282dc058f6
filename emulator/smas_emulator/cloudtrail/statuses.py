"""How delivery has gone for each trail, as GetTrailStatus tells it."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from smas_emulator.cloudtrail.trails import Trail

# What is delivered, by the name it has in the status.
LOGS, NOTIFICATION, LOG_GROUP, DIGEST = "", "Notification", "CloudWatchLogs", "Digest"


class Statuses:
    """Latest successes and errors by trail; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._succeeded: dict[tuple[str, str], datetime] = {}
        self._attempted: dict[tuple[str, str], datetime] = {}
        self._errors: dict[tuple[str, str], str] = defaultdict(str)

    def succeeded(self, trail: Trail, what: str, time: datetime) -> None:
        """A delivery went well."""
        with self._lock:
            self._attempted[trail.arn, what] = self._succeeded[trail.arn, what] = time
            self._errors.pop((trail.arn, what), None)

    def failed(self, trail: Trail, what: str, time: datetime, error: str) -> None:
        """A delivery failed; `error` is the code of S3, SNS or CloudWatch Logs."""
        with self._lock:
            self._attempted[trail.arn, what] = time
            self._errors[trail.arn, what] = error

    def forget(self, trail: Trail) -> None:
        """The trail is gone."""
        with self._lock:
            for table in (self._succeeded, self._attempted, self._errors):
                for what in (LOGS, NOTIFICATION, LOG_GROUP, DIGEST):
                    table.pop((trail.arn, what), None)

    def described(self, trail: Trail) -> dict[str, Any]:
        """The members of GetTrailStatus's answer; what never happened is left out."""
        with self._lock:
            status: dict[str, Any] = {
                "IsLogging": trail.logging,
                "StartLoggingTime": trail.started,
                "StopLoggingTime": trail.stopped,
                "TimeLoggingStarted": _written(trail.started),
                "TimeLoggingStopped": _written(trail.stopped),
                "LatestDeliveryAttemptTime": _written(self._attempted.get((trail.arn, LOGS))),
                "LatestDeliveryAttemptSucceeded": _written(self._succeeded.get((trail.arn, LOGS))),
                "LatestNotificationAttemptTime": _written(self._attempted.get((trail.arn, NOTIFICATION))),
                "LatestNotificationAttemptSucceeded": _written(
                    self._succeeded.get((trail.arn, NOTIFICATION))
                ),
            }
            for what, prefix in (
                (LOGS, "LatestDelivery"),
                (NOTIFICATION, "LatestNotification"),
                (LOG_GROUP, "LatestCloudWatchLogsDelivery"),
                (DIGEST, "LatestDigestDelivery"),
            ):
                status[f"{prefix}Time"] = self._succeeded.get((trail.arn, what))
                status[f"{prefix}Error"] = self._errors.get((trail.arn, what))
        return {name: value for name, value in status.items() if value is not None}


def _written(time: datetime | None) -> str:
    return "" if time is None else f"{time:%Y-%m-%dT%H:%M:%SZ}"
