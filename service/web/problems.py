"""Errors as RFC 9457 problems: the one table from the store's errors to HTTP."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec
from flask import Response, current_app, g
from msgspec.structs import replace
from werkzeug.exceptions import HTTPException

from service import errors
from service.errors import StoreError, Unauthenticated
from service.web.bodies import TOO_LARGE
from service.web.refusals import record_refusal

if TYPE_CHECKING:
    from flask import Flask

MEDIA_TYPE: Final = "application/problem+json"


class Kind(msgspec.Struct, frozen=True):
    """A problem's stable part: ``code``, its HTTP status, its title, and when it happens."""

    code: str
    status: int
    title: str
    when: str
    retry_after_seconds: int | None = None


INVALID_REQUEST: Final = Kind(
    "invalid_request", 400, "Not a request we read", "The body is not JSON, or of another content type."
)
UNAUTHENTICATED: Final = Kind(
    "unauthenticated",
    401,
    "Not signed in",
    "No token, or one that fails a check; WWW-Authenticate says which.",
)
FORBIDDEN: Final = Kind(
    "forbidden",
    403,
    "Not allowed",
    "The caller's roles do not allow it, or AWS refused the caller's session.",
)
NOT_FOUND: Final = Kind(
    "not_found", 404, "Not found", "No such route, model, version, alias or file that the caller may see."
)
METHOD_NOT_ALLOWED: Final = Kind(
    "method_not_allowed", 405, "Method not allowed", "The route exists; Allow lists its methods."
)
CONFLICT: Final = Kind(
    "conflict",
    409,
    "Somebody was faster",
    "A compare-and-set was lost, or an idempotency key reused; nothing changed.",
)
BLOB_MISSING: Final = Kind(
    "blob_missing", 409, "Bytes are missing", "Published bytes were never completely uploaded to this model."
)
UPLOAD_MISMATCH: Final = Kind(
    "upload_mismatch", 409, "Parts do not match", "Storage does not confirm the part list."
)
NOT_APPROVED: Final = Kind(
    "not_approved", 409, "Not approved", "A protected alias may not move to this version."
)
PAYLOAD_TOO_LARGE: Final = Kind(
    "payload_too_large",
    413,
    "Body too large",
    "The request body is over 1 MiB; bytes never travel in a body.",
)
VALIDATION_FAILED: Final = Kind(
    "validation_failed", 422, "Not valid", "Well-formed but wrong; errors names each place."
)
QUARANTINED: Final = Kind(
    "quarantined", 423, "Not served", "The bytes exist but may not be served: not yet verified, or refused."
)
NOT_YET_VERIFIED: Final = replace(QUARANTINED, retry_after_seconds=1)
THROTTLED: Final = Kind("throttled", 429, "Too many requests", "AWS throttled; wait for Retry-After.", 2)
INTERNAL: Final = Kind(
    "internal", 500, "Our fault", "A bug; request_id finds it in the log, nothing of it is in the body."
)
STORAGE_UNAVAILABLE: Final = Kind(
    "storage_unavailable",
    503,
    "Storage unavailable",
    "S3, STS or the key set cannot be reached; nothing half-done.",
    5,
)

KINDS: Final[dict[type[StoreError], Kind]] = {
    errors.InvalidRequest: INVALID_REQUEST,
    errors.PayloadTooLarge: PAYLOAD_TOO_LARGE,
    errors.Unauthenticated: UNAUTHENTICATED,
    errors.Forbidden: FORBIDDEN,
    errors.RefusedByAws: FORBIDDEN,
    errors.NotFound: NOT_FOUND,
    errors.Invisible: NOT_FOUND,
    errors.Conflict: CONFLICT,
    errors.BlobMissing: BLOB_MISSING,
    errors.UploadMismatch: UPLOAD_MISMATCH,
    errors.NotApproved: NOT_APPROVED,
    errors.ValidationFailed: VALIDATION_FAILED,
    errors.Quarantined: QUARANTINED,
    errors.NotYetVerified: NOT_YET_VERIFIED,
    errors.Throttled: THROTTLED,
    errors.Unavailable: STORAGE_UNAVAILABLE,
}
# By code: one kind may come with and without a time to wait.
ALL_KINDS: Final = tuple(
    {kind.code: kind for kind in reversed((*KINDS.values(), METHOD_NOT_ALLOWED, INTERNAL))}.values()
)[::-1]


class FaultBody(msgspec.Struct, frozen=True):
    """One wrong place in the request."""

    location: str
    message: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error's body (RFC 9457); ``code`` is the stable part."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FaultBody] = []


def install(app: Flask, public_url: str) -> None:
    """Answer every error of ``app`` as a problem; ``public_url`` is the store's own address."""

    def expected(error: StoreError) -> Response:
        kind = KINDS[type(error)]
        record_refusal(error, kind.code)
        response = _response(public_url, kind, error.detail, error)
        if isinstance(error, Unauthenticated):
            response.headers["WWW-Authenticate"] = _challenge(public_url, error.detail)
        return response

    def from_http(error: HTTPException) -> Response:
        kind = _kind_of(error)
        detail = error.description or kind.when
        if kind is NOT_FOUND:
            detail = "no such route: /openapi.json lists them"
        elif kind is PAYLOAD_TOO_LARGE:
            detail = TOO_LARGE
        response = _response(public_url, kind, detail)
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        return response

    def unexpected(error: Exception) -> Response:
        current_app.logger.error("unexpected error", exc_info=error)
        return _response(public_url, INTERNAL, f"an error of ours; quote the request id {g.request_id}")

    app.register_error_handler(StoreError, expected)
    app.register_error_handler(HTTPException, from_http)
    app.register_error_handler(Exception, unexpected)


def _response(public_url: str, kind: Kind, detail: str, error: StoreError | None = None) -> Response:
    problem = Problem(
        type=f"{public_url}/docs#{kind.code}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        code=kind.code,
        request_id=g.request_id,
        errors=[FaultBody(fault.location, fault.message) for fault in error.errors] if error else [],
    )
    if kind is VALIDATION_FAILED and not problem.errors:
        message = "a failed validation must name the place"
        raise AssertionError(message)
    response = Response(msgspec.json.encode(problem), kind.status, content_type=MEDIA_TYPE)
    if kind.retry_after_seconds:
        response.headers["Retry-After"] = str(kind.retry_after_seconds)
    return response


def _challenge(public_url: str, detail: str) -> str:
    """RFC 6750: no error code when no token was sent; RFC 9728: where to learn how to get one."""
    metadata = f'resource_metadata="{public_url}/.well-known/oauth-protected-resource"'
    if detail == NO_TOKEN:
        return f"Bearer {metadata}"
    return f'Bearer error="invalid_token", error_description="{detail}", {metadata}'


NO_TOKEN: Final = "no bearer token: send Authorization: Bearer <access token>"  # noqa: S105 - a sentence


def _kind_of(error: HTTPException) -> Kind:
    known = {kind.status: kind for kind in (NOT_FOUND, METHOD_NOT_ALLOWED, PAYLOAD_TOO_LARGE)}
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status in known:
        return known[status]
    return INVALID_REQUEST if status < HTTPStatus.INTERNAL_SERVER_ERROR else INTERNAL
