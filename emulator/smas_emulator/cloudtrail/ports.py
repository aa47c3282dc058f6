"""What CloudTrail needs of the rest of AWS; none of these calls may be recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class TrailBuckets(Protocol):
    """The buckets that trails write into."""

    def exists(self, bucket: str) -> bool:
        """Whether there is such a bucket."""
        ...

    def allows(self, bucket: str, key: str, trail_arn: str) -> bool:
        """Whether its policy lets CloudTrail look at it and write `key` on behalf of a trail."""
        ...

    def put(
        self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str], kms_key: str | None
    ) -> None:
        """Write a gzip file of JSON. Raises `AwsError`."""
        ...


class Keys(Protocol):
    """Encryption keys."""

    def resolve(self, key: str, region: str) -> str | None:
        """The ARN of a key given by id, alias or ARN; None for one that does not exist."""
        ...


class LogGroups(Protocol):
    """CloudWatch Logs."""

    def exists(self, log_group_arn: str) -> bool:
        """Whether there is such a log group."""
        ...

    def put(self, log_group_arn: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
        """Append `(milliseconds since 1970, text)`, oldest first. Raises `AwsError`."""
        ...


class Topics(Protocol):
    """SNS topics."""

    def resolve(self, topic: str, account: str, region: str) -> str | None:
        """The ARN of a topic given by name or ARN; None for one that does not exist."""
        ...

    def publish(self, topic_arn: str, message: str) -> None:
        """Tell that a log file was delivered. Raises `AwsError`."""
        ...
