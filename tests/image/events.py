"""The events in ``tests/events``, with what only a running stack can fill in."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS: Final = Path(__file__).parents[1] / "events"
# `${token:ds-fraud}`: a fresh access token of that local user.
_TOKEN: Final = re.compile(r"\$\{token:([a-z-]+)\}")


def load(path: Path, token: Callable[[str], str]) -> dict[str, Any]:
    """The event in a file, its placeholders filled in with what ``token`` gives for a user."""
    text = path.read_text(encoding="utf-8")
    return dict(json.loads(_TOKEN.sub(lambda found: token(found[1]), text)))


def http_event(
    method: str, path: str, body: object = None, *, authorization: str | None = None
) -> dict[str, Any]:
    """An event of an HTTP API (payload format 2.0); ``path`` is decoded, as such an API hands it over."""
    event = load(EVENTS / "healthz_event.json", str)
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["requestContext"]["http"]["method"] = method
    if authorization is not None:
        event["headers"]["authorization"] = authorization
    if body is not None:
        event["body"] = json.dumps(body)
        event["headers"]["content-type"] = "application/json"
    return event


def alb_event(path: str, **fields: Any) -> dict[str, Any]:
    """An event of an Application Load Balancer; ``path`` as the client encoded it."""
    return {**load(EVENTS / "alb_event.json", str), "path": path, **fields}
