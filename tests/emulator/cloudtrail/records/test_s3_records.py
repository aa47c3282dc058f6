"""Records of S3 against those that AWS documents and those that real trails have delivered."""

from __future__ import annotations

from typing import Any

import pytest
from smas_emulator.cloudtrail.records import build_record
from smas_emulator.gateway.calls import Call, Outcome
from smas_emulator.gateway.principals import Anonymous, ServicePrincipal

from tests.emulator.cloudtrail.records.calls import ACCOUNT, PRESIGNED, SUCCESS, call

BUCKET = {"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::models"}
HOST = {"host": "models.s3.us-east-1.amazonaws.com"}
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def test_a_presigned_upload_in_full() -> None:
    """As real trails show one (event version 1.10 of 2024, by a browser): query, answer, encryption, host."""
    upload = call(
        "s3",
        "PutObject",
        {"Bucket": "models", "Key": "bank/code.png", "ACL": "bucket-owner-full-control"},
        method="PUT",
        query=[
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", "ASIAEXAMPLE/20261124/us-east-1/s3/aws4_request"),
            ("X-Amz-Date", "20261124T093015Z"),
            ("X-Amz-Expires", "300"),
            ("X-Amz-SignedHeaders", "content-type;host;x-amz-acl"),
            ("X-Amz-Security-Token", "token"),
            ("X-Amz-Signature", "signature"),
        ],
        headers=HOST | {"x-amz-acl": "bucket-owner-full-control", "user-agent": "Mozilla/5.0"},
        signature=PRESIGNED,
    )
    answer = Outcome(
        200,
        bytes_in=83,
        headers={"x-amz-server-side-encryption": "AES256", "x-amz-id-2": "DJGJVr6=", "etag": '"e"'},
    )

    record = build_record(upload, answer)

    assert record.pop("userIdentity")["type"] == "AssumedRole"
    assert len(record.pop("eventID")) == 36
    assert record == {
        "eventVersion": "1.11",
        "eventTime": "2026-11-24T09:30:15Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "PutObject",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.10",
        "userAgent": "[Mozilla/5.0]",
        "requestParameters": {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Date": "20261124T093015Z",
            "X-Amz-Expires": "300",
            "X-Amz-SignedHeaders": "content-type;host;x-amz-acl",
            "bucketName": "models",
            "Host": "models.s3.us-east-1.amazonaws.com",
            "key": "bank/code.png",
            "x-amz-acl": "bucket-owner-full-control",
        },
        "responseElements": {"x-amz-server-side-encryption": "AES256"},
        "additionalEventData": {
            "SignatureVersion": "SigV4",
            "bytesTransferredIn": 83,
            "SSEApplied": "Default_SSE_S3",
            "AuthenticationMethod": "QueryString",
            "x-amz-id-2": "DJGJVr6=",
            "bytesTransferredOut": 0,
        },
        "requestID": "K5FH04G883381FE1",
        "readOnly": False,
        "resources": [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::models/bank/code.png"}, BUCKET],
        "eventType": "AwsApiCall",
        "managementEvent": False,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Data",
        "tlsDetails": {"clientProvidedHostHeader": "models.s3.us-east-1.amazonaws.com"},
    }


# Call; name; the request's parameters besides bucket and host; resources.
REQUESTS: list[Any] = [
    pytest.param(
        call(
            "s3",
            "GetObject",
            {"Bucket": "models", "Key": "blobs/ab", "VersionId": "v1"},
            query=[
                ("response-content-disposition", 'attachment; filename="m@3/model.bin"'),
                ("versionId", "v1"),
                ("x-id", "GetObject"),
                ("x-smas-request", "r-1"),
            ],
        ),
        "GetObject",
        {
            "key": "blobs/ab",
            "response-content-disposition": 'attachment; filename="m@3/model.bin"',
            "versionId": "v1",
            "x-id": "GetObject",
            "x-smas-request": "r-1",
        },
        [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::models/blobs/ab"}, BUCKET],
        id="a download names how it is saved, and what the caller added for the logs",
    ),
    pytest.param(
        call(
            "s3",
            "ListObjectsV2",
            {"Bucket": "models", "Prefix": "a/"},
            query=[("list-type", "2"), ("prefix", "a/"), ("delimiter", "/"), ("encoding-type", "url")],
        ),
        "ListObjects",
        {"list-type": "2", "prefix": "a/", "delimiter": "/", "encoding-type": "url"},
        [{"type": "AWS::S3::Object", "ARNPrefix": "arn:aws:s3:::models/a/"}, BUCKET],
        id="a listing is ListObjects, of a prefix, as real trails of 2024 and 2026 have it",
    ),
    pytest.param(
        call(
            "s3",
            "DeleteObjects",
            {"Bucket": "models", "Delete": {"Objects": [{"Key": "a"}, {"Key": "b"}]}},
            query=[("delete", ""), ("x-id", "DeleteObjects")],
        ),
        "DeleteObjects",
        {"delete": "", "x-id": "DeleteObjects"},
        [{"type": "AWS::S3::Object", "ARNPrefix": "arn:aws:s3:::models/"}, BUCKET],
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
        id="a deletion of many names no key, as AWS's guide says and real trails show",
    ),
    pytest.param(
        call(
            "s3",
            "CopyObject",
            {"Bucket": "models", "Key": "b", "CopySource": "models/a"},
            headers={
                "x-amz-copy-source": "models/a",
                "x-amz-server-side-encryption-customer-algorithm": "AES256",
                "x-amz-server-side-encryption-customer-key": "c2VjcmV0",
                "x-amz-server-side-encryption-customer-key-md5": "bWQ1",
            },
            query=[("x-id", "CopyObject")],
        ),
        "CopyObject",
        {
            "key": "b",
            "x-amz-copy-source": "models/a",
            "x-amz-server-side-encryption-customer-algorithm": "AES256",
            "x-id": "CopyObject",
        },
        [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::models/b"}, BUCKET],
        id="a copy names its source and the customer's algorithm, not the customer's key",
    ),
    pytest.param(
        call(
            "s3",
            "UploadPart",
            {"Bucket": "models", "Key": "b", "PartNumber": 2, "UploadId": "u"},
            query=[("partNumber", "2"), ("uploadId", "u")],
        ),
        "UploadPart",
        {"key": "b", "partNumber": "2", "uploadId": "u"},
        [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::models/b"}, BUCKET],
        id="a part",
    ),
    pytest.param(
        call("s3", "GetBucketVersioning", {"Bucket": "models"}, query=[("versioning", "")]),
        "GetBucketVersioning",
        {"versioning": ""},
        [BUCKET],
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-understanding-s3-entries.html
        id="a sub-resource, as in AWS's example",
    ),
    pytest.param(
        call(
            "s3",
            "PutBucketVersioning",
            {"Bucket": "models", "VersioningConfiguration": {"Status": "Enabled", "MFADelete": "Enabled"}},
            query=[("versioning", "")],
            headers={"x-amz-mfa": "arn:aws:iam::111122223333:mfa/root 123456"},
        ),
        "PutBucketVersioning",
        {
            "versioning": "",
            "VersioningConfiguration": {"Status": "Enabled", "MfaDelete": "Enabled", "xmlns": NAMESPACE},
        },
        [BUCKET],
        id="a configuration is the XML that was sent, as real trails of 2019 show; no one-time code",
    ),
    pytest.param(
        call(
            "s3",
            "PutBucketPolicy",
            {"Bucket": "models", "Policy": '{"Version":"2012-10-17","Statement":[]}'},
            query=[("policy", "")],
        ),
        "PutBucketPolicy",
        {"policy": "", "bucketPolicy": {"Version": "2012-10-17", "Statement": []}},
        [BUCKET],
        id="a bucket policy is JSON, as in a real trail of 2025",
    ),
    pytest.param(
        call("s3", "PutBucketPolicy", {"Bucket": "models", "Policy": "{"}, query=[("policy", "")]),
        "PutBucketPolicy",
        {"policy": "", "bucketPolicy": "{"},
        [BUCKET],
        id="a policy that is no JSON is shown as sent",
    ),
    pytest.param(
        call(
            "s3",
            "PutBucketEncryption",
            {
                "Bucket": "models",
                "ServerSideEncryptionConfiguration": {
                    "Rules": [
                        {
                            "ApplyServerSideEncryptionByDefault": {
                                "SSEAlgorithm": "aws:kms",
                                "KMSMasterKeyID": "k",
                            }
                        }
                    ]
                },
            },
            query=[("encryption", "")],
        ),
        "PutBucketEncryption",
        {
            "encryption": "",
            "ServerSideEncryptionConfiguration": {
                "Rule": {
                    "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"}
                },
                "xmlns": NAMESPACE,
            },
        },
        [BUCKET],
        id="one rule is no list",
    ),
    pytest.param(
        call(
            "s3",
            "PutObjectTagging",
            {
                "Bucket": "models",
                "Key": "a",
                "Tagging": {"TagSet": [{"Key": "x", "Value": "1"}, {"Key": "y", "Value": "2"}]},
            },
            query=[("tagging", "")],
        ),
        "PutObjectTagging",
        {
            "tagging": "",
            "key": "a",
            "Tagging": {
                "TagSet": {"Tag": [{"Key": "x", "Value": "1"}, {"Key": "y", "Value": "2"}]},
                "xmlns": NAMESPACE,
            },
        },
        [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::models/a"}, BUCKET],
        id="two tags are a list",
    ),
    pytest.param(
        call(
            "s3",
            "CreateBucket",
            {"Bucket": "models", "CreateBucketConfiguration": {"LocationConstraint": "us-east-2"}},
        ),
        "CreateBucket",
        {"CreateBucketConfiguration": {"LocationConstraint": "us-east-2", "xmlns": NAMESPACE}},
        None,
        id="a new bucket is no resource yet, as in real trails of 2025 and 2026",
    ),
    pytest.param(
        call("s3", "HeadBucket", {"Bucket": "models"}, method="HEAD"),
        "HeadBucket",
        {},
        [{"type": "AWS::S3::Object", "ARNPrefix": "arn:aws:s3:::models/"}, BUCKET],
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
        id="HEAD Bucket counts as a data event of an empty prefix",
    ),
]


@pytest.mark.parametrize(("made", "name", "parameters", "resources"), REQUESTS)
def test_what_was_asked(
    made: Call, name: str, parameters: dict[str, Any], resources: list[dict[str, str]] | None
) -> None:
    """Parameters are those of HTTP, with nothing of how the request was signed in its header."""
    record = build_record(made, SUCCESS)

    assert record["eventName"] == name
    expected = {"bucketName": "models", "Host": "s3.us-east-1.amazonaws.com", **parameters}
    assert record["requestParameters"] == expected
    assert record.get("resources") == resources


@pytest.mark.parametrize(
    ("operation", "outcome", "elements"),
    [
        ("GetObject", Outcome(200, headers={"x-amz-version-id": "v"}), None),
        ("PutObject", Outcome(200), None),
        ("PutObject", Outcome(200, {"VersionId": "v", "ETag": "e"}), {"x-amz-version-id": "v"}),
        (
            "DeleteObject",
            Outcome(204, {"DeleteMarker": True, "VersionId": "v"}),
            {"x-amz-delete-marker": "true", "x-amz-version-id": "v"},
        ),
        ("PutObject", Outcome(403, error_code="AccessDenied", headers={"x-amz-version-id": "v"}), None),
    ],
)
def test_what_was_answered(operation: str, outcome: Outcome, elements: dict[str, str] | None) -> None:
    """Writes show version and encryption, from headers or members; reads and failures nothing."""
    record = build_record(call("s3", operation, {"Bucket": "models", "Key": "a"}), outcome)

    assert record["responseElements"] == elements


@pytest.mark.parametrize(
    ("asked", "answered", "applied"),
    [
        ({}, {"x-amz-server-side-encryption": "aws:kms"}, "Default_SSE_KMS"),
        (
            {"x-amz-server-side-encryption": "aws:kms"},
            {"x-amz-server-side-encryption": "aws:kms"},
            "SSE_KMS",
        ),
        ({"x-amz-server-side-encryption": "AES256"}, {"x-amz-server-side-encryption": "AES256"}, "SSE_S3"),
        ({}, {"x-amz-server-side-encryption-customer-algorithm": "AES256"}, "SSE_C"),
        ({}, {}, None),
    ],
)
def test_which_encryption_applied(asked: dict[str, str], answered: dict[str, str], applied: str) -> None:
    """`Default_` when the bucket chose, else what was asked for.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
    """
    record = build_record(
        call("s3", "PutObject", {"Bucket": "models", "Key": "a"}, headers=asked),
        Outcome(200, headers=answered),
    )

    assert record["additionalEventData"].get("SSEApplied") == applied


def test_no_bytes_leave_with_an_answer_to_head() -> None:
    """Its `Content-Length` is the object's, yet real trails count 0 bytes out."""
    head = call("s3", "HeadObject", {"Bucket": "models", "Key": "a"}, method="HEAD")

    assert build_record(head, Outcome(200, bytes_out=4096))["additionalEventData"]["bytesTransferredOut"] == 0


def test_a_refusal_is_a_record_with_its_reason() -> None:
    """Error code and AWS's sentence, beside all that was asked for, as in a real trail of 2026."""
    message = (
        "User: arn:aws:sts::111122223333:assumed-role/smas-data-scientist/ds-fraud is not authorized to "
        'perform: s3:GetObject on resource: "arn:aws:s3:::models/a" because no identity-based policy '
        "allows the s3:GetObject action"
    )
    refused = Outcome(403, error_code="AccessDenied", error_message=message, bytes_out=243)

    record = build_record(call("s3", "GetObject", {"Bucket": "models", "Key": "a"}), refused)

    assert (record["errorCode"], record["errorMessage"]) == ("AccessDenied", message)
    assert record["requestParameters"]["key"] == "a"
    assert record["readOnly"] is True
    assert [*record][8:10] == ["errorCode", "errorMessage"]


def test_a_success_has_no_error_fields() -> None:
    """`errorCode` exists only where something failed."""
    record = build_record(call("s3", "GetObject", {"Bucket": "models", "Key": "a"}), SUCCESS)

    assert not {"errorCode", "errorMessage"} & record.keys()


def test_nobody_known_at_s3() -> None:
    """An unsigned call is by the account `anonymous`, without a way of signing, as real trails show."""
    record = build_record(
        call("s3", "ListObjects", {"Bucket": "models"}, principal=Anonymous(), signature=None),
        Outcome(403, error_code="AccessDenied", error_message="Access Denied"),
    )

    assert record["userIdentity"] == {"type": "AWSAccount", "principalId": "", "accountId": "anonymous"}
    assert not {"SignatureVersion", "AuthenticationMethod"} & record["additionalEventData"].keys()


def test_a_delivery_by_cloudtrail_itself() -> None:
    """Address and agent are the service's name, without brackets, as a real trail of 2023 shows."""
    record = build_record(
        call(
            "s3",
            "PutObject",
            {"Bucket": "trail", "Key": "AWSLogs/l.json.gz"},
            principal=ServicePrincipal("cloudtrail.amazonaws.com"),
        ),
        SUCCESS,
    )

    assert record["userIdentity"] == {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"}
    assert record["sourceIPAddress"] == record["userAgent"] == "cloudtrail.amazonaws.com"
    assert "tlsDetails" not in record


def test_without_tls_there_are_no_details_of_it() -> None:
    """`tlsDetails` is for calls over TLS."""
    record = build_record(call("s3", "ListBuckets", secure=False), SUCCESS)

    assert "tlsDetails" not in record
    assert "resources" not in record


def test_an_upload_from_a_form_is_recorded_though_botocore_has_no_such_operation() -> None:
    """`PostObject` is in CloudTrail's list of data events."""
    record = build_record(
        call("s3", "PostObject", {"Bucket": "models", "Key": "a"}), Outcome(204, {"VersionId": "v"})
    )

    assert (record["eventName"], record["eventCategory"], record["readOnly"]) == ("PostObject", "Data", False)
    assert record["responseElements"] == {"x-amz-version-id": "v"}
