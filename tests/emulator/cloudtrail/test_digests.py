"""Digests are signed, name every log file once, and form a chain that ends and begins when AWS's does."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smas_emulator.cloudtrail.digests import SigningKeys
from smas_emulator.gateway.errors import AwsError

from tests.emulator.cloudtrail.account import ACCOUNT, BUCKET, NOON, REGION, Account, ids
from tests.emulator.cloudtrail.verification import verify, verify_chain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/audit"


def named(digests: list[dict[str, Any]]) -> list[str]:
    """The log files that digests name."""
    return [log["s3Object"] for digest in digests for log in digest["logFiles"]]


def turning_off(operation: str, name: str = "audit", **members: Any) -> dict[str, Any]:
    """The members of the event that turns a trail off."""
    return {
        "eventSource": "cloudtrail.amazonaws.com",
        "eventName": operation,
        "requestParameters": {"name": name},
        **members,
    }


def test_a_chain(account: Account) -> None:
    """Of the first digest, an empty one and one of several files; all of it verifies."""
    account.trail(S3KeyPrefix="audit", EnableLogFileValidation=True)
    account.happens()
    account.clock.forward(minutes=1)
    account.delivery.sign()
    account.clock.forward(minutes=1)
    account.delivery.sign()
    for _ in range(2):
        account.happens()
        account.happens(eventTime="2026-11-24T11:00:00Z")
        account.delivery.deliver()
    account.clock.forward(hours=13)
    account.delivery.sign()

    last = account.buckets.keys("CloudTrail-Digest")[-1]
    assert last == (
        f"audit/AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/2026/11/25/"
        f"{ACCOUNT}_CloudTrail-Digest_{REGION}_audit_{REGION}_20261125T010200Z.json.gz"
    )
    chain = verify_chain(account, BUCKET, last)
    assert [len(digest["logFiles"]) for digest in chain] == [2, 0, 1]
    assert chain[-1]["digestStartTime"] == "2026-11-24T12:00:00Z"
    assert sorted(named(chain)) == sorted(account.buckets.keys("CloudTrail"))
    assert chain[0]["oldestEventTime"] == "2026-11-24T11:00:00Z"
    assert chain[1]["newestEventTime"] is None
    assert account.call("GetTrailStatus", Name="audit")["LatestDigestDeliveryTime"] == account.clock.time


def test_what_was_changed_does_not_verify(account: Account) -> None:
    """A digest with another end, or with another log file's hash."""
    account.trail(EnableLogFileValidation=True)
    account.happens()
    account.delivery.sign()
    [key] = account.buckets.keys("CloudTrail-Digest")
    verify(account, BUCKET, key, REGION)

    signature = account.buckets.metadata[BUCKET, key]["signature"]
    account.buckets.metadata[BUCKET, key]["signature"] = signature[:-2] + f"{int(signature[-2:], 16) ^ 1:02x}"
    with pytest.raises(InvalidSignature):
        verify(account, BUCKET, key, REGION)


def test_regions_have_chains_and_keys_of_their_own(account: Account) -> None:
    """The home region's from the start, another's when something happens there."""
    account.trail(IsMultiRegionTrail=True, EnableLogFileValidation=True)
    account.delivery.sign()
    account.happens(awsRegion="eu-west-1")
    account.clock.forward(minutes=1)
    account.delivery.sign()

    keys = account.buckets.keys("CloudTrail-Digest")
    home, there = ([key for key in keys if f"/{region}/" in key] for region in (REGION, "eu-west-1"))
    assert [len(chain["logFiles"]) for chain in verify_chain(account, BUCKET, home[-1])] == [0, 0]
    [abroad] = verify_chain(account, BUCKET, there[-1], "eu-west-1")
    assert len(abroad["logFiles"]) == 1
    assert f"_eu-west-1_audit_{REGION}_" in abroad["digestS3Object"]
    [digest, *_] = verify_chain(account, BUCKET, home[-1])
    assert digest["digestPublicKeyFingerprint"] != abroad["digestPublicKeyFingerprint"]


def test_many_digests_within_a_second(account: Account) -> None:
    """Have names of their own: none overwrites another, also across chains and trails of the same name."""
    account.trail(EnableLogFileValidation=True)
    for _ in range(3):
        account.happens()
        account.delivery.sign()
    account.call("StopLogging", Name="audit")
    account.call("StartLogging", Name="audit")
    account.delivery.sign()
    account.call("DeleteTrail", Name="audit")
    account.trail(EnableLogFileValidation=True)
    account.happens()
    account.delivery.sign()

    digests = account.buckets.digests()
    ends = [digest["digestEndTime"] for digest in digests]
    assert ends == sorted(set(ends))
    for earlier, later in pairwise(digests):
        assert earlier["digestEndTime"] <= later["digestStartTime"] or (
            later["previousDigestS3Object"] == earlier["digestS3Object"]
        )
    assert sorted(named(digests)) == sorted(account.buckets.keys("CloudTrail"))
    chains = [digest for digest in digests if digest["previousDigestS3Object"] is None]
    assert len(chains) == 3


@pytest.mark.parametrize("operation", ["StopLogging", "DeleteTrail"])
@pytest.mark.parametrize("name", ["audit", ARN])
def test_the_last_digest_covers_the_event_that_ended_the_trail(
    account: Account, operation: str, name: str
) -> None:
    """Who turned it off is the last thing the trail has, though the trail is off by then."""
    account.trail(IsMultiRegionTrail=True, EnableLogFileValidation=True)
    before, abroad = account.happens(), account.happens(awsRegion="eu-west-1")
    account.call(operation, Name=name)
    account.happens()
    off = account.happens(**turning_off(operation, name))
    account.happens(**turning_off(operation, name))
    account.clock.forward(minutes=1)
    account.delivery.sign()

    assert sorted(ids(account.buckets.events())) == sorted(ids([before, abroad, off]))
    digests = account.buckets.digests()
    assert sorted(named(digests)) == sorted(account.buckets.keys("CloudTrail"))
    assert len(digests) == 2
    assert set(account.delivery.faults.values()) == {0}


@pytest.mark.parametrize(
    "members",
    [
        turning_off("StopLogging", "other"),
        turning_off("StopLogging", eventSource="s3.amazonaws.com"),
        turning_off("StopLogging", awsRegion="eu-west-1"),
        turning_off("StopLogging", recipientAccountId="999999999999"),
        turning_off("StopLogging", errorCode="AccessDenied"),
        turning_off("UpdateTrail"),
        turning_off("StopLogging", requestParameters=None),
    ],
)
def test_no_other_event_is_the_last(account: Account, members: dict[str, Any]) -> None:
    """Not one of another trail, service, region or account, and not a refusal; it is waited for in vain."""
    account.trail(EnableLogFileValidation=True)
    account.call("StopLogging", Name="audit")
    account.happens(**members)
    account.clock.forward(seconds=4)
    account.delivery.deliver()
    assert account.buckets.digests() == []

    account.clock.forward(seconds=2)
    assert account.delivery.deliver()

    assert account.buckets.events() == []
    assert [digest["logFiles"] for digest in account.buckets.digests()] == [[]]
    account.happens(**turning_off("StopLogging"))
    account.delivery.sign()
    assert account.buckets.events() == []


def test_on_again_begins_a_new_chain(account: Account) -> None:
    """What happened in between is in no file and no digest."""
    account.trail(EnableLogFileValidation=True)
    first = account.happens()
    account.call("StopLogging", Name="audit")
    account.clock.forward(minutes=10)
    account.happens()
    account.delivery.sign()
    account.call("StartLogging", Name="audit")
    second = account.happens()
    account.clock.forward(minutes=10)
    account.delivery.sign()

    assert ids(account.buckets.events()) == ids([first, second])
    old, new = account.buckets.digests()
    assert (old["previousDigestS3Object"], new["previousDigestS3Object"]) == (None, None)
    assert [len(old["logFiles"]), len(new["logFiles"])] == [1, 1]
    assert new["digestStartTime"] == "2026-11-24T12:10:00Z"


def test_validation_off_and_on(account: Account) -> None:
    """A last digest when it goes off; files until it is on again are in none; then a new chain."""
    account.trail(EnableLogFileValidation=True)
    account.happens()
    account.call("UpdateTrail", Name="audit", EnableLogFileValidation=False)
    assert len(account.buckets.digests()) == 1
    account.clock.forward(minutes=1)
    account.happens()
    account.delivery.sign()
    account.call("UpdateTrail", Name="audit", EnableLogFileValidation=True)
    account.clock.forward(minutes=1)
    account.happens()
    account.delivery.sign()

    first, second = account.buckets.digests()
    assert second["previousDigestS3Object"] is None
    keys = account.buckets.keys("CloudTrail")
    assert (named([first]), named([second])) == (keys[:1], keys[2:])
    assert len(account.buckets.events()) == 3


def test_another_bucket_goes_on_with_the_chain(account: Account) -> None:
    """The digest in the new bucket names the one in the old, and the files where they are."""
    account.trail(EnableLogFileValidation=True)
    account.happens()
    account.delivery.sign()
    account.happens()
    account.call("UpdateTrail", Name="audit", S3BucketName="other-logs", S3KeyPrefix="new")
    account.happens()
    account.clock.forward(minutes=1)
    account.delivery.sign()

    [key] = account.buckets.keys("CloudTrail-Digest", "other-logs")
    chain = verify_chain(account, "other-logs", key)
    assert [[log["s3Bucket"] for log in digest["logFiles"]] for digest in chain] == [
        [BUCKET, "other-logs"],
        [BUCKET],
    ]
    assert key.startswith("new/AWSLogs/")


def test_a_trail_that_leaves_a_region_ends_its_chain_there(account: Account) -> None:
    """When it is no longer one of all regions: no empty digests for ever."""
    account.trail(IsMultiRegionTrail=True, EnableLogFileValidation=True)
    account.happens(awsRegion="eu-west-1")
    account.call("UpdateTrail", Name="audit", IsMultiRegionTrail=False)
    for _ in range(2):
        account.clock.forward(minutes=1)
        account.happens(awsRegion="eu-west-1")
        account.delivery.sign()

    there = [key for key in account.buckets.keys("CloudTrail-Digest") if "/eu-west-1/" in key]
    assert len(there) == 1
    assert len(account.buckets.events()) == 1


def test_a_clock_that_is_set_back(account: Account) -> None:
    """Digests go on from where they were, by whole seconds."""
    account.trail(EnableLogFileValidation=True)
    account.clock.forward(hours=-1)
    account.delivery.sign()
    account.clock.forward(hours=-1)
    account.happens()
    account.delivery.sign()

    chain = verify_chain(account, BUCKET, account.buckets.keys("CloudTrail-Digest")[-1])
    assert [(digest["digestStartTime"][11:19], digest["digestEndTime"][11:19]) for digest in chain] == [
        ("12:00:00", "12:00:01"),
        ("12:00:00", "12:00:00"),
    ]


def test_a_digest_that_cannot_be_delivered_is_tried_again(account: Account) -> None:
    """Later, with what came since; the chain has no gap."""
    account.trail(EnableLogFileValidation=True)
    account.happens()
    account.delivery.deliver()
    account.buckets.broken[BUCKET] = AwsError("SlowDown", "Reduce your request rate.", 503)
    assert account.delivery.sign() is False
    assert account.call("GetTrailStatus", Name="audit")["LatestDigestDeliveryError"] == "SlowDown"
    account.buckets.broken.clear()
    account.happens()
    account.clock.forward(minutes=1)
    assert account.delivery.sign() is True

    [digest] = account.buckets.digests()
    assert digest["digestStartTime"] == "2026-11-24T12:00:00Z"
    assert named([digest]) == account.buckets.keys("CloudTrail")
    assert "LatestDigestDeliveryError" not in account.call("GetTrailStatus", Name="audit")


_SIGNING = SigningKeys(lambda: NOON)  # keys take long to make
_STEPS: dict[str, Callable[[Account], object]] = {
    "event": lambda account: account.happens(),
    "abroad": lambda account: account.happens(awsRegion="eu-west-1"),
    "deliver": lambda account: account.delivery.deliver(),
    "sign": lambda account: account.delivery.sign(),
    "stop": lambda account: account.call("StopLogging", Name="audit"),
    "start": lambda account: account.call("StartLogging", Name="audit"),
    "here": lambda account: account.call("UpdateTrail", Name="audit", S3BucketName=BUCKET),
    "there": lambda account: account.call("UpdateTrail", Name="audit", S3BucketName="other-logs"),
    "wide": lambda account: account.call("UpdateTrail", Name="audit", IsMultiRegionTrail=True),
    "narrow": lambda account: account.call("UpdateTrail", Name="audit", IsMultiRegionTrail=False),
    "trust": lambda account: account.call("UpdateTrail", Name="audit", EnableLogFileValidation=False),
    "validate": lambda account: account.call("UpdateTrail", Name="audit", EnableLogFileValidation=True),
    "later": lambda account: account.clock.forward(seconds=7),
    "much later": lambda account: account.clock.forward(minutes=7),
    "earlier": lambda account: account.clock.forward(seconds=-90),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for all examples."""
    return tmp_path_factory.mktemp("digests")


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(sorted(_STEPS)), max_size=25))
def test_every_file_is_in_one_digest_whatever_happens(folder: Path, steps: list[str]) -> None:
    """While validation is on: chains verify, names are unique, times of a region never overlap."""
    account = Account(folder)
    account.delivery._keys = account.api._signing = _SIGNING
    account.trail(EnableLogFileValidation=True, IsMultiRegionTrail=True)
    for step in steps:
        _STEPS[step](account)
    account.call("StopLogging", Name="audit")
    account.delivery.sign()

    digests = [digest for bucket in (BUCKET, "other-logs") for digest in account.buckets.digests(bucket)]
    files = [key for bucket in (BUCKET, "other-logs") for key in account.buckets.keys("CloudTrail", bucket)]
    listed = named(digests)
    assert len(listed) == len(set(listed))
    assert set(listed) <= set(files)
    if "trust" not in steps:
        assert set(listed) == set(files)
    for region in (REGION, "eu-west-1"):
        here = sorted(
            (digest["digestStartTime"], digest["digestEndTime"], json.dumps(digest))
            for digest in digests
            if f"/{region}/" in digest["digestS3Object"]
        )
        for (_start, end, _text), (start, _end, _text2) in pairwise(here):
            assert end <= start
        for _start, _end, text in here:
            digest = json.loads(text)
            verify_chain(account, digest["digestS3Bucket"], digest["digestS3Object"], region)
    account.store.close()
    (folder / "events.sqlite").unlink()
