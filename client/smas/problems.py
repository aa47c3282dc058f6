"""From the store's answers to errors: the one table, by the problem's ``code`` and else by status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from smas.errors import (
    Conflict,
    Deleted,
    Fault,
    Forbidden,
    Invalid,
    NotFound,
    NotServed,
    NotSignedIn,
    SmasError,
    Unavailable,
)
from smas.retries import retry_after_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

_BY_STATUS: Final[dict[int, type[SmasError]]] = {
    400: Invalid,
    401: NotSignedIn,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Deleted,
    413: Invalid,
    422: Invalid,
    423: NotServed,
    429: Unavailable,
}
_HINTS: Final[dict[str, str]] = {
    "blob_missing": "run the same push again: it sends what is missing",
    "upload_mismatch": "run the same push again: it looks at what the store has and sends the rest",
    "not_approved": "somebody else than the publisher must move this alias, and only to an available version",
    "quarantined": "`smas show` tells the version's state; a verifying one is ready in a moment",
}
_SERVER_ERROR: Final = 500


class _Fault(msgspec.Struct):
    location: str
    message: str


class _Problem(msgspec.Struct):
    """An RFC 9457 body as the store writes it."""

    detail: str
    code: str
    request_id: str | None = None
    errors: list[_Fault] = []


def error_of(status: int, headers: Mapping[str, str], content: bytes, request_id: str) -> SmasError:
    """The error that an answer with ``status`` of 400 or more means.

    A body that is not the store's (a gateway's, a proxy's) is not quoted: the status speaks.
    """
    kind = _BY_STATUS.get(status, Unavailable if status >= _SERVER_ERROR else SmasError)
    request_id = headers.get("X-Request-Id", request_id)
    try:
        problem = msgspec.json.decode(content, type=_Problem)
    except msgspec.MsgspecError:
        message = f"the store's address answered with status {status}, not in the store's own words"
        return kind(message, request_id=request_id)
    error = kind(
        problem.detail,
        hint=_HINTS.get(problem.code),
        code=problem.code,
        request_id=problem.request_id or request_id,
        errors=[Fault(fault.location, fault.message) for fault in problem.errors],
    )
    error.retry_after_seconds = retry_after_seconds(headers)
    return error
