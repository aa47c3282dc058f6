"""Requests to S3 by presigned URLs, and what their refusals mean.

Codes are those of "Error responses" in the Amazon S3 API reference.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

from smas.errors import Forbidden, SmasError, Unavailable
from smas.retries import PASSING
from smas.transport import Dropped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from smas.retries import RetryPolicy, Stop
    from smas.transport import Answer, Body, Transport

_OK: Final = 200
_PARTIAL: Final = 206
_BAD_REQUEST: Final = 400
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_CODE: Final = re.compile(rb"<Code>([A-Za-z0-9.]{1,64})</Code>")
_CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
# 400s that say nothing against the request itself.
_PASSING_CODES: Final = frozenset({"RequestTimeout", "IncompleteBody", "OperationAborted", "SlowDown"})
_EXPIRED_CODES: Final = frozenset({"ExpiredToken", "TokenRefreshRequired", "RequestTimeTooSkewed"})
_WRONG_BYTES_CODES: Final = frozenset({"BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch"})
Result = TypeVar("Result")


class Passing(Exception):
    """Another try may help."""

    def __init__(self, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.headers = headers


class UrlRefused(Exception):
    """The URL is not, or no longer, good; another one may be."""


class WrongBytes(Exception):
    """S3 refused a body that is not what its checksum says."""


class UploadGone(Exception):
    """The multipart upload was completed or aborted by somebody else."""


def put(transport: Transport, url: str, headers: Mapping[str, str], body: Body | bytes, length: int) -> str:
    """Send ``length`` bytes; answers the ETag.

    Raises ``Passing``, ``UrlRefused``, ``WrongBytes``, ``UploadGone``, or ``SmasError`` for good.
    """
    try:
        answer = transport.send("PUT", url, {**headers, "Content-Length": str(length)}, body)
        try:
            content = answer.content()
            status, answered = answer.status, answer.headers
        finally:
            answer.close()
    except Dropped as dropped:
        raise Passing(str(dropped)) from dropped
    if status != _OK:
        raise _failure(status, answered, content)
    etag = answered.get("ETag", "")
    if not etag:
        message = "S3 took the bytes but named no ETag"
        raise Passing(message, answered)
    return etag.strip('"')


def get(transport: Transport, url: str, start: int, end: int, size: int, block: int) -> Iterator[bytes]:
    """Bytes ``start`` to ``end`` (exclusive) of an object of ``size`` bytes, in blocks.

    Raises ``Passing`` wherever the answer ends early, ``UrlRefused``, or ``SmasError`` for good.
    """
    try:
        answer = transport.send(
            "GET", url, {"Range": f"bytes={start}-{end - 1}", "Accept-Encoding": "identity"}
        )
    except Dropped as dropped:
        raise Passing(str(dropped)) from dropped
    try:
        if answer.status not in (_OK, _PARTIAL):
            raise _failure(answer.status, answer.headers, answer.content())
        _check_range(answer, start, end, size)
        left = end - start
        while left:
            data = answer.read(min(block, left))
            if not data:
                message = "S3's answer ended early"
                raise Passing(message)
            left -= len(data)
            yield data
    except Dropped as dropped:
        raise Passing(str(dropped)) from dropped
    finally:
        answer.close()


def persist(
    attempt: Callable[[], Result],
    retries: RetryPolicy,
    stop: Stop,
    *,
    renew_url: Callable[[], None],
    position: Callable[[], int] = lambda: 0,
) -> Result:
    """Call ``attempt`` until it succeeds; after a refused URL call ``renew_url`` first.

    ``position`` tells how far it got: only tries that got no further count. Raises what no other try would
    cure, ``Unavailable`` or ``Forbidden`` after the last one, ``Cancelled``.
    """
    tries, reached = 0, position()
    while True:
        stop.check()
        headers = None
        try:
            return attempt()
        except Passing as passing:
            failure: SmasError = Unavailable(f"{passing}; tried {tries + 1} times")
            headers = passing.headers
        except UrlRefused as refused:
            failure = Forbidden(f"{refused}, also with a new URL", hint="")
        tries = 1 if position() > reached else tries + 1
        reached = position()
        if tries >= retries.attempts:
            raise failure
        # A URL that is refused for the first time has probably just expired.
        if tries > 1 or isinstance(failure, Unavailable):
            stop.pause(retries.pause_seconds(tries, headers))
        if isinstance(failure, Forbidden):
            renew_url()


def _check_range(answer: Answer, start: int, end: int, size: int) -> None:
    """The answer must be of the very bytes that were asked for; some proxies answer others."""
    if answer.status == _OK:
        if (start, end) != (0, size):
            message = "S3's answer does not keep to the range that was asked for"
            raise Passing(message)
        return
    found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if not found or tuple(map(int, found.groups())) != (start, end - 1, size):
        message = "S3's answer is of another range than was asked for"
        raise Passing(message)


def _failure(status: int, headers: Mapping[str, str], content: bytes) -> Exception:
    named = _CODE.search(content)
    code = named.group(1).decode() if named else ""
    said = f"S3 answers with status {status}{f' ({code})' if code else ''}"
    if status in PASSING or code in _PASSING_CODES:
        return Passing(said, headers)
    if status == _FORBIDDEN or code in _EXPIRED_CODES:
        return UrlRefused(said)
    if status == _BAD_REQUEST and code in _WRONG_BYTES_CODES:
        return WrongBytes(said)
    if status == _NOT_FOUND and code == "NoSuchUpload":
        return UploadGone(said)
    return SmasError(said, code=code or None)
