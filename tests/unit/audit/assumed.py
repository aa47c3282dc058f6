"""AssumeRole as CloudTrail records it, and the line the service wrote before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from service.domain.audit import AnnouncedSession
from tests.fakes.audit import ACCOUNT

PREFIX = f"arn:aws:iam::{ACCOUNT}:role/smas-"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
_numbers = count(1)


def assumed(
    time: datetime = NOON,
    *,
    role: str = "data-scientist",
    jti: str | None = "a-token",
    subject: str | None = "sub-of-ds-fraud",
    team: str | None = "fraud",
    error: str | None = None,
    event_id: str | None = None,
) -> dict[str, Any]:
    """A record of AssumeRole (https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html)."""
    tags = [
        {"key": key, "value": value} for key, value in (("jti", jti), ("team", team)) if value is not None
    ]
    asked = {"roleArn": f"{PREFIX}{role}", "roleSessionName": "ds-fraud", "tags": tags}
    if subject is not None:
        asked["sourceIdentity"] = subject
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/smas-service/smas-service",
        },
        "eventTime": f"{time:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRole",
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "Boto3",
        "requestParameters": asked,
        "eventID": event_id or f"event-{next(_numbers):08}",
        **({"errorCode": error} if error else {}),
    }


def announced(time: datetime = NOON, **changed: Any) -> AnnouncedSession:
    """The line that belongs to ``assumed``."""
    line = {"role": "data-scientist", "token_id": "a-token", "subject": "sub-of-ds-fraud", "team": "fraud"}
    return AnnouncedSession(time, **{**line, **changed})
