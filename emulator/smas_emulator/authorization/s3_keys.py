"""The condition keys of S3 requests.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-policy-keys
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smas_emulator.authorization.global_keys import Context
    from smas_emulator.gateway.calls import Call

_SIGNATURE_VERSIONS = {"SigV4": "AWS4-HMAC-SHA256", "SigV2": "AWS"}
_AUTH_TYPES = {"AuthHeader": "REST-HEADER", "QueryString": "REST-QUERY-STRING"}
_UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
# A header that was not sent has no key: a bucket's default encryption fills in none of these
# (https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html).
_HEADERS = (
    ("ACL", "s3:x-amz-acl"),
    ("CopySource", "s3:x-amz-copy-source"),
    ("GrantFullControl", "s3:x-amz-grant-full-control"),
    ("GrantRead", "s3:x-amz-grant-read"),
    ("GrantReadACP", "s3:x-amz-grant-read-acp"),
    ("GrantWrite", "s3:x-amz-grant-write"),
    ("GrantWriteACP", "s3:x-amz-grant-write-acp"),
    ("MetadataDirective", "s3:x-amz-metadata-directive"),
    ("ObjectLockLegalHoldStatus", "s3:object-lock-legal-hold"),
    ("ObjectLockMode", "s3:object-lock-mode"),
    ("ObjectOwnership", "s3:x-amz-object-ownership"),
    ("SSECustomerAlgorithm", "s3:x-amz-server-side-encryption-customer-algorithm"),
    ("SSEKMSKeyId", "s3:x-amz-server-side-encryption-aws-kms-key-id"),
    ("ServerSideEncryption", "s3:x-amz-server-side-encryption"),
    ("StorageClass", "s3:x-amz-storage-class"),
    ("WebsiteRedirectLocation", "s3:x-amz-website-redirect-location"),
)
# Those that make no object take no conditional headers, and whoever demands these exempts them by this key
# (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html).
_CREATES_OBJECT = {
    "PutObject": "true",
    "CopyObject": "true",
    "CompleteMultipartUpload": "true",
    "CreateMultipartUpload": "false",
    "UploadPart": "false",
    "UploadPartCopy": "false",
}
# Access lists that a request spells out.
GRANTS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP")
_LISTED_BY = (("Prefix", "s3:prefix"), ("Delimiter", "s3:delimiter"), ("MaxKeys", "s3:max-keys"))


def connection_keys(call: Call, owner: str) -> Context:
    """How the request is signed.

    `s3:signatureAge`, in milliseconds, is there for presigned requests only, and `s3:x-amz-content-sha256`
    says of those that the payload is not signed
    (https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html).
    """
    context: Context = {"s3:ResourceAccount": owner}
    signature = call.signature
    if signature is None:
        return context
    context["s3:signatureversion"] = _SIGNATURE_VERSIONS.get(signature.version, signature.version)
    context["s3:authType"] = _AUTH_TYPES[signature.kind]
    payload = call.http.headers.get("x-amz-content-sha256")
    if signature.kind == "QueryString":
        age = call.time - signature.signed_at
        context["s3:signatureAge"] = str(max(0, int(age.total_seconds() * 1000)))
        payload = payload or _UNSIGNED_PAYLOAD
    if payload:
        context["s3:x-amz-content-sha256"] = payload
    return context


def listing_keys(parameters: Mapping[str, Any]) -> Context:
    """What a list is limited to; an empty prefix that was sent is a prefix."""
    return {key: str(parameters[name]) for name, key in _LISTED_BY if parameters.get(name) is not None}


def version_keys(version_id: str | None) -> Context:
    """The version that a request names."""
    return {} if version_id is None else {"s3:VersionId": version_id}


def existing_tag_keys(tags: Mapping[str, str]) -> Context:
    """The tags that the addressed version has."""
    return {f"s3:ExistingObjectTag/{name}": value for name, value in tags.items()}


def write_keys(call: Call) -> Context:
    """What a request that writes says in its headers, and which tags and which lock it asks for."""
    parameters = call.parameters
    context: Context = {
        key: str(parameters[name]) for name, key in _HEADERS if parameters.get(name) is not None
    }
    if call.operation in _CREATES_OBJECT:
        context["s3:ObjectCreationOperation"] = _CREATES_OBJECT[call.operation]
        context.update(condition_keys(parameters))
    tags = requested_tags(parameters)
    if tags is not None:
        context["s3:RequestObjectTagKeys"] = tuple(tags)
        context.update({f"s3:RequestObjectTag/{name}": value for name, value in tags.items()})
    context.update(_lock_keys(call))
    return context


def condition_keys(parameters: Mapping[str, Any]) -> Context:
    """`s3:if-match` and `s3:if-none-match` of a write or delete: there only when the header is."""
    names = (("IfMatch", "s3:if-match"), ("IfNoneMatch", "s3:if-none-match"))
    return {key: str(parameters[name]) for name, key in names if parameters.get(name) is not None}


def requested_tags(parameters: Mapping[str, Any]) -> dict[str, str] | None:
    """The tags that a request sets, in its header or its body; None when it says nothing of tags."""
    tagging = parameters.get("Tagging")
    if tagging is None:
        return None
    if isinstance(tagging, str):
        return dict(parse_qsl(tagging, keep_blank_values=True))
    return {tag["Key"]: tag.get("Value", "") for tag in tagging.get("TagSet") or ()}


def _lock_keys(call: Call) -> Context:
    """Retention and legal hold that a request sets, in its headers or its body."""
    retention = call.parameters.get("Retention") or {}
    hold = call.parameters.get("LegalHold") or {}
    context: Context = {}
    if retention.get("Mode"):
        context["s3:object-lock-mode"] = str(retention["Mode"])
    if hold.get("Status"):
        context["s3:object-lock-legal-hold"] = str(hold["Status"])
    until = retention.get("RetainUntilDate") or call.parameters.get("ObjectLockRetainUntilDate")
    if until is not None:
        moment = _moment(until)
        context["s3:object-lock-retain-until-date"] = moment.isoformat().replace("+00:00", "Z")
        context["s3:object-lock-remaining-retention-days"] = str((moment - call.time).days)
    return context


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
