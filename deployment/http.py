"""Requests to the store and to what its answers name, each made once."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS: Final = 35.0  # API Gateway itself gives up after 30


class Unreachable(Exception):
    """There was no answer; the text says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    request_id: str

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    @property
    def words(self) -> str:
        """What the answer says of itself: its status, and the problem's detail where it has one."""
        try:
            said = self.json()
        except ValueError:
            said = None
        said = said if isinstance(said, dict) else {}
        detail = said.get("detail") or said.get("message") or self.body[:200].decode(errors="replace").strip()
        return f"{self.status} {detail}".strip()


def request(
    method: str,
    url: str,
    *,
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = _SECONDS,
) -> Answer:
    """Ask once, through the proxy that the environment names, if any; any status is an answer.

    The URLs are the store's, and S3's that the store hands out.
    """
    asked = urllib.request.Request(url, data=data, headers=dict(headers or {}), method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(asked, timeout=seconds) as response:  # noqa: S310
            return Answer(response.status, response.read(), response.headers.get("X-Request-Id", "none"))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read(), error.headers.get("X-Request-Id", "none"))
    except (OSError, http.client.HTTPException) as error:
        message = f"no answer from {url.split('?', maxsplit=1)[0]} ({getattr(error, 'reason', error)})"
        raise Unreachable(message) from error
