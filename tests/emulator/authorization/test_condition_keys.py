"""The condition keys that a request is judged by."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from smas_emulator.authorization.ports import ObjectFacts
from smas_emulator.authorization.requirements import required
from smas_emulator.iam.evaluation import principal_context

from tests.emulator.authorization.account import (
    ACCOUNT,
    BLOB,
    BUCKET_ARN,
    CARD,
    METADATA_KEY,
    NOW,
    PRESIGNED,
    REGION,
    FakeAccount,
    assuming,
    call,
    session,
)
from tests.infra.rendering import NAMES, rendered

PRINCIPAL = session("persona-data-scientist")


def keys(operation: str, number: int = 0, **asked: Any) -> dict[str, Any]:
    """The context of one of the permissions that a call to S3 needs."""
    return dict(required(call(PRINCIPAL, operation, **asked), FakeAccount())[number].request.context)


def test_every_request_says_where_and_when() -> None:
    """The global keys; those of the caller IAM knows itself."""
    found = keys("HeadObject", Key=CARD, headers={"user-agent": "aws-cli/2", "referer": "http://x/"})
    assert found["aws:SourceIp"] == "127.0.0.1"
    assert found["aws:UserAgent"] == "aws-cli/2"
    assert found["aws:Referer"] == "http://x/"
    assert found["aws:CurrentTime"] == "2026-11-24T09:00:00Z"
    assert found["aws:EpochTime"] == str(int(NOW.timestamp()))
    assert found["aws:RequestedRegion"] == REGION
    assert found["aws:ResourceAccount"] == found["s3:ResourceAccount"] == ACCOUNT


@pytest.mark.parametrize("secure", [True, False])
def test_whether_the_way_is_encrypted_is_told(*, secure: bool) -> None:
    """As `aws:SecureTransport`."""
    assert keys("HeadObject", Key=CARD, secure=secure)["aws:SecureTransport"] == str(secure).lower()


def test_a_presigned_request_has_an_age_and_no_signed_payload() -> None:
    """In milliseconds; a request signed in its header has none, whenever it was signed."""
    presigned = keys("HeadObject", Key=CARD, signature=PRESIGNED)
    assert presigned["s3:signatureAge"] == "600000"
    assert presigned["s3:authType"] == "REST-QUERY-STRING"
    assert presigned["s3:x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    header = keys("HeadObject", Key=CARD, headers={"x-amz-content-sha256": "abc"})
    assert "s3:signatureAge" not in header
    assert header["s3:authType"] == "REST-HEADER"
    assert header["s3:x-amz-content-sha256"] == "abc"
    assert header["s3:signatureversion"] == presigned["s3:signatureversion"] == "AWS4-HMAC-SHA256"


def test_a_list_says_what_it_is_limited_to() -> None:
    """An empty prefix is one; none is none."""
    found = keys("ListObjectsV2", Prefix="", Delimiter="/", MaxKeys=10)
    assert (found["s3:prefix"], found["s3:delimiter"], found["s3:max-keys"]) == ("", "/", "10")
    assert "s3:prefix" not in keys("ListObjectsV2")
    assert "s3:prefix" not in keys("ListMultipartUploads", Prefix="cards/")


def test_reads_know_the_tags_of_what_is_there() -> None:
    """Those of the version that is addressed; a write or a delete knows none."""
    assert keys("GetObject", Key=BLOB, VersionId="v1")["s3:ExistingObjectTag/smas-state"] == "verified"
    assert keys("GetObject", Key=BLOB, VersionId="v1")["s3:VersionId"] == "v1"
    for operation in ("PutObject", "DeleteObject"):
        assert "s3:ExistingObjectTag/smas-state" not in keys(operation, Key=BLOB)


def test_tags_that_are_asked_for_are_told() -> None:
    """From the header of a write, and from the body of a tagging."""
    for asked in (
        keys("PutObject", Key=CARD, Tagging="a=1&b="),
        keys(
            "PutObjectTagging",
            Key=CARD,
            Tagging={"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]},
        ),
    ):
        assert asked["s3:RequestObjectTagKeys"] == ("a", "b")
        assert (asked["s3:RequestObjectTag/a"], asked["s3:RequestObjectTag/b"]) == ("1", "")
    assert "s3:RequestObjectTagKeys" not in keys("PutObject", Key=CARD)


CONDITIONS = ("s3:if-none-match", "s3:if-match")


@pytest.mark.parametrize("operation", ["PutObject", "CompleteMultipartUpload"])
def test_a_conditional_write_is_told(operation: str) -> None:
    """There only when the header is, and that it creates an object."""
    found = keys(operation, Key=CARD, IfNoneMatch="*")
    assert (found["s3:if-none-match"], found["s3:ObjectCreationOperation"]) == ("*", "true")
    assert keys(operation, Key=CARD, IfMatch="e")["s3:if-match"] == "e"
    assert not set(CONDITIONS) & keys(operation, Key=CARD).keys()


@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "UploadPart"])
def test_the_steps_before_create_nothing(operation: str) -> None:
    """So that whoever demands a condition can exempt them."""
    assert keys(operation, Key=CARD, UploadId="u1")["s3:ObjectCreationOperation"] == "false"


def test_a_conditional_read_is_no_conditional_write() -> None:
    """`If-None-Match` of a GET is not that of a PUT."""
    assert not set(CONDITIONS) & keys("GetObject", Key=CARD, IfNoneMatch="e", IfMatch="e").keys()


@pytest.mark.parametrize(
    ("member", "key"),
    [
        ("ACL", "s3:x-amz-acl"),
        ("SSECustomerAlgorithm", "s3:x-amz-server-side-encryption-customer-algorithm"),
        ("SSEKMSKeyId", "s3:x-amz-server-side-encryption-aws-kms-key-id"),
        ("ServerSideEncryption", "s3:x-amz-server-side-encryption"),
        ("StorageClass", "s3:x-amz-storage-class"),
        ("ObjectLockMode", "s3:object-lock-mode"),
        ("ObjectLockLegalHoldStatus", "s3:object-lock-legal-hold"),
    ],
)
def test_what_a_write_says_in_a_header_is_told(member: str, key: str) -> None:
    """And what it does not say is not: the bucket's default encryption fills in nothing."""
    said: dict[str, Any] = {member: METADATA_KEY if member == "SSEKMSKeyId" else "value"}
    assert keys("PutObject", Key=CARD, **said)[key] == said[member]
    assert key not in keys("PutObject", Key=CARD)


@pytest.mark.parametrize("until", [NOW + timedelta(days=30), "2026-12-24T09:00:00Z"])
def test_a_retention_says_until_when(until: datetime | str) -> None:
    """In its header or in its body, and how many days that is from now."""
    for found in (
        keys("PutObject", Key=CARD, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until),
        keys("PutObjectRetention", Key=CARD, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until}),
    ):
        assert found["s3:object-lock-mode"] == "COMPLIANCE"
        assert found["s3:object-lock-retain-until-date"] == "2026-12-24T09:00:00Z"
        assert found["s3:object-lock-remaining-retention-days"] == "30"


def test_a_key_is_used_through_s3_for_something() -> None:
    """For the bucket under a bucket key, else for the object; not from the caller's own address."""
    blob = keys("GetObject", 1, Key=BLOB)
    assert blob["kms:ViaService"] == f"s3.{REGION}.amazonaws.com"
    assert blob["kms:CallerAccount"] == ACCOUNT
    assert blob["kms:EncryptionContext:aws:s3:arn"] == BUCKET_ARN
    assert blob["kms:EncryptionContextKeys"] == ("aws:s3:arn",)
    assert blob["aws:ViaAWSService"] == "true"
    assert "aws:SourceIp" not in blob
    assert keys("GetObject", 1, Key=CARD)["kms:EncryptionContext:aws:s3:arn"] == f"{BUCKET_ARN}/{CARD}"


def _conditions(name: str) -> set[tuple[str, str]]:
    """Every action of a policy with every key its statement looks at."""
    return {
        (action, key)
        for statement in json.loads(rendered(name).text)["Statement"]
        for action in statement["Action"]
        for tests in statement.get("Condition", {}).values()
        for key in tests
    }


def _everything_supplied() -> set[str]:
    """The keys of requests that say all they can."""
    account = FakeAccount()
    account.objects[(BLOB, None)] = ObjectFacts(
        {"smas-state": "verified", "smas-release": "yes"}, METADATA_KEY
    )
    said: dict[str, Any] = {
        "SSECustomerAlgorithm": "AES256",
        "SSEKMSKeyId": METADATA_KEY,
        "ServerSideEncryption": "aws:kms",
        "StorageClass": "STANDARD",
        "IfNoneMatch": "*",
        "Tagging": "smas-state=verified",
        "ACL": "bucket-owner-full-control",
    }
    calls = [
        call(PRINCIPAL, "PutObject", Key=CARD, signature=PRESIGNED, **said),
        call(PRINCIPAL, "GetObject", Key=BLOB),
        call(PRINCIPAL, "ListObjectsV2", Prefix="cards/"),
        assuming(
            session("service"), "persona-auditor", SourceIdentity="s", Tags=[{"Key": "jti", "Value": "j"}]
        ),
    ]
    told = {key for each in calls for needed in required(each, account) for key in needed.request.context}
    return told | principal_context(PRINCIPAL).keys()


# What a service says of itself, S3 when it sends a notification, CloudTrail of a file that it encrypts and
# CloudWatch Logs of a log group: no caller's call has it.
SAID_BY_SERVICES = {
    "aws:SourceArn",
    "aws:SourceAccount",
    "kms:EncryptionContext:aws:cloudtrail:arn",
    "kms:EncryptionContext:aws:logs:arn",
}


@pytest.mark.parametrize("name", NAMES)
def test_every_key_our_policies_look_at_is_supplied(name: str) -> None:
    """A condition on a key that nobody supplies would hold always or never."""
    looked_at = {key for _, key in _conditions(name)}
    assert looked_at - SAID_BY_SERVICES <= _everything_supplied()
