"""An account with what CloudTrail needs of it, in memory, and a clock that goes when it is told to."""

from __future__ import annotations

import gzip
import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from smas_emulator.cloudtrail.control_plane import ControlPlane
from smas_emulator.cloudtrail.delivery import Delivery
from smas_emulator.cloudtrail.digests import SigningKeys
from smas_emulator.cloudtrail.event_store import EventStore
from smas_emulator.cloudtrail.statuses import Statuses
from smas_emulator.gateway.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ACCOUNT, REGION, BUCKET = "111122223333", "us-east-1", "trail-logs"
NOON = datetime(2026, 11, 24, 12, 0, 0, 250_000, tzinfo=UTC)
LOG_GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:trail:*"
LOG_ROLE = f"arn:aws:iam::{ACCOUNT}:role/trail-to-logs"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:deliveries"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/12345678"
_numbers = itertools.count(1)
Event = dict[str, Any]


class Clock:
    """Says what time it is."""

    def __init__(self, time: datetime = NOON) -> None:
        self.time = time

    def __call__(self) -> datetime:
        """The time."""
        return self.time

    def forward(self, **amount: float) -> None:
        """Let time pass; a negative amount sets the clock back."""
        self.time += timedelta(**amount)


@dataclass
class Buckets:
    """Buckets by name; `closed` ones have a policy that allows nothing, `broken` ones raise what is given."""

    names: set[str] = field(default_factory=lambda: {BUCKET, "other-logs"})
    closed: set[str] = field(default_factory=set)
    broken: dict[str, Exception] = field(default_factory=dict)
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    metadata: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    kms_keys: dict[tuple[str, str], str | None] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def exists(self, bucket: str) -> bool:
        """See `TrailBuckets`."""
        return bucket in self.names

    def allows(self, bucket: str, key: str, trail_arn: str) -> bool:
        """See `TrailBuckets`."""
        self.asked.append((bucket, key, trail_arn))
        return bucket not in self.closed

    def put(
        self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str], kms_key: str | None
    ) -> None:
        """See `TrailBuckets`."""
        if bucket not in self.names:
            raise AwsError("NoSuchBucket", bucket, 404)
        if bucket in self.broken:
            raise self.broken[bucket]
        assert (bucket, key) not in self.files, f"{key} was overwritten"
        self.files[bucket, key] = body
        self.metadata[bucket, key] = dict(metadata)
        self.kms_keys[bucket, key] = kms_key

    def keys(self, folder: str, bucket: str = BUCKET) -> list[str]:
        """The keys of log files (`/CloudTrail/`) or digests (`/CloudTrail-Digest/`), as delivered."""
        return [key for name, key in self.files if name == bucket and f"/{folder}/" in f"/{key}"]

    def events(self, bucket: str = BUCKET) -> list[Event]:
        """All events in the log files of a bucket, as delivered."""
        bodies = (self.files[bucket, key] for key in self.keys("CloudTrail", bucket))
        return [event for body in bodies for event in json.loads(gzip.decompress(body))["Records"]]

    def digests(self, bucket: str = BUCKET) -> list[dict[str, Any]]:
        """All digests of a bucket, as delivered."""
        keys = self.keys("CloudTrail-Digest", bucket)
        return [json.loads(gzip.decompress(self.files[bucket, key])) for key in keys]


class Keys:
    """One key, with an alias."""

    def resolve(self, key: str, region: str) -> str | None:
        """See `Keys`."""
        assert region
        return KEY if key in {KEY, "alias/trail", "12345678"} else None


@dataclass
class LogGroups:
    """One log group; `broken` is what it raises."""

    arns: set[str] = field(default_factory=lambda: {LOG_GROUP})
    broken: Exception | None = None
    calls: list[tuple[str, str, list[tuple[int, str]]]] = field(default_factory=list)

    def exists(self, log_group_arn: str) -> bool:
        """See `LogGroups`."""
        return log_group_arn in self.arns

    def put(self, log_group_arn: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
        """See `LogGroups`."""
        if self.broken is not None:
            raise self.broken
        self.calls.append((log_group_arn, stream, list(events)))

    def events(self) -> list[Event]:
        """All events that were written, in order."""
        return [json.loads(text) for _group, _stream, lines in self.calls for _time, text in lines]


@dataclass
class Topics:
    """One topic; `broken` is what it raises."""

    broken: Exception | None = None
    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def resolve(self, topic: str, account: str, region: str) -> str | None:
        """See `Topics`."""
        assert account
        assert region
        return TOPIC if topic in {TOPIC, "deliveries"} else None

    def publish(self, topic_arn: str, message: str) -> None:
        """See `Topics`."""
        if self.broken is not None:
            raise self.broken
        self.messages.append((topic_arn, json.loads(message)))


class Account:
    """CloudTrail over all that; what the API changes is used at once."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.buckets, self.topics = Clock(), Buckets(), Topics()
        self.log_groups, self.status = LogGroups(), Statuses()
        self.signing = SigningKeys(self.clock)
        self.store = EventStore(folder / "events.sqlite", self.clock)
        self.delivery = Delivery(
            self.buckets, self.log_groups, self.topics, self.signing, self.status, self.clock
        )
        self.api = ControlPlane(
            self.buckets,
            Keys(),
            self.log_groups,
            self.topics,
            self.signing,
            self.store,
            self.status,
            self.delivery.use,
            self.clock,
        )

    def call(
        self, operation: str, *, region: str = REGION, account: str = ACCOUNT, **request: Any
    ) -> dict[str, Any]:
        """The answer to one call."""
        return self.api.answer(operation, request, account, region)

    def trail(self, name: str = "audit", *, region: str = REGION, start: bool = True, **settings: Any) -> str:
        """The ARN of a new trail, which is on unless told otherwise."""
        arn = self.call("CreateTrail", region=region, Name=name, **{"S3BucketName": BUCKET, **settings})[
            "TrailARN"
        ]
        if start:
            self.call("StartLogging", region=region, Name=name)
        return str(arn)

    def happens(self, **members: Any) -> Event:
        """Something is done, now; the event of it."""
        record = event(time=self.clock.time, **members)
        self.delivery.take(record)
        return record


def event(*, time: datetime = NOON, **members: Any) -> Event:
    """A management event, a write; a data event of S3 when it has `key`."""
    number = next(_numbers)
    key = members.pop("key", None)
    record = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/smas-data-scientist/ds-fraud",
            "accessKeyId": "ASIAEXAMPLE",
        },
        "eventTime": f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "kms.amazonaws.com" if key is None else "s3.amazonaws.com",
        "eventName": "CreateKey" if key is None else "PutObject",
        "awsRegion": REGION,
        "requestParameters": {"number": number},
        "eventID": f"event-{number}",
        "readOnly": False,
        "managementEvent": key is None,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management" if key is None else "Data",
    }
    if key is not None:
        record["resources"] = [
            {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::models/{key}"},
            {"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::models", "accountId": ACCOUNT},
        ]
    return {**record, **members}


def ids(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ids of events."""
    return [str(each["eventID"]) for each in events]
