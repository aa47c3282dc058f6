"""A made-up trail: thirty days of calls on a store of a hundred models, as CloudTrail writes them down.

Of twenty calls eleven are reads, four of them downloads by presigned URL; the others are lists, writes, KMS's
and STS's. One in fifty is refused. Records have the members and the length of AWS's own, about 2 KB.
"""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

ACCOUNT, REGION, STORE, TRAIL = "111122223333", "us-east-1", "measured-models", "measured-trail"
ROLE_PREFIX: Final = f"arn:aws:iam::{ACCOUNT}:role/smas-"
FOLDER: Final = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/"
BEGUN: Final = datetime(2026, 3, 1, tzinfo=UTC)
MODELS: Final = tuple(f"team-{number % 10}/model-{number:02}" for number in range(100))
# Events are delivered up to a quarter of an hour after they happened.
_LATEST: Final = 900
_AGENT: Final = (
    "[Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux#6.1.0 md/arch#x86_64 lang/python#3.11.7 "
    "md/pyimpl#CPython m/Z,b,D cfg/retry-mode#standard Botocore/1.44.5 smas]"
)


def log_file(number: int, days: int, files: int, events: int) -> tuple[str, bytes]:
    """Key and bytes of one of ``files`` log files of ``events`` each, evenly over ``days``."""
    step = timedelta(days=days) / files
    chance = Random(number)  # noqa: S311 - no secret
    closed = BEGUN + step * (number + 1)
    records = [_record(chance, closed, step.total_seconds()) for _ in range(events)]
    text = json.dumps({"Records": records}, separators=(",", ":"))
    name = f"{ACCOUNT}_CloudTrail_{REGION}_{closed:%Y%m%dT%H%MZ}_{chance.getrandbits(64):016x}.json.gz"
    return f"{FOLDER}{closed:%Y/%m/%d}/{name}", gzip.compress(text.encode())


def _record(chance: Random, closed: datetime, seconds: float) -> dict[str, Any]:
    happened = closed - timedelta(seconds=chance.random() * (seconds + _LATEST))
    model = chance.choice(MODELS)
    person = f"ds-{chance.randrange(40):02}"
    record = {
        "eventVersion": "1.11",
        "userIdentity": _identity(chance, "data-scientist", person),
        "eventTime": f"{max(happened, BEGUN):%Y-%m-%dT%H:%M:%SZ}",
        "awsRegion": REGION,
        "sourceIPAddress": f"198.51.100.{chance.randrange(256)}",
        "userAgent": _AGENT,
        "requestID": f"{chance.getrandbits(64):016X}",
        "eventID": str(UUID(int=chance.getrandbits(128), version=4)),
        "eventType": "AwsApiCall",
        "recipientAccountId": ACCOUNT,
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": f"{STORE}.s3.{REGION}.amazonaws.com",
        },
    }
    kind = chance.randrange(20)
    digest = f"{chance.randrange(500):064x}"
    if kind < 16:  # noqa: PLR2004
        return {**record, **_s3(chance, kind, model, digest)}
    if kind < 19:  # noqa: PLR2004
        return {**record, **_kms(f"arn:aws:s3:::{STORE}/blobs/{model}/{digest}")}
    return {**record, **_sts(chance, person)}


def _identity(chance: Random, role: str, person: str) -> dict[str, Any]:
    return {
        "type": "AssumedRole",
        "principalId": f"AROAMEASUREDMEASURED1:{person}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/smas-{role}/{person}",
        "accountId": ACCOUNT,
        "accessKeyId": f"ASIA{chance.getrandbits(64):016X}",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAMEASUREDMEASURED1",
                "arn": f"{ROLE_PREFIX}{role}",
                "accountId": ACCOUNT,
                "userName": f"smas-{role}",
            },
            "attributes": {"creationDate": "2026-03-01T09:30:00Z", "mfaAuthenticated": "false"},
            "sourceIdentity": f"sub-of-{person}",
        },
    }


def _s3(chance: Random, kind: int, model: str, digest: str) -> dict[str, Any]:
    name, key, parameters = "GetObject", f"blobs/{model}/{digest}", {}
    if kind < 4:  # noqa: PLR2004
        path = f"weights/part {chance.randrange(50):03}.safetensors"
        source = quote(f"{model}/{chance.randrange(1, 20)}/{path}", safe="/")
        parameters = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Expires": "900",
            "X-Amz-SignedHeaders": "host",
            "response-content-disposition": f'attachment; filename="{path[8:]}"; smas="{source}"',
            "versionId": f"{chance.getrandbits(128):032x}",
        }
    elif kind < 11:  # noqa: PLR2004
        key = f"manifests/{model}/{9_999_999_999 - chance.randrange(1, 20)}.json"
    elif kind < 14:  # noqa: PLR2004
        name, key = "ListObjects", ""
        parameters = {"list-type": "2", "prefix": f"verdicts/{model}/", "max-keys": "1000"}
    else:
        name = "PutObject"
        parameters = {"x-amz-server-side-encryption": "aws:kms"}
    refused = chance.randrange(50) == 0
    return {
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        **({"errorCode": "AccessDenied", "errorMessage": "User is not authorized"} if refused else {}),
        "requestParameters": {
            "bucketName": STORE,
            "Host": f"{STORE}.s3.{REGION}.amazonaws.com",
            **({"key": key} if key else {}),
            **parameters,
        },
        "responseElements": None,
        "additionalEventData": {
            "SignatureVersion": "SigV4",
            "CipherSuite": "TLS_AES_128_GCM_SHA256",
            "bytesTransferredIn": 0,
            "AuthenticationMethod": "AuthHeader" if kind >= 4 else "QueryString",  # noqa: PLR2004
            "x-amz-id-2": f"{chance.getrandbits(448):0112x}",
            "bytesTransferredOut": chance.randrange(1 << 30),
        },
        "readOnly": name != "PutObject",
        "resources": [
            {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{STORE}/{key}"},
            {"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{STORE}"},
        ],
        "managementEvent": False,
        "eventCategory": "Data",
    }


def _kms(arn: str) -> dict[str, Any]:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/28a7bb7f-80d1-4551-8e4f-058d1df63a45"
    return {
        "eventSource": "kms.amazonaws.com",
        "eventName": "Decrypt",
        "requestParameters": {
            "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "encryptionContext": {"aws:s3:arn": arn},
            "keyId": key,
        },
        "responseElements": None,
        "readOnly": True,
        "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key}],
        "managementEvent": True,
        "eventCategory": "Management",
    }


def _sts(chance: Random, person: str) -> dict[str, Any]:
    role = f"{ROLE_PREFIX}data-scientist"
    return {
        "userIdentity": _identity(chance, "service", "smas-service"),
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRole",
        "requestParameters": {
            "roleArn": role,
            "roleSessionName": person,
            "durationSeconds": 3600,
            "tags": [{"key": "jti", "value": f"{chance.getrandbits(128):032x}"}],
            "sourceIdentity": f"sub-of-{person}",
        },
        "responseElements": {"sourceIdentity": f"sub-of-{person}"},
        "readOnly": True,
        "resources": [{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": role}],
        "managementEvent": True,
        "eventCategory": "Management",
    }
