"""Checks Signature Version 4, in the `Authorization` header or in the query of a presigned URL.

As AWS specifies it for the caller's side
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html). Of an upload in signed chunks
the first signature is checked, which covers all headers, but not those of the chunks.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, unquote, unquote_plus

from smas_emulator.gateway.calls import HttpRequest, Signature
from smas_emulator.gateway.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from smas_emulator.gateway.credentials import Credential, CredentialStore

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
CLOCK_SKEW = timedelta(minutes=15)
LONGEST_EXPIRY_SECONDS = 7 * 24 * 3600
_PRESIGNED = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders")
_TIME = "%Y%m%dT%H%M%SZ"
_SPACES = re.compile(" +")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# What may stand behind a `%`: two upper-case digits that encode no unreserved character.
_RESERVED = "|".join(
    f"{first}[{''.join(f'{low:X}' for low in range(16) if int(first, 16) * 16 + low not in _UNRESERVED)}]"
    for first in "0123456789ABCDEF"
)
_CANONICAL_PAIR = re.compile(f"(?:[A-Za-z0-9._~=-]+|%(?:{_RESERVED}))*")
_CANONICAL_PATH = re.compile(f"(?:[A-Za-z0-9/._~-]+|%(?!2F)(?:{_RESERVED}))*")


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A signature that is right, and the key it was made with."""

    signature: Signature
    credential: Credential


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a request says of its own signature."""

    kind: Literal["AuthHeader", "QueryString"]
    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    time: str
    signed_at: datetime
    expires_seconds: int | None
    session_token: str | None


def authenticate(
    request: HttpRequest, body: Callable[[], bytes], store: CredentialStore, now: datetime
) -> Authenticated | None:
    """Check the signature of a request; None when it carries none.

    `body` is called only where the signature covers a body whose digest no header names. Raises `AwsError`,
    with S3's codes for S3 and the query services' for the rest, when the signature is wrong, incomplete, too
    old or made with an unknown key.
    """
    query = dict(request.query)
    header = request.headers.get("authorization", "")
    if "X-Amz-Signature" in query or "X-Amz-Algorithm" in query:
        claim = _presigned_claim(query)
    elif header.startswith(ALGORITHM):
        claim = _header_claim(header, request.headers)
    elif header or {"Signature", "AWSAccessKeyId"} <= query.keys():
        message = f"The authorization mechanism you have provided is not supported. Please use {ALGORITHM}."
        raise AwsError("InvalidRequest", message, 400)
    else:
        return None
    errors = _S3 if claim.service == "s3" else _OTHERS
    _check_time(claim, now, errors)
    credential = store.find(claim.access_key_id)
    if credential is None:
        raise errors.unknown_key()
    _check_headers(claim, request.headers)
    payload = _payload_digest(claim, request, query, body)
    expected = _sign(claim, credential.secret, _canonical_request(claim, request, payload))
    if not hmac.compare_digest(expected, claim.signature):
        raise errors.wrong_signature()
    _check_session(claim, credential, now, errors)
    signature = Signature(
        claim.kind, claim.access_key_id, claim.signed_at, expires_seconds=claim.expires_seconds
    )
    return Authenticated(signature, credential)


class _Errors:
    """What AWS answers; S3 and the rest use different codes."""

    def unknown_key(self) -> AwsError:
        return AwsError("InvalidClientTokenId", "The security token included in the request is invalid.", 403)

    def wrong_signature(self) -> AwsError:
        message = (
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method."
        )
        return AwsError("SignatureDoesNotMatch", message, 403)

    def wrong_token(self) -> AwsError:
        return AwsError("InvalidClientTokenId", "The security token included in the request is invalid.", 403)

    def expired_token(self) -> AwsError:
        return AwsError("ExpiredToken", "The security token included in the request is expired", 403)

    def skewed(self) -> AwsError:
        return AwsError("SignatureDoesNotMatch", "Signature expired: the time signed is too far off.", 403)


class _S3Errors(_Errors):
    def unknown_key(self) -> AwsError:
        message = "The AWS Access Key Id you provided does not exist in our records."
        return AwsError("InvalidAccessKeyId", message, 403)

    def wrong_token(self) -> AwsError:
        return AwsError("InvalidToken", "The provided token is malformed or otherwise invalid.", 400)

    def expired_token(self) -> AwsError:
        return AwsError("ExpiredToken", "The provided token has expired.", 400)

    def skewed(self) -> AwsError:
        message = "The difference between the request time and the current time is too large."
        return AwsError("RequestTimeTooSkewed", message, 403)


_OTHERS = _Errors()
_S3 = _S3Errors()


def _header_claim(header: str, headers: Mapping[str, str]) -> _Claim:
    fields = {}
    for part in header[len(ALGORITHM) :].split(","):
        name, _, value = part.strip().partition("=")
        fields[name] = value
    if not fields.keys() >= {"Credential", "SignedHeaders", "Signature"}:
        message = (
            "The authorization header is malformed: Credential, SignedHeaders and Signature are required."
        )
        raise AwsError("AuthorizationHeaderMalformed", message, 400)
    if "x-amz-date" not in headers:
        raise AwsError("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header", 403)
    key, date, region, service = _scope(fields["Credential"], "AuthorizationHeaderMalformed")
    return _Claim(
        kind="AuthHeader",
        access_key_id=key,
        date=date,
        region=region,
        service=service,
        signed_headers=tuple(fields["SignedHeaders"].split(";")),
        signature=fields["Signature"],
        time=headers["x-amz-date"],
        signed_at=_time(headers["x-amz-date"], date, "AuthorizationHeaderMalformed"),
        expires_seconds=None,
        session_token=headers.get("x-amz-security-token"),
    )


def _presigned_claim(query: Mapping[str, str]) -> _Claim:
    malformed = "AuthorizationQueryParametersError"
    if "X-Amz-Signature" not in query or not query.keys() >= set(_PRESIGNED):
        message = (
            f"Query-string authentication version 4 requires the {', '.join(_PRESIGNED)} "
            "and X-Amz-Signature parameters."
        )
        raise AwsError(malformed, message, 400)
    if query["X-Amz-Algorithm"] != ALGORITHM:
        raise AwsError(malformed, f'X-Amz-Algorithm only supports "{ALGORITHM}"', 400)
    key, date, region, service = _scope(query["X-Amz-Credential"], malformed)
    expires = query["X-Amz-Expires"]
    if not (expires.isascii() and expires.isdecimal()):
        raise AwsError(malformed, "X-Amz-Expires should be a number", 400)
    if int(expires) > LONGEST_EXPIRY_SECONDS:
        message = f"X-Amz-Expires must be less than a week (in seconds); that is {LONGEST_EXPIRY_SECONDS}"
        raise AwsError(malformed, message, 400)
    return _Claim(
        kind="QueryString",
        access_key_id=key,
        date=date,
        region=region,
        service=service,
        signed_headers=tuple(query["X-Amz-SignedHeaders"].split(";")),
        signature=query["X-Amz-Signature"],
        time=query["X-Amz-Date"],
        signed_at=_time(query["X-Amz-Date"], date, malformed),
        expires_seconds=int(expires),
        session_token=query.get("X-Amz-Security-Token"),
    )


def _scope(credential: str, malformed: str) -> tuple[str, str, str, str]:
    parts = credential.rsplit("/", 4)
    if len(parts) != 5 or parts[4] != "aws4_request":  # noqa: PLR2004 - the parts of a scope
        message = "The credential must be <key id>/<YYYYMMDD>/<region>/<service>/aws4_request."
        raise AwsError(malformed, message, 400)
    return parts[0], parts[1], parts[2], parts[3]


@lru_cache(maxsize=1024)
def _time(text: str, date: str, malformed: str) -> datetime:
    try:
        time = datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError:
        message = "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
        raise AwsError(malformed, message, 400) from None
    if not text.startswith(date):
        raise AwsError(malformed, "The date in the credential is not that of X-Amz-Date.", 400)
    return time


def _check_time(claim: _Claim, now: datetime, errors: _Errors) -> None:
    if claim.expires_seconds is None:
        if abs(now - claim.signed_at) > CLOCK_SKEW:
            raise errors.skewed()
        return
    if claim.signed_at - now > CLOCK_SKEW:
        raise AwsError("AccessDenied", "Request is not valid yet", 403)
    if now > claim.signed_at + timedelta(seconds=claim.expires_seconds):
        raise AwsError("AccessDenied", "Request has expired", 403)


def _check_headers(claim: _Claim, headers: Mapping[str, str]) -> None:
    """The host must be signed, and for S3 every `x-amz-*` header that was sent."""
    signed = set(claim.signed_headers)
    if "host" not in signed:
        raise AwsError("AccessDenied", "The host header must be signed", 403)
    if claim.service != "s3":
        return
    sent = {name for name in headers if name.startswith("x-amz-")}
    if claim.kind == "QueryString":
        sent.discard("x-amz-content-sha256")  # says nothing: the payload of a presigned call is not signed
    if sent - signed:
        message = "There were headers present in the request which were not signed"
        raise AwsError("AccessDenied", message, 403)


def _check_session(claim: _Claim, credential: Credential, now: datetime, errors: _Errors) -> None:
    if not hmac.compare_digest(
        (claim.session_token or "").encode(), (credential.session_token or "").encode()
    ):
        raise errors.wrong_token()
    if credential.expires is not None and now >= credential.expires:
        raise errors.expired_token()


def _payload_digest(
    claim: _Claim, request: HttpRequest, query: Mapping[str, str], body: Callable[[], bytes]
) -> str:
    if claim.kind == "QueryString" and claim.service == "s3":
        signed = "x-amz-content-sha256" in claim.signed_headers
        in_header = request.headers.get("x-amz-content-sha256") if signed else None
        return in_header or query.get("X-Amz-Content-Sha256") or UNSIGNED_PAYLOAD
    named = request.headers.get("x-amz-content-sha256")
    if named is not None:
        return named
    if claim.service == "s3":
        message = "Missing required header for this request: x-amz-content-sha256"
        raise AwsError("InvalidRequest", message, 400)
    return hashlib.sha256(body()).hexdigest()


def _canonical_request(claim: _Claim, request: HttpRequest, payload: str) -> str:
    path = request.path or "/"
    if not _CANONICAL_PATH.fullmatch(path):
        path = quote(unquote(path), safe="/-_.~")
    if claim.service != "s3":
        path = quote(path, safe="/-_.~")  # every service but S3 encodes the path twice
    headers = "".join(
        f"{name}:{_SPACES.sub(' ', request.headers.get(name, '').strip())}\n" for name in claim.signed_headers
    )
    query = _canonical_query(request.query_string)
    return "\n".join([request.method, path, query, headers, ";".join(claim.signed_headers), payload])


def _canonical_query(query_string: str) -> str:
    """Every pair encoded in the one way there is, in the order of their encoded names and values."""
    pairs = []
    for pair in query_string.split("&"):
        if pair.startswith("X-Amz-Signature=") or not pair:
            continue
        name, _, value = pair.partition("=")
        if _CANONICAL_PAIR.fullmatch(pair):  # as signers write it: nothing to do for long tokens
            pairs.append((name, value))
        else:
            pairs.append((_encoded(name), _encoded(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _encoded(text: str) -> str:
    return quote(unquote_plus(text), safe="-_.~")


def _sign(claim: _Claim, secret: str, canonical_request: str) -> str:
    scope = f"{claim.date}/{claim.region}/{claim.service}/aws4_request"
    digest = hashlib.sha256(canonical_request.encode()).hexdigest()
    text = f"{ALGORITHM}\n{claim.time}\n{scope}\n{digest}"
    key = _signing_key(secret, claim.date, claim.region, claim.service)
    return hmac.digest(key, text.encode(), "sha256").hex()


@lru_cache(maxsize=4096)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
