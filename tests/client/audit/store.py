"""A store's audit as the contract has it, over events that a test wrote; no sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from smas.transport import READ_SECONDS

from tests.client.site.answers import Given, json_answer, problem_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from smas.transport import Body

ADDRESS = "https://models.example.test"
DIGEST = "687d24059903766ef66d6f7e0775924321928d0214d5b1d0281498e6e6acb2e6"


def event(number: int = 0, **changed: Any) -> dict[str, Any]:
    """An event as the store answers it: a download, unless ``changed``; the higher the number, the newer."""
    minute, second = divmod(number, 60)
    hour, minute = divmod(minute, 60)
    return {
        "event_id": f"event-{number:06}",
        "time": f"2026-11-24T{hour:02}:{minute:02}:{second:02}Z",
        "actor": "ds-fraud",
        "subject": "93fadd5c-bac0-4826-b1a7-1c6aa2a864da",
        "role": "data-scientist",
        "action": "s3:GetObject",
        "key": f"blobs/fraud/credit-risk/{DIGEST}",
        "model": "fraud/credit-risk",
        "version": 3,
        "path": "model.joblib",
        "published_as": [{"version": 3, "path": "model.joblib"}],
        "sha256": DIGEST,
        "bytes": 769_973,
        "outcome": "success",
        "error_code": None,
        "source_ip": "203.0.113.7",
        "user_agent": "smas/0.1.0 python/3.11.7 linux",
        "auth_method": "QueryString",
        "request_id": "8Z5XEXAMPLE",
        "source": "cloudtrail",
        **changed,
    }


def refusal(number: int = 0, **changed: Any) -> dict[str, Any]:
    """A call that the store refused itself."""
    refused: dict[str, Any] = {
        "actor": "ds-nlp",
        "action": "smas:fetch_files",
        "key": None,
        "path": None,
        "published_as": [],
        "sha256": None,
        "bytes": None,
        "outcome": "denied",
        "error_code": "not_found",
        "auth_method": "bearer",
        "source": "service",
    }
    return event(number, **{**refused, **changed})


def whole(query: Mapping[str, str]) -> dict[str, Any]:
    """The answer about a range in which nothing is wrong."""
    return {
        "valid": True,
        "digests": 24,
        "logs": 288,
        "from": query["from"],
        "to": query["to"],
        "problems": [],
    }


@dataclass
class AuditStore:
    """``smas.transport.Transport`` that ends at a store's audit.

    ``largest`` makes pages no longer than that, and with ``empties`` every other page is empty, as the
    contract allows. ``unreadable`` are files that every page misses. ``before`` is called with the parameters
    of each request before it is answered.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    largest: int = 1000
    empties: bool = False
    unreadable: list[str] = field(default_factory=list)
    allowed: bool = True
    before: Callable[[dict[str, str]], None] = lambda _: None
    integrity: Callable[[dict[str, str]], dict[str, Any]] = whole
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Body | None = None,
        *,
        read_seconds: float = READ_SECONDS,
    ) -> Given:
        """See ``Transport.send``."""
        assert (method, body) == ("GET", None)
        assert headers["Authorization"].startswith("Bearer ")
        assert read_seconds >= READ_SECONDS
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        self.asked.append((parts.path, query))
        self.before(query)
        if not self.allowed:
            return problem_answer(403, "forbidden")
        if parts.path == "/v1/audit/integrity":
            return json_answer(200, self.integrity(query))
        assert parts.path == "/v1/audit/events"
        return json_answer(200, self._page(query))

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        found = sorted(filter(lambda one: _wanted(one, query), self.events), key=_place, reverse=True)
        after, _, turn = query.get("cursor", "").rpartition("|")
        if after:
            found = [one for one in found if _place(one) < after]
        if self.empties and turn != "empty":
            return {"items": [], "next_cursor": f"{after or '~'}|empty", "unreadable_files": []}
        items = found[: min(int(query["limit"]), self.largest)]
        more = len(items) < len(found)
        cursor = f"{_place(items[-1])}|" if more else None
        return {"items": items, "next_cursor": cursor, "unreadable_files": self.unreadable}


def _place(one: dict[str, Any]) -> str:
    return f"{one['time']} {one['event_id']}"


def _wanted(one: dict[str, Any], query: dict[str, str]) -> bool:
    action = query.get("action", "*")
    places = (
        [place["version"] for place in one["published_as"]] if one["version"] is None else [one["version"]]
    )
    return (
        query.get("model") in {None, one["model"]}
        and (query.get("version") is None or int(query["version"]) in places)
        and query.get("actor") in {None, one["actor"], one["subject"]}
        and query.get("outcome") in {None, one["outcome"]}
        and (one["action"].startswith(action[:-1]) if action.endswith("*") else one["action"] == action)
        and query.get("from", "") <= one["time"] < query.get("to", "~")
    )
