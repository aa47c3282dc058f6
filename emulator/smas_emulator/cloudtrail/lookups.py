"""LookupEvents: management events by one attribute and time, newest first, in pages.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from smas_emulator.cloudtrail.errors import trail_error
from smas_emulator.cloudtrail.event_store import ATTRIBUTES, KEPT, Lookup

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from smas_emulator.cloudtrail.event_store import EventStore

MOST_RESULTS = 50
_LONGEST_VALUE = 2_000
_LARGEST_INTEGER = 2**63 - 1


def lookup_events(
    store: EventStore, request: Mapping[str, Any], account: str, region: str, now: datetime
) -> dict[str, Any]:
    """The answer to LookupEvents. Raises `AwsError`."""
    category = request.get("EventCategory")
    if category not in {None, "insight"}:
        raise trail_error("InvalidEventCategoryException", f"{category} is not a category of events.")
    limit = request.get("MaxResults", MOST_RESULTS)
    if not 1 <= limit <= MOST_RESULTS:
        message = f"MaxResults must be from 1 to {MOST_RESULTS}."
        raise trail_error("InvalidMaxResultsException", message)
    since, until = max(request.get("StartTime") or now - KEPT, now - KEPT), request.get("EndTime") or now
    if (request.get("StartTime") or since) > until:
        raise trail_error("InvalidTimeRangeException", "The start time is after the end time.")
    question = _question(request)
    lookup = Lookup(
        account=account,
        region=region,
        attribute=_attribute(request),
        since=since.timestamp(),
        until=until.timestamp(),
        limit=limit,
        before=_position(request.get("NextToken"), question),
    )
    if category == "insight":  # there are none here
        return {"Events": []}
    page = store.find(lookup)
    following = {"NextToken": _token(page.next, question)} if page.next is not None else {}
    return {"Events": list(page.events), **following}


def _attribute(request: Mapping[str, Any]) -> tuple[str, str] | None:
    attributes = request.get("LookupAttributes") or ()
    if len(attributes) > 1:
        message = "You can look up by one attribute at a time."
        raise trail_error("InvalidLookupAttributesException", message)
    if not attributes:
        return None
    key, value = attributes[0].get("AttributeKey"), attributes[0].get("AttributeValue")
    if key not in ATTRIBUTES:
        raise trail_error("InvalidLookupAttributesException", f"There is no attribute {key}.")
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_VALUE:
        message = f"The value of an attribute has 1 to {_LONGEST_VALUE} characters."
        raise trail_error("InvalidLookupAttributesException", message)
    return key, value.encode("utf-8", "backslashreplace").decode()


def _question(request: Mapping[str, Any]) -> str:
    """What a token continues: the request but for the token and the page's size."""
    asked = {name: value for name, value in request.items() if name not in {"NextToken", "MaxResults"}}
    return hashlib.sha256(json.dumps(asked, default=str, sort_keys=True).encode()).hexdigest()[:16]


def _token(position: tuple[int, int], question: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([*position, question]).encode()).decode()


def _position(token: str | None, question: str) -> tuple[int, int] | None:
    if token is None:
        return None
    try:
        time, number, asked = json.loads(base64.urlsafe_b64decode(token))
        genuine = all(type(each) is int and 0 <= each <= _LARGEST_INTEGER for each in (time, number))
    except (ValueError, TypeError, RecursionError):
        genuine = False
    if not genuine:
        raise trail_error("InvalidNextTokenException", "The token is none that was given out.")
    if asked != question:
        message = "A token continues the request that it was given out for, with the same parameters."
        raise trail_error("InvalidNextTokenException", message)
    return time, number
