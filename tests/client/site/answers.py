"""Answers as the client's transport gives them, made here instead of read from a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from urllib3 import HTTPHeaderDict

if TYPE_CHECKING:
    from collections.abc import Mapping

# Odd on purpose: whoever reads blocks gets shorter ones than asked for, as from a real connection.
MOST_AT_ONCE = 1_000_003


class Given:
    """``smas.transport.Answer`` with a body that is all here."""

    def __init__(self, status: int, headers: Mapping[str, str] | None = None, content: bytes = b"") -> None:
        self.status = status
        self.headers: Mapping[str, str] = HTTPHeaderDict(headers or {})
        self._left = memoryview(content)

    def read(self, limit: int) -> bytes:
        """See ``Answer.read``."""
        count = min(limit, MOST_AT_ONCE)
        data, self._left = bytes(self._left[:count]), self._left[count:]
        return data

    def content(self) -> bytes:
        """See ``Answer.content``."""
        data, self._left = bytes(self._left), self._left[:0]
        return data

    def close(self) -> None:
        """See ``Answer.close``."""


def json_answer(status: int, body: Any, **headers: str) -> Given:
    """A JSON body; headers by name with ``_`` for ``-``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Given(status, {"Content-Type": "application/json", **named}, msgspec.json.encode(body))


def problem_answer(status: int, code: str, **headers: str) -> Given:
    """A problem as the store writes it."""
    body = {
        "type": f"https://models.example.test/docs#{code}",
        "title": "A title",
        "status": status,
        "detail": f"the detail of {code}",
        "code": code,
        "request_id": f"request-of-{code}",
    }
    return json_answer(status, body, **headers)


def gateway_answer(status: int, **headers: str) -> Given:
    """A body that is not the store's, with something in it that nobody should quote."""
    return Given(
        status,
        {
            "Content-Type": "text/html",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        b"<html><h1>Gateway</h1>Bearer secret-of-the-gateway</html>",
    )


def s3_error(status: int, code: str) -> Given:
    """An error as S3 writes it."""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>m</Message></Error>'
    return Given(status, {"Content-Type": "application/xml"}, text.encode())
