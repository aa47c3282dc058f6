"""What is particular to the records of S3.

Parameters are those of HTTP: the sub-resource and other query parameters, `x-amz-*` headers, `Host`; so are
the response elements. Of a presigned call the query shows how it was signed, but neither credential nor
signature nor token. Names follow events as
https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-understanding-s3-entries.html has
them. Only what botocore's model of S3 knows is shown, besides query parameters that begin with `x-`, which
S3 passes on to its logs for the caller's own use.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from smas_emulator.cloudtrail.records.documents import document
from smas_emulator.cloudtrail.records.operations import service_model
from smas_emulator.cloudtrail.records.secrets import names_secret

if TYPE_CHECKING:
    from smas_emulator.cloudtrail.records.operations import Operation
    from smas_emulator.gateway.calls import Call, HttpRequest, Outcome

_SIGNING = frozenset({"x-amz-algorithm", "x-amz-date", "x-amz-expires", "x-amz-signedheaders"})
_NOT_SHOWN = frozenset({"x-amz-server-side-encryption-context", "x-amz-content-sha256"})
# Of a parameter that the caller made up, only the name tells what it may hold.
_TELLING = re.compile("token|secret|sig|credential|pass|key|auth|code")
_ENCRYPTION = "x-amz-server-side-encryption"
_CUSTOMER_ALGORITHM = f"{_ENCRYPTION}-customer-algorithm"
# Headers of an answer that are response elements, and the members they are in botocore's model.
_RESPONSE_HEADERS = (
    (_ENCRYPTION, "ServerSideEncryption"),
    (f"{_ENCRYPTION}-aws-kms-key-id", "SSEKMSKeyId"),
    (f"{_ENCRYPTION}-bucket-key-enabled", "BucketKeyEnabled"),
    (_CUSTOMER_ALGORITHM, "SSECustomerAlgorithm"),
    ("x-amz-copy-source-version-id", "CopySourceVersionId"),
    ("x-amz-delete-marker", "DeleteMarker"),
    ("x-amz-expiration", "Expiration"),
    ("x-amz-version-id", "VersionId"),
)


def request_parameters(call: Call, operation: Operation) -> dict[str, Any]:
    """Bucket, key, host, query, headers, and what a configuration was set to."""
    shown: dict[str, Any] = {name: value for name, value in call.http.query if _query_shown(name)}
    headers = _headers_shown()
    shown.update((name, value) for name, value in call.http.headers.items() if name in headers)
    if bucket := call.parameters.get("Bucket"):
        shown["bucketName"] = bucket
    if host := call.http.host:
        shown["Host"] = host
    if key := call.parameters.get("Key"):
        shown["key"] = key
    if operation.request is not None and "payload" in operation.request.serialization:
        shown.update(document(operation, call.parameters))
    return shown


def response_elements(outcome: Outcome) -> dict[str, Any]:
    """Encryption and version of what was written."""
    headers, members = outcome.headers, outcome.response
    shown = {}
    for header, member in _RESPONSE_HEADERS:
        value = headers.get(header) or members.get(member)
        if value:
            shown[header] = value if isinstance(value, str) else str(value).lower()
    return shown


def additional_data(call: Call, outcome: Outcome, operation: Operation) -> dict[str, Any]:
    """How the call was signed, how much was transferred, and which encryption applied."""
    data: dict[str, Any] = {}
    if call.signature is not None:
        data["SignatureVersion"] = call.signature.version
    data["bytesTransferredIn"] = outcome.bytes_in
    if not operation.read_only and outcome.error_code is None:
        applied = encryption_applied(call.http, outcome)
        if applied is not None:
            data["SSEApplied"] = applied
    if call.signature is not None:
        data["AuthenticationMethod"] = call.signature.kind
    if extended_id := outcome.headers.get("x-amz-id-2"):
        data["x-amz-id-2"] = extended_id
    # The length that an answer to HEAD names is that of a body which is not sent.
    data["bytesTransferredOut"] = 0 if call.http.method == "HEAD" else outcome.bytes_out
    return data


def encryption_applied(http: HttpRequest, outcome: Outcome) -> str | None:
    """`SSE_S3`, `SSE_KMS`, `SSE_C` …, with `Default_` when the request asked for none; None if unknown.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
    """
    if outcome.headers.get(_CUSTOMER_ALGORITHM) or outcome.response.get("SSECustomerAlgorithm"):
        return "SSE_C"
    algorithm = outcome.headers.get(_ENCRYPTION) or outcome.response.get("ServerSideEncryption")
    applied = {"AES256": "SSE_S3", "aws:kms": "SSE_KMS", "aws:kms:dsse": "DSSE_KMS"}.get(str(algorithm))
    if applied is None:
        return None
    asked = _ENCRYPTION in http.headers or any(name.lower() == _ENCRYPTION for name, _ in http.query)
    return applied if asked else f"Default_{applied}"


def resources(call: Call, operation: Operation) -> list[dict[str, str]] | None:
    """Object and bucket; for a listing or a deletion of many, what their keys begin with instead."""
    bucket = call.parameters.get("Bucket")
    if not bucket or operation.event_name == "CreateBucket":
        return None
    arn = bucket if bucket.startswith("arn:") else f"arn:aws:s3:::{bucket}"
    of_bucket = {"accountId": call.account, "type": "AWS::S3::Bucket", "ARN": arn}
    if operation.category == "Management":
        return [of_bucket]
    if key := call.parameters.get("Key"):
        return [{"type": "AWS::S3::Object", "ARN": f"{arn}/{key}"}, of_bucket]
    prefix = call.parameters.get("Prefix") or ""
    return [{"type": "AWS::S3::Object", "ARNPrefix": f"{arn}/{prefix}"}, of_bucket]


@lru_cache(maxsize=4096)
def _query_shown(name: str) -> bool:
    lower = name.lower()
    if lower in _SIGNING:
        return True
    if lower.startswith("x-amz-"):
        return lower in _headers_shown()
    return name in _known("querystring") or (lower.startswith("x-") and not _TELLING.search(lower))


@cache
def _headers_shown() -> frozenset[str]:
    headers = {name.lower() for name in _known("header")}
    return frozenset(
        name
        for name in headers
        if name.startswith("x-amz-") and name not in _NOT_SHOWN and not names_secret(name)
    )


@cache
def _known(location: str) -> frozenset[str]:
    """The names that S3's operations have in the query or among the headers, sub-resources included."""
    names: set[str] = {"x-id"}
    model = service_model("s3")
    if model is None:
        return frozenset()
    for each in model.operation_names:
        operation = model.operation_model(each)
        if location == "querystring":
            _, _, query = operation.http["requestUri"].partition("?")
            names.update(pair.partition("=")[0] for pair in query.split("&") if pair)
        if operation.input_shape is not None:
            for member in operation.input_shape.members.values():
                if member.serialization.get("location") == location:
                    names.add(member.serialization["name"])
    return frozenset(names)
