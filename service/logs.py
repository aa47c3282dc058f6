"""Logs: one JSON object a line, with the request's id in each, and never a secret."""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from typing import Any, Final

from pythonjsonlogger.json import JsonFormatter

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

# Nothing should ever try to log these; if something does, they still do not get out.
_SECRETS: Final = (
    (
        re.compile(r"(X-Amz-(?:Signature|Security-Token|Credential)=)[^&\s\"\\]+", re.IGNORECASE),
        r"\1[removed]",
    ),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?"), "[removed]"),
    (re.compile(r"(\bBearer\s+)[^\s\"\\]+", re.IGNORECASE), r"\1[removed]"),
)


class SafeJsonFormatter(JsonFormatter):
    """JSON lines from which tokens and presigned URLs' signatures are removed, tracebacks included."""

    def __init__(self) -> None:
        super().__init__(
            "%(levelname)s %(name)s %(message)s",
            rename_fields={"levelname": "level", "name": "logger"},
            timestamp="time",
        )

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Add the request's id."""
        identified = request_id.get()
        if identified:
            log_data.setdefault("request_id", identified)
        return super().process_log_record(log_data)

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        line = super().format(record)
        for pattern, replacement in _SECRETS:
            line = pattern.sub(replacement, line)
        return line


def configure(level: str = "INFO") -> None:
    """Send every log record of the process to stderr as JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(SafeJsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # botocore logs requests with their signatures at DEBUG; nothing below a warning of it is of use here.
    for noisy in ("botocore", "boto3", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
