"""Every operation of S3 and the permissions it needs."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.authorization import s3_operations as table
from smas_emulator.authorization.requirement import UnknownOperation
from smas_emulator.authorization.requirements import required
from smas_emulator.gateway.errors import AwsError

from tests.emulator.authorization.account import (
    BLOB,
    BUCKET_ARN,
    BYTES_KEY,
    CARD,
    METADATA_KEY,
    FakeAccount,
    call,
    session,
)
from tests.infra.rendering import BUCKET

TEXT = st.text(st.characters(codec="utf-8"), min_size=1)
PRINCIPAL = session("persona-data-scientist")
GROUPS = (
    table.ON_BUCKET.keys(),
    table.READS.keys(),
    table.CHANGES.keys(),
    table.WRITES.keys(),
    table.DELETES,
    table.ON_ACCOUNT,
    table.UNSUPPORTED,
)
OPERATIONS = sorted(botocore.session.get_session().get_service_model("s3").operation_names)


def needed(operation: str, **parameters: Any) -> list[tuple[str, str]]:
    """Actions and resources that a call needs, in order."""
    return [
        (each.request.action, each.request.resource)
        for each in required(call(PRINCIPAL, operation, **parameters), FakeAccount())
    ]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_of_s3_is_decided_on(operation: str) -> None:
    """Each is in one table and in one only: none is forgotten, and none is decided twice."""
    assert [operation in group for group in GROUPS].count(True) == 1


@pytest.mark.parametrize("operation", [*sorted(table.UNSUPPORTED), "NoSuchOperation"])
def test_what_is_not_known_is_refused(operation: str) -> None:
    """Operations that the local S3 has not, and those nobody thought of."""
    with pytest.raises(UnknownOperation):
        needed(operation, Key=CARD)


@pytest.mark.parametrize("operation", sorted({*OPERATIONS} - table.UNSUPPORTED))
def test_every_known_operation_needs_something(operation: str) -> None:
    """No call of S3 is for everybody, and what is about an object names it."""
    delete = {"Objects": [{"Key": CARD}]}
    found = needed(operation, Key=CARD, CopySource=f"{BUCKET}/{CARD}", Delete=delete, UploadId="none")
    assert found
    about_objects = [*table.READS, *table.CHANGES, *table.WRITES, *table.DELETES]
    assert (f"{BUCKET_ARN}/{CARD}" in {resource for _, resource in found}) == (operation in about_objects)


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("HeadBucket", "s3:ListBucket"),
        ("ListObjectsV2", "s3:ListBucket"),
        ("ListObjects", "s3:ListBucket"),
        ("ListObjectVersions", "s3:ListBucketVersions"),
        ("ListMultipartUploads", "s3:ListBucketMultipartUploads"),
        ("PutBucketEncryption", "s3:PutEncryptionConfiguration"),
        ("PutBucketNotificationConfiguration", "s3:PutBucketNotification"),
        ("PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration"),
        ("DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
        ("GetBucketLocation", "s3:GetBucketLocation"),
    ],
)
def test_what_is_about_the_bucket_is_asked_of_the_bucket(operation: str, action: str) -> None:
    """By the bucket's own ARN and nothing more."""
    assert needed(operation) == [(action, BUCKET_ARN)]


@pytest.mark.parametrize(
    ("operation", "current", "named"),
    [
        ("GetObject", "s3:GetObject", "s3:GetObjectVersion"),
        ("HeadObject", "s3:GetObject", "s3:GetObjectVersion"),
        ("GetObjectTagging", "s3:GetObjectTagging", "s3:GetObjectVersionTagging"),
        ("PutObjectTagging", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"),
        ("DeleteObjectTagging", "s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"),
        ("DeleteObject", "s3:DeleteObject", "s3:DeleteObjectVersion"),
    ],
)
def test_a_named_version_is_another_permission(operation: str, current: str, named: str) -> None:
    """Who may read or delete what is current may not thereby do so to what is not."""
    assert needed(operation, Key=BLOB)[0] == (current, f"{BUCKET_ARN}/{BLOB}")
    assert needed(operation, Key=BLOB, VersionId="v1")[0] == (named, f"{BUCKET_ARN}/{BLOB}")


def test_attributes_need_two_permissions() -> None:
    """Those of the object and those of its attributes; its checksum also takes decrypting."""
    asked = needed("GetObjectAttributes", Key=BLOB, ObjectAttributes=["ETag"])
    assert [action for action, _ in asked] == ["s3:GetObject", "s3:GetObjectAttributes"]
    asked = needed("GetObjectAttributes", Key=BLOB, ObjectAttributes=["Checksum"])
    assert asked[-1] == ("kms:Decrypt", BYTES_KEY)


def test_reading_bytes_takes_decrypting_and_looking_does_not() -> None:
    """`HEAD` needs the key only to tell a checksum."""
    assert needed("GetObject", Key=BLOB)[-1] == ("kms:Decrypt", BYTES_KEY)
    assert needed("HeadObject", Key=BLOB) == [("s3:GetObject", f"{BUCKET_ARN}/{BLOB}")]
    assert needed("HeadObject", Key=BLOB, ChecksumMode="ENABLED")[-1] == ("kms:Decrypt", BYTES_KEY)


def test_a_write_sets_what_its_headers_say() -> None:
    """Each of them takes a permission of its own."""
    asked = needed(
        "PutObject",
        Key=CARD,
        Tagging="a=b",
        ACL="private",
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate="2027-01-01T00:00:00Z",
        ObjectLockLegalHoldStatus="ON",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=METADATA_KEY,
    )
    assert [action for action, _ in asked] == [
        "s3:PutObject",
        "s3:PutObjectAcl",
        "s3:PutObjectTagging",
        "s3:PutObjectRetention",
        "s3:PutObjectLegalHold",
        "kms:GenerateDataKey",
    ]
    assert asked[-1] == ("kms:GenerateDataKey", METADATA_KEY)


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({}, BYTES_KEY),
        ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": METADATA_KEY}, METADATA_KEY),
        ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/smas-bytes"}, BYTES_KEY),
        ({"ServerSideEncryption": "AES256"}, None),
        ({"ServerSideEncryption": "aws:kms"}, None),  # the account's own key for S3 lets everybody in
        ({"SSECustomerAlgorithm": "AES256"}, None),
    ],
)
@pytest.mark.parametrize("operation", ["PutObject", "CreateMultipartUpload"])
def test_a_write_uses_the_key_it_names_or_the_bucket_default(
    operation: str, headers: dict[str, str], key: str | None
) -> None:
    """And needs to make a data key under that, and under no other."""
    assert needed(operation, Key=BLOB, **headers)[1:] == ([("kms:GenerateDataKey", key)] if key else [])


@pytest.mark.parametrize(
    ("operation", "parameters", "decrypts"),
    [
        ("UploadPart", {}, True),
        ("CompleteMultipartUpload", {"MultipartUpload": {"Parts": [{"ETag": "e", "PartNumber": 1}]}}, False),
        ("CompleteMultipartUpload", {"MultipartUpload": {"Parts": [{"ChecksumSHA256": "c"}]}}, True),
        ("CompleteMultipartUpload", {"ChecksumCRC64NVME": "c"}, True),
    ],
)
def test_parts_are_decrypted(operation: str, parameters: dict[str, Any], *, decrypts: bool) -> None:
    """As AWS documents: every part, and the whole where a checksum has to be checked."""
    found = needed(operation, Key=BLOB, UploadId="u1", **parameters)
    assert found[0] == ("s3:PutObject", f"{BUCKET_ARN}/{BLOB}")
    assert found[1:] == ([("kms:Decrypt", BYTES_KEY)] if decrypts else [])


def test_other_calls_about_an_upload() -> None:
    """Have permissions of their own, on the object."""
    assert needed("AbortMultipartUpload", Key=BLOB) == [("s3:AbortMultipartUpload", f"{BUCKET_ARN}/{BLOB}")]
    assert needed("ListParts", Key=BLOB) == [("s3:ListMultipartUploadParts", f"{BUCKET_ARN}/{BLOB}")]


def test_a_copy_reads_and_writes() -> None:
    """Its source with the tags that go along, by version if it says so, and its target."""
    blob, card = f"{BUCKET_ARN}/{BLOB}", f"{BUCKET_ARN}/{CARD}"
    encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": METADATA_KEY}
    found = needed("CopyObject", Key=CARD, CopySource=f"/{BUCKET}/{BLOB}?versionId=v1", **encrypted)
    assert found == [
        ("s3:GetObjectVersion", blob),
        ("s3:GetObjectVersionTagging", blob),
        ("kms:Decrypt", BYTES_KEY),
        ("s3:PutObject", card),
        ("s3:PutObjectTagging", card),
        ("kms:GenerateDataKey", METADATA_KEY),
    ]
    unsaid = needed(
        "CopyObject", Key=CARD, CopySource=f"{BUCKET}/{BLOB}?versionId=v1", TaggingDirective=None, **encrypted
    )
    assert unsaid == found, "a request that was read from the wire has every member, and None for most"
    replaced = needed(
        "CopyObject", Key=CARD, CopySource=f"{BUCKET}/{BLOB.replace('/', '%2F')}", TaggingDirective="REPLACE"
    )
    assert [action for action, _ in replaced] == [
        "s3:GetObject",
        "kms:Decrypt",
        "s3:PutObject",
        "kms:GenerateDataKey",
    ]


def test_deletes_are_judged_key_by_key() -> None:
    """By version where one is named; bypassing a retention and comparing an ETag are asked for besides."""
    objects = [{"Key": "a"}, {"Key": "b", "VersionId": "v"}, {"Key": CARD, "ETag": "e"}]
    found = needed("DeleteObjects", Delete={"Objects": objects}, BypassGovernanceRetention=True)
    assert found == [
        ("s3:DeleteObject", f"{BUCKET_ARN}/a"),
        ("s3:BypassGovernanceRetention", f"{BUCKET_ARN}/a"),
        ("s3:DeleteObjectVersion", f"{BUCKET_ARN}/b"),
        ("s3:BypassGovernanceRetention", f"{BUCKET_ARN}/b"),
        ("s3:DeleteObject", f"{BUCKET_ARN}/{CARD}"),
        ("s3:BypassGovernanceRetention", f"{BUCKET_ARN}/{CARD}"),
        ("s3:GetObject", f"{BUCKET_ARN}/{CARD}"),
    ]


def test_a_new_bucket_needs_what_it_sets_up() -> None:
    """Lock, ownership and access lists are permissions apart."""
    asked = needed(
        "CreateBucket",
        Bucket="new",
        ObjectLockEnabledForBucket=True,
        ObjectOwnership="BucketOwnerEnforced",
        ACL="public-read",
    )
    assert [action for action, _ in asked] == [
        "s3:CreateBucket",
        "s3:PutBucketAcl",
        "s3:PutBucketObjectLockConfiguration",
        "s3:PutBucketVersioning",
        "s3:PutBucketOwnershipControls",
    ]
    assert {resource for _, resource in asked} == {"arn:aws:s3:::new"}
    assert needed("ListBuckets") == [("s3:ListAllMyBuckets", "arn:aws:s3:::*")]


def test_a_bucket_that_is_not_there_is_s3s_to_answer() -> None:
    """`NoSuchBucket` tells nobody anything."""
    assert needed("GetObject", Bucket="none", Key=CARD) == []


@pytest.mark.parametrize(
    "source",
    [
        "",
        BUCKET,
        f"{BUCKET}/",
        f"//elsewhere/{BUCKET}/{BLOB}",
        f"x:{BUCKET}/{BLOB}",
        f"http://elsewhere/{BUCKET}/{BLOB}",
        f"{BUCKET}/{BLOB}#more",
        f"{BUCKET}/{BLOB};more",
        f"{BUCKET}/{BLOB}\t",
        f"{BUCKET}/{BLOB}é",
        f"{BUCKET}/{BLOB}?other=1&versionId=v1",
        f"{BUCKET}/{BLOB}?versionId=v1&other=1",
        f"%2F%2F{BUCKET}/{BLOB}",
    ],
)
@pytest.mark.parametrize("operation", ["CopyObject", "UploadPartCopy"])
def test_a_source_that_can_be_read_in_two_ways_is_refused(operation: str, source: str) -> None:
    """Else one object would be decided on and another one copied."""
    with pytest.raises(AwsError) as caught:
        needed(operation, Key=CARD, CopySource=source)
    assert (caught.value.code, caught.value.status) == ("InvalidArgument", 400)


@given(TEXT, TEXT | st.none())
def test_a_source_is_what_was_encoded(key: str, version: str | None) -> None:
    """Whatever characters it has, the object that is read is the one that is named."""
    named = "" if version is None else f"?versionId={quote(version, safe='')}"
    found = needed("CopyObject", Key=CARD, CopySource=f"{BUCKET}/{quote(key, safe='/-._~')}{named}")
    assert found[0] == ("s3:GetObject" if version is None else "s3:GetObjectVersion", f"{BUCKET_ARN}/{key}")


def test_a_source_in_no_bucket_is_not_there() -> None:
    """As S3 answers."""
    with pytest.raises(AwsError) as caught:
        needed("CopyObject", Key=CARD, CopySource="none/key")
    assert (caught.value.code, caught.value.status) == ("NoSuchBucket", 404)
