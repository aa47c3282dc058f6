"""Logs: one JSON object a line, with the request's id in each, and never a secret."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any, Final

from pythonjsonlogger.json import JsonFormatter

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

REMOVED: Final = "[removed]"
# Nothing should ever try to log a secret; if something does, it still does not get out. Most strings hold
# none of these words, and are looked at once.
_SUSPECT: Final = re.compile(
    r"eyJ|Bearer|Basic|Signature|Credential|Secret|Token|Password|AKIA|ASIA", re.IGNORECASE | re.ASCII
)
_UP_TO_ITS_END: Final = r"[^\s\"'&,;<>)\]}]+"
_NAMED: Final = (
    r"signature|x-amz-credential|(?<![\w-])credential|secret[_-]?(?:access[_-]?)?key|client[_-]?secret|"
    r"token|password"
)
_SECRETS: Final = (
    # A compact JWT, or a JWE (Cognito's refresh tokens): segments between dots.
    (re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*)+", re.ASCII), REMOVED),
    (re.compile(rf"((?:Bearer|Basic)(?:\s|%20|\+)+){_UP_TO_ITS_END}", re.IGNORECASE), rf"\1{REMOVED}"),
    # name=value in URLs (encoded once more, too), headers, reprs, JSON and XML.
    (
        re.compile(rf"((?:{_NAMED})[\"'\\]*\s*(?:=|%3D|:|>)\s*[\"'\\]*){_UP_TO_ITS_END}", re.IGNORECASE),
        rf"\1{REMOVED}",
    ),
    (re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{12,}"), REMOVED),
)
# Names, in lower case and without dashes and underscores, whose values are secret whatever they look like.
_SECRET_NAME: Final = re.compile(
    r"(?:proxy)?authorization|(?:set)?cookie|\w*credentials?|\w*(?:signature|password|secret|secretkey|"
    r"secretaccesskey|token)",
    re.ASCII,
)
_DEEPEST: Final = 12


class SafeJsonFormatter(JsonFormatter):
    """JSON lines from which tokens, credentials and signatures are removed, tracebacks included."""

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

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """The record as JSON, each of its texts cleaned before JSON escapes it."""
        return super().jsonify_log_record(_safe(log_data))

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON.

        One that cannot be formatted becomes a line that says where it comes from: logging itself would
        print its arguments as they are.
        """
        try:
            return super().format(record)
        except Exception as error:  # noqa: BLE001 - a faulty log call must not fail what it tells of
            return self.jsonify_log_record(
                {
                    "level": record.levelname,
                    "logger": record.name,
                    "message": "a log record that cannot be formatted",
                    "at": f"{record.pathname}:{record.lineno}",
                    "reason": type(error).__name__,
                }
            )


def configure(level: str = "INFO") -> None:
    """Send every log record of the process to stderr as JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(SafeJsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # botocore logs requests with their signatures at DEBUG; nothing below a warning of it is of use here.
    for noisy in ("botocore", "boto3", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _safe(value: Any, depth: int = 0) -> Any:  # noqa: PLR0911 - one return a kind of value
    """``value`` as plain JSON without secrets."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return _cleaned(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if depth < _DEEPEST:
        named = _named(value)
        if named is not None:
            return {
                _cleaned(str(name)): REMOVED if item and _is_secret(name) else _safe(item, depth + 1)
                for name, item in named.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [_safe(item, depth + 1) for item in value]
    return _cleaned(str(value))


def _named(value: Any) -> Mapping[Any, Any] | None:
    """What ``value`` holds by name, None if it holds nothing by name."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        by_name: Mapping[Any, Any] = value._asdict()
        return by_name
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    return None


def _is_secret(name: object) -> bool:
    return bool(_SECRET_NAME.fullmatch(re.sub(r"[-_]", "", str(name)).lower()))


def _cleaned(text: str) -> str:
    if _SUSPECT.search(text):
        for pattern, replacement in _SECRETS:
            text = pattern.sub(replacement, text)
    return text
