"""CloudTrail records as AWS writes them, for calls on the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.times import written
from tests.fakes.audit import ACCOUNT, IDENTITY, STORE

if TYPE_CHECKING:
    from datetime import datetime


def session_identity(
    role: str = "smas-data-scientist", name: str = "ds-fraud", subject: str | None = "sub-of-ds-fraud"
) -> dict[str, Any]:
    """The user identity of a role's session."""
    context: dict[str, Any] = {
        "sessionIssuer": {
            "type": "Role",
            "principalId": "AROAEXAMPLE",
            "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}",
            "accountId": ACCOUNT,
            "userName": role,
        },
        "attributes": {"creationDate": "2026-11-24T11:29:12Z", "mfaAuthenticated": "false"},
    }
    if subject is not None:
        context["sourceIdentity"] = subject
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{name}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}",
        "accountId": ACCOUNT,
        "accessKeyId": "ASIAEXAMPLE",
        "sessionContext": context,
    }


def s3_record(
    time: datetime,
    event_id: str,
    key: str | None = None,
    *,
    name: str = "GetObject",
    bucket: str = STORE.bucket,
    parameters: dict[str, Any] | None = None,
    **changed: Any,
) -> dict[str, Any]:
    """A call to S3; ``changed`` replaces members of the record, None removes one."""
    record: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": session_identity(),
        "eventTime": written(time),
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        "awsRegion": IDENTITY.region,
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "[Boto3/1.44.5]",
        "requestParameters": {
            "bucketName": bucket,
            "Host": f"{bucket}.s3.{IDENTITY.region}.amazonaws.com",
            **({"key": key} if key is not None else {}),
            **(parameters or {}),
        },
        "responseElements": None,
        "additionalEventData": {
            "SignatureVersion": "SigV4",
            "CipherSuite": "TLS_AES_128_GCM_SHA256",
            "bytesTransferredIn": 17,
            "bytesTransferredOut": 4711,
            "AuthenticationMethod": "AuthHeader",
        },
        "requestID": f"request-{event_id}",
        "eventID": event_id,
        "readOnly": name.startswith(("Get", "Head", "List")),
        "resources": [{"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"}],
        "eventType": "AwsApiCall",
        "managementEvent": False,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Data",
    }
    return {member: value for member, value in {**record, **changed}.items() if value is not None}
