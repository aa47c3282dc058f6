"""Small functions to hold the Runtime API itself against."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

from service import lambda_handler

if TYPE_CHECKING:
    from service.aws_lambda.invocation import Context


def told(event: object, context: Any) -> dict[str, Any]:
    """What the runtime client tells a function."""
    return {
        "event": event,
        "request_id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "remaining_ms": context.get_remaining_time_in_millis(),
        "trace_id": os.environ["_X_AMZN_TRACE_ID"],
    }


def sleeps(_event: object, _context: Context) -> None:
    """Never answers in time."""
    time.sleep(60)


def answers_at_length(event: Any, _context: Context) -> str:
    """As many bytes of JSON as the event says, two of which are quotation marks."""
    return "x" * (int(event) - 2)


def talks(event: Any, _context: Context) -> None:
    """Says on both streams what the event says, in a process of ours, and then fails with it."""
    assert lambda_handler.token_groups
    print(event)
    print("in pieces, ", end="", file=sys.stderr)
    print(event, file=sys.stderr)
    raise ValueError(event)


def dies(_event: object, _context: Context) -> None:
    """Takes its process along."""
    os._exit(7)
