"""What the service refused is evidence within moments, on the whole stack as `make up` starts it."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any

from tests.stack.sessions import persona

if TYPE_CHECKING:
    from tests.e2e.conftest import Stack

# A deployed worker looks once a minute, at what was delivered until then.
SECONDS = 240


def lines(stack: Stack, group: str, pattern: str) -> list[dict[str, Any]]:
    """The lines of a log group that match, once there are any."""
    logs, deadline = stack.aws.root_client("logs"), time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern=pattern)
        found = [json.loads(event["message"]) for page in pages for event in page["events"]]
        if found:
            return found
        time.sleep(0.2)
    return []


def test_a_refusal_is_in_the_log_group(stack: Stack, model: str) -> None:
    """Somebody of another team tries, and who it was is in CloudWatch Logs, once."""
    answer = stack.user("ds-nlp").call("GET", f"/v1/models/{model}")
    assert answer.status == 404

    found = lines(stack, "/smas/service", f'{{ $.audit = "refusal" && $.model = "{model}" }}')

    assert [(line["actor"], line["action"], line["error_code"]) for line in found] == [
        ("ds-nlp", "smas:read_model", "not_found")
    ]


def test_a_session_nobody_announced_is_reported(stack: Stack, model: str) -> None:
    """The worker finds what somebody did with the service's keys, and nothing that the service did."""
    stack.user("ds-fraud").call("GET", f"/v1/models/{model}")  # a session that is announced
    jti = str(uuid.uuid4())
    persona(stack.aws, "compliance", team=None, name="mallory", jti=jti)

    found = lines(stack, "/smas/worker", f'{{ $.audit = "unknown_session" && $.token_id = "{jti}" }}')

    assert [(line["actor"], line["role"], line["level"]) for line in found] == [
        ("mallory", "compliance", "ERROR")
    ]
    announced = {line["token_id"] for line in lines(stack, "/smas/service", '{ $.audit = "session" }')}
    reported = {line["token_id"] for line in lines(stack, "/smas/worker", '{ $.audit = "unknown_session" }')}
    assert announced
    assert not announced & reported
