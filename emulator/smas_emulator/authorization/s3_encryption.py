"""The permissions on KMS keys that S3 asks for on a caller's behalf.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smas_emulator.authorization.requirement import Requirement
from smas_emulator.gateway.errors import AwsError
from smas_emulator.iam.evaluation import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas_emulator.authorization.global_keys import Context
    from smas_emulator.authorization.ports import AccountFacts, BucketFacts
    from smas_emulator.gateway.calls import Call

_AWS_MANAGED_KEY = "alias/aws/s3"
_KMS = "aws:kms"
_CONTEXT_KEY = "aws:s3:arn"
# `aws:SourceIp` is that of S3 and not of the caller, so that it says nothing
# (https://docs.aws.amazon.com/kms/latest/developerguide/conditions-aws.html).
_NOT_PASSED_ON = ("aws:SourceIp", "aws:UserAgent", "aws:Referer")


def key_permission(
    call: Call, facts: AccountFacts, context: Context, *, action: str, key_id: str, protects: str
) -> Requirement | None:
    """The requirement of `action` (`kms:Decrypt`) on a key; `protects` is the ARN in the encryption context.

    That is the bucket's under a bucket key and the object's otherwise. `context` has the request's global
    keys. None for S3's own key of the account, whose policy lets in everybody whom S3 lets in. Raises
    `AwsError` as S3 does when there is no such key.
    """
    key = facts.key(key_id)
    if key is None and key_id.endswith(_AWS_MANAGED_KEY):
        return None
    if key is None:
        raise AwsError("KMS.NotFoundException", f"Key '{key_id}' does not exist", 400)
    if key.aws_managed:
        return None
    owner = key.arn.split(":")[4]
    passed_on: Context = {name: value for name, value in context.items() if name not in _NOT_PASSED_ON}
    passed_on |= {
        "aws:ResourceAccount": owner,
        "aws:ViaAWSService": "true",
        "kms:CallerAccount": getattr(call.principal, "account", ""),
        "kms:EncryptionContextKeys": (_CONTEXT_KEY,),
        f"kms:EncryptionContext:{_CONTEXT_KEY}": protects,
        "kms:ViaService": f"s3.{call.region}.amazonaws.com",
    }
    return Requirement(Request(action, key.arn, passed_on), owner, key.policy, delegation_required=True)


def key_of_write(parameters: Mapping[str, Any], bucket: BucketFacts) -> tuple[str | None, bool]:
    """The key that a new object is encrypted under, None for none of KMS; and whether by a bucket key.

    The request's headers come first; `aws:kms` without a key means the account's own key for S3
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html).
    """
    if parameters.get("SSECustomerAlgorithm"):
        return None, False
    enabled = parameters.get("BucketKeyEnabled")
    by_bucket_key = bucket.bucket_key_enabled if enabled is None else bool(enabled)
    algorithm = parameters.get("ServerSideEncryption")
    if algorithm is None:
        return parameters.get("SSEKMSKeyId") or bucket.default_kms_key, by_bucket_key
    if not str(algorithm).startswith(_KMS):
        return None, False
    return parameters.get("SSEKMSKeyId") or _AWS_MANAGED_KEY, by_bucket_key
