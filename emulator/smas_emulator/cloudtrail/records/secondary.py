"""Events that a call causes besides its own: S3's use of KMS keys.

S3 calls KMS in the caller's name, and KMS records that as well: `invokedBy` S3, with the object's ARN as
encryption context (https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html). With a
bucket key S3 does so seldom rather than for each object; then there is none here. Nothing else makes two
events: `DeleteObjects` is one, without keys, and `CopyObject` is one, with its source among the parameters.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from smas_emulator.cloudtrail.records.identity import user_identity
from smas_emulator.cloudtrail.records.record import EVENT_VERSION
from smas_emulator.cloudtrail.records.times import iso_seconds
from smas_emulator.gateway.principals import ServicePrincipal

if TYPE_CHECKING:
    from smas_emulator.gateway.calls import Call, Outcome

_INVOKED_BY = "fas.s3.amazonaws.com"
_ENCRYPTION = "x-amz-server-side-encryption"
# What S3 asks of KMS to write anew, and to go on with what there is.
_ASKED = {
    "CompleteMultipartUpload": "Decrypt",
    "CopyObject": "GenerateDataKey",
    "CreateMultipartUpload": "GenerateDataKey",
    "GetObject": "Decrypt",
    "PutObject": "GenerateDataKey",
    "UploadPart": "Decrypt",
    "UploadPartCopy": "Decrypt",
}


def secondary_records(call: Call, outcome: Outcome) -> tuple[dict[str, Any], ...]:
    """The management events of KMS that a successful call to S3 causes; () for any other call.

    Needs the answer's encryption headers in `outcome.headers` or its members in `outcome.response`.
    """
    if call.service != "s3" or outcome.error_code is not None:
        return ()
    name = _ASKED.get(call.operation)
    key = _key_used(outcome)
    if name is None or key is None:
        return ()
    return (_event(call, outcome, name, key),)


def _key_used(outcome: Outcome) -> str | None:
    headers, members = outcome.headers, outcome.response
    algorithm = headers.get(_ENCRYPTION) or members.get("ServerSideEncryption")
    if algorithm not in {"aws:kms", "aws:kms:dsse"}:
        return None
    bucket_key = headers.get(f"{_ENCRYPTION}-bucket-key-enabled") or members.get("BucketKeyEnabled")
    if str(bucket_key).lower() == "true":
        return None
    key = headers.get(f"{_ENCRYPTION}-aws-kms-key-id") or members.get("SSEKMSKeyId")
    return str(key) if key else None


def _event(call: Call, outcome: Outcome, name: str, key: str) -> dict[str, Any]:
    arn = key if key.startswith("arn:") else f"arn:aws:kms:{call.region}:{call.account}:key/{key}"
    bucket, object_key = call.parameters.get("Bucket", ""), call.parameters.get("Key", "")
    parameters: dict[str, Any] = {
        "keyId": arn,
        "encryptionContext": {"aws:s3:arn": f"arn:aws:s3:::{bucket}/{object_key}"},
    }
    if name == "GenerateDataKey":
        parameters["keySpec"] = "AES_256"
    else:
        parameters["encryptionAlgorithm"] = "SYMMETRIC_DEFAULT"
    by = call.principal.name if isinstance(call.principal, ServicePrincipal) else _INVOKED_BY
    return {
        "eventVersion": EVENT_VERSION,
        "userIdentity": user_identity(call, outcome) | {"invokedBy": by},
        "eventTime": iso_seconds(call.time),
        "eventSource": "kms.amazonaws.com",
        "eventName": name,
        "awsRegion": call.region,
        "sourceIPAddress": by,
        "userAgent": by,
        "requestParameters": parameters,
        "responseElements": None,
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": True,
        "resources": [{"accountId": arn.split(":")[4], "type": "AWS::KMS::Key", "ARN": arn}],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": call.account,
        "eventCategory": "Management",
    }
