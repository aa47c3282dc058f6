"""What gunicorn refuses before the service sees it, answered and logged as the service does."""

# mypy: disable-error-code="import-untyped"

from __future__ import annotations

import logging
import os
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import msgspec
from gunicorn.http import errors
from werkzeug.exceptions import BadRequest

from service.web.problems import INTERNAL, INVALID_REQUEST, MEDIA_TYPE, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from service.web.problems import Kind

log = logging.getLogger("service.request")


class RequestTooSlow(Exception):
    """A request did not arrive in time."""


class Refusal(msgspec.Struct, frozen=True):
    """A status and the sentence that says what to do instead."""

    status: HTTPStatus
    detail: str
    kind: Kind = INVALID_REQUEST


# By what gunicorn raises. Its own texts repeat what was sent, which may be a token.
_REFUSALS: Final[dict[type[BaseException], Refusal]] = {
    errors.LimitRequestLine: Refusal(
        HTTPStatus.REQUEST_URI_TOO_LONG,
        "the request line is too long: a path is at most 512 bytes, and lists go into a body",
    ),
    errors.LimitRequestHeaders: Refusal(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "too many or too long headers: send at most 100, each of at most 8190 bytes",
    ),
    errors.InvalidHTTPVersion: Refusal(HTTPStatus.BAD_REQUEST, "this is not HTTP/1.1 or HTTP/1.0"),
    errors.UnsupportedTransferCoding: Refusal(
        HTTPStatus.NOT_IMPLEMENTED, "of transfer codings only chunked is read: send the body plain"
    ),
    errors.ExpectationFailed: Refusal(
        HTTPStatus.EXPECTATION_FAILED, "only Expect: 100-continue can be met: leave the header out"
    ),
    RequestTooSlow: Refusal(
        HTTPStatus.REQUEST_TIMEOUT, "the request did not arrive within 30 s: send it again at once"
    ),
}
_MALFORMED: Final = Refusal(HTTPStatus.BAD_REQUEST, "this is not a well-formed HTTP request")
_OURS: Final = Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "an error of ours", INTERNAL)


def answer_to(error: BaseException, address: Any) -> bytes:
    """The whole answer to a request that ended in ``error``, and one line in the log.

    ``address`` is who connected, as sockets give it. The answer closes the connection, for where the next
    request would begin is unknown.
    """
    refusal = _refusal(error)
    request_id = uuid4().hex
    ours = refusal is _OURS
    log.log(
        logging.ERROR if ours else logging.WARNING,
        "failed outside the service" if ours else "not a request",
        extra={
            "request_id": request_id,
            "status": refusal.status.value,
            "reason": type(error).__name__,
            "source_ip": address[0] if isinstance(address, tuple) else None,
        },
        exc_info=error if ours else None,
    )
    detail = f"{refusal.detail}; quote the request id {request_id}" if ours else refusal.detail
    body = msgspec.json.encode(
        Problem(
            type=f"{os.environ.get('SMAS_PUBLIC_URL', '').rstrip('/')}/docs#{refusal.kind.code}",
            title=refusal.kind.title,
            status=refusal.status.value,
            detail=detail,
            code=refusal.kind.code,
            request_id=request_id,
        )
    )
    head = (
        f"HTTP/1.1 {refusal.status.value} {refusal.status.phrase}",
        "Connection: close",
        f"Content-Type: {MEDIA_TYPE}",
        f"Content-Length: {len(body)}",
        f"X-Request-Id: {request_id}",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
    )
    return "\r\n".join((*head, "", "")).encode("ascii") + body


def _refusal(error: BaseException) -> Refusal:
    # An answer's header is the service's own doing, though gunicorn derives it from a request's.
    if isinstance(error, errors.InvalidResponseHeader | errors.InvalidResponseHeaderName):
        return _OURS
    for kind, refusal in _REFUSALS.items():
        if isinstance(error, kind):
            return refusal
    return _MALFORMED if isinstance(error, errors.ParseException) else _OURS


def with_readable_body(app: WSGIApplication) -> WSGIApplication:
    """``app``, to which a body that breaks off or is not chunked as it says is a bad request of its own."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.input"] = _Body(environ["wsgi.input"])
        return app(environ, start_response)

    return serve


class _Body(msgspec.Struct, frozen=True):
    """A request's body as gunicorn reads it; the service reads bodies in no other way than this."""

    body: Any

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes (negative: all). Raises ``BadRequest``."""
        try:
            return bytes(self.body.read(size))
        except errors.NoMoreData as error:
            raise BadRequest("the request's body breaks off") from error
        except RequestTooSlow as error:
            raise BadRequest(_REFUSALS[RequestTooSlow].detail) from error
        except errors.ParseException as error:
            raise BadRequest("the request's body is not chunked as HTTP/1.1 says") from error
