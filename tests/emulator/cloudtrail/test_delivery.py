"""What happened is in the log files of the trails that want it: once, in order, in the right place."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from smas_emulator.cloudtrail import delivery as delivery_module
from smas_emulator.cloudtrail import log_files
from smas_emulator.gateway.errors import AwsError

from tests.emulator.cloudtrail.account import (
    ACCOUNT,
    BUCKET,
    KEY,
    LOG_GROUP,
    LOG_ROLE,
    NOON,
    REGION,
    TOPIC,
    ids,
)

if TYPE_CHECKING:
    from tests.emulator.cloudtrail.account import Account

LOGS: dict[str, Any] = {"CloudWatchLogsLogGroupArn": LOG_GROUP, "CloudWatchLogsRoleArn": LOG_ROLE}
DENIED = AwsError("AccessDenied", "Access Denied", 403)


def status(account: Account, name: str = "audit") -> dict[str, Any]:
    """The answer to GetTrailStatus."""
    return account.call("GetTrailStatus", Name=name)


def test_a_log_file(account: Account) -> None:
    """Has AWS's key, is gzip, holds `Records` as they came, and is encrypted with the trail's key."""
    account.trail(S3KeyPrefix="audit/logs", KmsKeyId=KEY)
    events = [account.happens(userAgent="Ω"), account.happens()]
    account.clock.forward(minutes=2)
    assert account.delivery.deliver() is True

    [key] = account.buckets.keys("CloudTrail")
    name = rf"{ACCOUNT}_CloudTrail_{REGION}_20261124T1202Z_[A-Za-z0-9]{{16}}\.json\.gz"
    assert re.fullmatch(f"audit/logs/AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/11/24/{name}", key)
    text = gzip.decompress(account.buckets.files[BUCKET, key])
    assert json.loads(text) == {"Records": events}
    assert "Ω".encode() in text
    assert account.buckets.kms_keys[BUCKET, key] == KEY
    assert account.buckets.metadata[BUCKET, key] == {}
    assert status(account)["LatestDeliveryTime"] == NOON + timedelta(minutes=2)
    assert account.delivery.delivered == {"events": 2, "log_files": 1, "digests": 0}


def test_nothing_happened(account: Account) -> None:
    """No file says so."""
    account.trail()

    assert account.delivery.deliver() is True
    assert account.buckets.files == {}


def test_a_full_file_is_closed(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next event begins another; none is lost or split."""
    monkeypatch.setattr(log_files, "FULL_BYTES", 2_000)
    account.trail()
    events = [account.happens() for _ in range(20)]
    account.delivery.deliver()

    bodies = [
        gzip.decompress(account.buckets.files[BUCKET, key]) for key in account.buckets.keys("CloudTrail")
    ]
    assert ids(account.buckets.events()) == ids(events)
    assert len(bodies) > 1
    largest = max(len(json.dumps(event)) for event in events)
    assert all(len(body) < 2_000 + largest + 10 for body in bodies)
    assert all(len(body) >= 2_000 for body in bodies[:-1])


def test_trails_and_regions(account: Account) -> None:
    """Each trail has its own files, each region its own folder."""
    account.trail("wide", IsMultiRegionTrail=True)
    account.trail("narrow", S3BucketName="other-logs")
    account.trail("off", start=False)
    home, abroad = account.happens(), account.happens(awsRegion="eu-west-1")
    account.delivery.deliver()

    assert sorted(ids(account.buckets.events())) == sorted(ids([home, abroad]))
    assert ids(account.buckets.events("other-logs")) == ids([home])
    assert [key.split("/")[3] for key in account.buckets.keys("CloudTrail")] == [REGION, "eu-west-1"]


def test_off_and_on(account: Account) -> None:
    """What happens while a trail is off is in no file; what happened before is."""
    account.trail()
    first = account.happens()
    account.call("StopLogging", Name="audit")
    account.happens()
    account.call("StartLogging", Name="audit")
    second = account.happens()
    account.delivery.deliver()

    assert ids(account.buckets.events()) == ids([first, second])


def test_another_place_midway(account: Account) -> None:
    """An event is where the trail was set to put it when it happened."""
    account.trail()
    first = account.happens()
    account.call("UpdateTrail", Name="audit", S3KeyPrefix="new")
    second = account.happens()
    account.call("UpdateTrail", Name="audit", S3BucketName="other-logs")
    third = account.happens()
    account.delivery.deliver()

    assert ids(account.buckets.events()) == ids([first, second])
    assert [key.split("/")[0] for key in account.buckets.keys("CloudTrail")] == ["AWSLogs", "new"]
    assert ids(account.buckets.events("other-logs")) == ids([third])


def test_selectors_midway(account: Account) -> None:
    """New selectors count from when they are put."""
    account.trail()
    write = account.happens()
    account.call("PutEventSelectors", TrailName="audit", EventSelectors=[{"ReadWriteType": "ReadOnly"}])
    account.happens()
    read = account.happens(readOnly=True)
    account.delivery.deliver()

    assert ids(account.buckets.events()) == ids([write, read])


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (AwsError("SlowDown", "Reduce", 503), "SlowDown"),
        (OSError("disk full"), "OSError"),
        (None, "AccessDenied"),
    ],
)
def test_a_bucket_that_takes_nothing(account: Account, fault: Exception | None, code: str) -> None:
    """Is tried again; the status and the counters tell of it, other trails go on, nothing is lost."""
    account.trail()
    account.trail("other", S3BucketName="other-logs")
    if fault is None:
        account.buckets.closed.add(BUCKET)
    else:
        account.buckets.broken[BUCKET] = fault
    first = account.happens()
    assert account.delivery.deliver() is False
    second = account.happens()
    account.clock.forward(minutes=1)
    assert account.delivery.deliver() is False

    assert status(account)["LatestDeliveryError"] == code
    assert status(account)["LatestDeliveryAttemptTime"] == "2026-11-24T12:01:00Z"
    assert status(account)["LatestDeliveryAttemptSucceeded"] == ""
    assert account.delivery.faults["delivering"] == 2
    assert ids(account.buckets.events("other-logs")) == ids([first, second])
    assert "LatestDeliveryError" not in status(account, "other")

    account.buckets.broken.clear()
    account.buckets.closed.clear()
    assert account.delivery.deliver() is True
    assert ids(account.buckets.events()) == ids([first, second])
    assert "LatestDeliveryError" not in status(account)
    assert account.delivery.faults["lost_events"] == 0


def test_what_waits_is_bounded(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the oldest files are given up, and their events counted."""
    account.trail()
    account.buckets.broken[BUCKET] = DENIED
    monkeypatch.setattr(delivery_module, "MOST_WAITING_BYTES", 2_000)
    events = []
    for _ in range(20):
        events += [account.happens(), account.happens()]
        account.delivery.deliver()
    account.buckets.broken.clear()
    account.delivery.deliver()

    kept = account.buckets.events()
    assert ids(kept) == ids(events[-len(kept) :])
    assert 0 < len(kept) < len(events)
    assert account.delivery.faults["lost_events"] == len(events) - len(kept)
    waited = sum(len(account.buckets.files[BUCKET, key]) for key in account.buckets.keys("CloudTrail"))
    assert 1_000 < waited <= 2_000


def test_a_trail_that_was_stopped_still_gets_what_it_is_owed(account: Account) -> None:
    """Once its bucket takes files again; also when the trail was turned on again meanwhile."""
    account.trail(EnableLogFileValidation=True)
    account.buckets.broken[BUCKET] = DENIED
    first = account.happens()
    account.call("StopLogging", Name="audit")
    account.clock.forward(minutes=1)
    assert account.delivery.deliver() is False
    account.call("StartLogging", Name="audit")
    second = account.happens()
    account.buckets.broken.clear()
    assert account.delivery.sign() is True

    assert ids(account.buckets.events()) == ids([first, second])
    named = [log["s3Object"] for digest in account.buckets.digests() for log in digest["logFiles"]]
    assert named == account.buckets.keys("CloudTrail")
    assert account.delivery.faults["lost_events"] == 0


def test_a_trail_that_was_deleted_gives_up(account: Account) -> None:
    """As in AWS: nothing is tried again for a trail that is gone, but what is lost is counted."""
    account.trail(EnableLogFileValidation=True)
    account.buckets.broken[BUCKET] = DENIED
    account.happens()
    account.call("DeleteTrail", Name="audit")
    account.clock.forward(minutes=1)
    account.delivery.deliver()

    assert account.delivery.faults["lost_events"] == 1
    assert account.delivery.deliver() is True
    account.trail()
    assert "LatestDeliveryError" not in status(account)


def test_a_trail_that_was_stopped_and_then_deleted_gives_up_as_well(account: Account) -> None:
    """Though it waited until then."""
    account.trail()
    account.buckets.broken[BUCKET] = DENIED
    account.happens()
    account.call("StopLogging", Name="audit")
    account.clock.forward(minutes=1)
    assert account.delivery.deliver() is False
    account.call("DeleteTrail", Name="audit")

    account.delivery.deliver()
    assert account.delivery.deliver() is True
    assert account.delivery.faults["lost_events"] == 1


def test_what_was_delivered_is_not_kept(account: Account) -> None:
    """Until the next digest, which may be an hour away: only what it says of the file."""
    account.trail(EnableLogFileValidation=True)
    account.happens()
    account.delivery.deliver()

    [stream] = account.delivery._streams.values()
    assert [(log.events, log.body) for log in stream.delivered] == [(1, b"")]


def test_notifications(account: Account) -> None:
    """Each log file is told of once, in the form that AWS documents; a digest is not."""
    account.trail(SnsTopicName="deliveries", EnableLogFileValidation=True)
    account.happens()
    account.delivery.sign()

    [key] = account.buckets.keys("CloudTrail")
    assert account.topics.messages == [(TOPIC, {"s3Bucket": BUCKET, "s3ObjectKey": [key]})]
    assert status(account)["LatestNotificationTime"] == NOON


def test_a_topic_that_takes_nothing(account: Account) -> None:
    """Keeps no file from its bucket."""
    account.trail(SnsTopicName="deliveries")
    account.topics.broken = AwsError("NotFound", "Topic does not exist", 404)
    account.happens()
    assert account.delivery.deliver() is True

    assert len(account.buckets.events()) == 1
    assert status(account)["LatestNotificationError"] == "NotFound"
    assert account.delivery.faults["notifying"] == 1


def test_cloudwatch_logs(account: Account) -> None:
    """Each event is a line of its own, in the stream of its region."""
    account.trail(IsMultiRegionTrail=True, **LOGS)
    first, abroad = account.happens(), account.happens(awsRegion="eu-west-1")
    account.clock.forward(seconds=1)
    second = account.happens()
    account.delivery.deliver()

    home, there = account.log_groups.calls
    assert (home[:2], there[:2]) == (
        (LOG_GROUP, f"{ACCOUNT}_CloudTrail_{REGION}"),
        (LOG_GROUP, f"{ACCOUNT}_CloudTrail_eu-west-1"),
    )
    milliseconds = int(NOON.timestamp() * 1000)
    assert [time for time, _text in home[2]] == [milliseconds, milliseconds + 1000]
    assert account.log_groups.events() == [first, second, abroad]
    assert status(account)["LatestCloudWatchLogsDeliveryTime"] == account.clock.time


def test_a_log_group_that_takes_nothing(account: Account) -> None:
    """Is tried again, and keeps no file from its bucket."""
    account.trail(**LOGS)
    account.log_groups.broken = AwsError(
        "ResourceNotFoundException", "The specified log group does not exist."
    )
    events = [account.happens()]
    assert account.delivery.deliver() is False
    assert ids(account.buckets.events()) == ids(events)
    assert status(account)["LatestCloudWatchLogsDeliveryError"] == "ResourceNotFoundException"

    account.log_groups.broken = None
    events.append(account.happens())
    assert account.delivery.deliver() is True
    assert account.log_groups.events() == events
    assert account.delivery.faults["log_groups"] == 1


def test_lines_are_written_before_they_are_many(account: Account) -> None:
    """A call's worth goes at once; a group that takes nothing is asked once, not for each event."""
    account.trail(**LOGS)
    large = "x" * 200_000
    for _ in range(6):
        account.happens(userAgent=large)
    assert len(account.log_groups.events()) == 6

    account.log_groups.broken = DENIED
    for _ in range(60):
        account.happens(userAgent=large)
    assert account.delivery.faults["log_groups"] == 1
    account.log_groups.broken = None
    account.delivery.deliver()
    kept = len(account.log_groups.events()) - 6
    assert kept == 60 - account.delivery.faults["lost_lines"] == 41


def test_a_line_that_is_too_long(account: Account) -> None:
    """Is left out and counted, as AWS leaves it out; it is in the log file."""
    account.trail(**LOGS)
    account.happens(userAgent="x" * 300_000)
    short = account.happens()
    account.delivery.deliver()

    assert account.log_groups.events() == [short]
    assert account.delivery.faults["lost_lines"] == 1
    assert len(account.buckets.events()) == 2


@pytest.mark.parametrize("operation", ["StopLogging", "DeleteTrail"])
def test_no_line_is_forgotten_when_a_trail_ends(account: Account, operation: str) -> None:
    """What was recorded until then is written."""
    account.trail(**LOGS)
    event = account.happens()
    account.call(operation, Name="audit")
    account.clock.forward(minutes=1)
    account.delivery.deliver()

    assert account.log_groups.events() == [event]


def test_another_log_group_midway(account: Account) -> None:
    """Lines are where the trail was set to put them; without a group, those that failed are counted."""
    other = LOG_GROUP.replace(":trail:", ":other:")
    account.log_groups.arns.add(other)
    account.trail(**LOGS)
    account.happens()
    account.call("UpdateTrail", Name="audit", CloudWatchLogsLogGroupArn=other)
    account.happens()
    account.log_groups.broken = DENIED
    account.call("UpdateTrail", Name="audit", CloudWatchLogsLogGroupArn="", CloudWatchLogsRoleArn="")
    account.happens()
    assert account.delivery.deliver() is True

    assert [group for group, _stream, _lines in account.log_groups.calls] == [LOG_GROUP]
    assert account.delivery.faults["lost_lines"] == 1


def test_half_of_a_surrogate_pair_is_no_way_to_hide(account: Account) -> None:
    """JSON can carry it, UTF-8 cannot: the event is in the file and in the log group."""
    account.trail(**LOGS, EnableLogFileValidation=True)
    odd = account.happens(userAgent="half \ud800 of a pair")
    account.happens()
    account.delivery.sign()

    assert account.buckets.events()[0] == account.log_groups.events()[0] == odd
    [digest] = account.buckets.digests()
    [key] = account.buckets.keys("CloudTrail")
    text = gzip.decompress(account.buckets.files[BUCKET, key])
    assert digest["logFiles"][0]["hashValue"] == hashlib.sha256(text).hexdigest()
