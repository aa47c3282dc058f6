"""What a call causes besides its own event."""

from __future__ import annotations

import pytest
from smas_emulator.cloudtrail.records import secondary_records
from smas_emulator.gateway.calls import Outcome
from smas_emulator.gateway.principals import ServicePrincipal

from tests.emulator.cloudtrail.records.calls import ACCOUNT, SUCCESS, call

KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd"
ENCRYPTED = {
    "x-amz-server-side-encryption": "aws:kms",
    "x-amz-server-side-encryption-aws-kms-key-id": KEY,
}
PUT = call("s3", "PutObject", {"Bucket": "models", "Key": "a"}, method="PUT")


def test_s3_uses_a_key_in_the_callers_name() -> None:
    """A data key for what is written: the caller, by way of S3, with the object as context.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """
    (record,) = secondary_records(PUT, Outcome(200, headers=ENCRYPTED))

    assert record["eventSource"] == "kms.amazonaws.com"
    assert record["eventName"] == "GenerateDataKey"
    assert record["userIdentity"]["sessionContext"]["sourceIdentity"] == "ds-fraud"
    assert record["userIdentity"]["invokedBy"] == record["sourceIPAddress"] == "fas.s3.amazonaws.com"
    assert record["requestParameters"] == {
        "keyId": KEY,
        "encryptionContext": {"aws:s3:arn": "arn:aws:s3:::models/a"},
        "keySpec": "AES_256",
    }
    assert record["responseElements"] is None
    assert (record["readOnly"], record["eventCategory"]) == (True, "Management")
    assert record["resources"] == [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": KEY}]


def test_reading_decrypts() -> None:
    """What is read needs its data key decrypted; a bare key id is the account's own."""
    outcome = Outcome(200, {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "1234abcd"})

    (record,) = secondary_records(call("s3", "GetObject", {"Bucket": "models", "Key": "a"}), outcome)

    assert record["eventName"] == "Decrypt"
    assert record["requestParameters"]["keyId"] == KEY


def test_a_service_stays_itself() -> None:
    """CloudTrail's own deliveries are CloudTrail's use of the key, as a real trail of 2018 shows."""
    by_cloudtrail = call(
        "s3",
        "PutObject",
        {"Bucket": "trail", "Key": "a"},
        principal=ServicePrincipal("cloudtrail.amazonaws.com"),
    )

    (record,) = secondary_records(by_cloudtrail, Outcome(200, headers=ENCRYPTED))

    assert record["userIdentity"] == {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"}
    assert record["userAgent"] == "cloudtrail.amazonaws.com"


@pytest.mark.parametrize(
    ("operation", "outcome"),
    [
        ("PutObject", SUCCESS),
        ("PutObject", Outcome(200, headers={"x-amz-server-side-encryption": "AES256"})),
        ("PutObject", Outcome(403, error_code="AccessDenied", headers=ENCRYPTED)),
        (
            "PutObject",
            Outcome(200, headers=ENCRYPTED | {"x-amz-server-side-encryption-bucket-key-enabled": "true"}),
        ),
        ("HeadObject", Outcome(200, headers=ENCRYPTED)),
        ("DeleteObjects", SUCCESS),
    ],
)
def test_no_other_event(operation: str, outcome: Outcome) -> None:
    """None without a key of KMS, with a bucket key, after a failure, or for what uses no data key."""
    assert secondary_records(call("s3", operation, {"Bucket": "models", "Key": "a"}), outcome) == ()


def test_other_services_cause_none() -> None:
    """Assuming a role is one event."""
    assert secondary_records(call("sts", "AssumeRole"), Outcome(200, headers=ENCRYPTED)) == ()
