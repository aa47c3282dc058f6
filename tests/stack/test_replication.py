"""The copy in a second region, on the local AWS: the same versions, and a check that says so."""

from __future__ import annotations

import json
import urllib.request
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from deployment.check_store import look
from deployment.store import Copy, of_local_stack

if TYPE_CHECKING:
    from tests.local_aws import LocalStack

LOCKABLE = {"ObjectLockEnabledForBucket": True}
KEY, RECORD = "blobs/fraud/m/one", "cards/fraud/m.json"


@pytest.fixture
def buckets(local_aws: LocalStack) -> tuple[Any, str, str, dict[str, str]]:
    """S3, a bucket, and its copy in another region, by rules as `infra/replication.tf` has them."""
    s3 = local_aws.root_client("s3")
    first, second = (f"smas-{name}-{uuid.uuid4().hex[:8]}" for name in ("first", "second"))
    s3.create_bucket(Bucket=first, **LOCKABLE)
    s3.create_bucket(Bucket=second, **LOCKABLE, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    kms = of_local_stack(local_aws.state)[1].client("kms", "us-west-2")
    keys = {name: kms.create_key()["KeyMetadata"]["Arn"] for name in ("bytes", "records")}
    common = {"Status": "Enabled", "DeleteMarkerReplication": {"Status": "Disabled"}}

    def rule(name: str, priority: int, prefix: str) -> dict[str, Any]:
        destination = {
            "Bucket": f"arn:aws:s3:::{second}",
            "EncryptionConfiguration": {"ReplicaKmsKeyID": keys[name]},
        }
        return {
            **common,
            "ID": name,
            "Priority": priority,
            "Filter": {"Prefix": prefix},
            "Destination": destination,
        }

    s3.put_bucket_replication(
        Bucket=first,
        ReplicationConfiguration={
            "Role": "arn:aws:iam::000000000000:role/smas-replication",
            "Rules": [
                rule("bytes", 2, "blobs/"),
                rule("records", 1, ""),
            ],
        },
    )
    return s3, first, second, keys


def replicate(local_aws: LocalStack) -> dict[str, int]:
    """Have everything copied that was not; how many versions, by destination."""
    request = urllib.request.Request(f"{local_aws.endpoint}/_smas/s3/replicate", method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        return dict(json.load(answer))


def test_versions_keep_their_ids_tags_holds_and_order(
    local_aws: LocalStack, buckets: tuple[Any, str, str, dict[str, str]]
) -> None:
    """Under the keys of that region; deletions are not copied, and nothing is copied twice."""
    s3, first, second, keys = buckets
    one = s3.put_object(Bucket=first, Key=KEY, Body=b"one", Tagging="smas-state=verified")["VersionId"]
    s3.put_object_legal_hold(Bucket=first, Key=KEY, VersionId=one, LegalHold={"Status": "ON"})
    s3.put_object(Bucket=first, Key=RECORD, Body=b"1")
    newest = s3.put_object(Bucket=first, Key=RECORD, Body=b"2")["VersionId"]
    s3.delete_object(Bucket=first, Key=KEY)

    assert replicate(local_aws)[second] == 3
    assert second not in replicate(local_aws)

    copied = s3.get_object(Bucket=second, Key=KEY, VersionId=one)
    assert (copied["Body"].read(), copied["SSEKMSKeyId"]) == (b"one", keys["bytes"])
    assert copied["ObjectLockLegalHoldStatus"] == "ON"
    tags = s3.get_object_tagging(Bucket=second, Key=KEY, VersionId=one)["TagSet"]
    assert tags == [{"Key": "smas-state", "Value": "verified"}]
    record = s3.get_object(Bucket=second, Key=RECORD)
    assert (record["Body"].read(), record["VersionId"]) == (b"2", newest)
    assert record["SSEKMSKeyId"] == keys["records"]
    assert s3.get_object(Bucket=second, Key=KEY)["Body"].read() == b"one", "a deletion is not copied"


def test_the_copy_has_everything_or_the_check_says_what_not(
    local_aws: LocalStack, buckets: tuple[Any, str, str, dict[str, str]]
) -> None:
    """Records by what they say, bytes by their version."""
    s3, first, second, _ = buckets
    which, aws = of_local_stack(local_aws.state)
    store = replace(which, bucket=first, copy=Copy(second, "us-west-2"))
    s3.put_object(Bucket=first, Key=KEY, Body=b"one")
    s3.put_object(Bucket=first, Key=RECORD, Body=b"{}")
    replicate(local_aws)
    assert look(store, aws, copy=True, against=True)[0] == []

    later = s3.put_object(Bucket=first, Key=RECORD, Body=b"[]")["VersionId"]
    assert look(store, aws, copy=True, against=True)[0] == [f"{RECORD}: version {later} is not in {second}"]
