"""Logs: one JSON object a line, with the request's id in each, and never a secret."""

from __future__ import annotations

import io
import json
import logging
import math
import re
import sys
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TextIO

import msgspec
from pythonjsonlogger.json import JsonFormatter

if TYPE_CHECKING:
    from types import TracebackType

log = logging.getLogger(__name__)

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
    # name=value in URLs (encoded once more, too), headers, reprs, JSON and XML; a quoted value up to its end.
    (
        re.compile(
            rf"((?:{_NAMED})[\"'\\]*\s*(?:=|%3D|:|>)\s*)"
            rf"(?:(\\*([\"']))(?:(?!\3).)+|([\"'\\]*){_UP_TO_ITS_END})",
            re.IGNORECASE | re.DOTALL,
        ),
        rf"\1\2\4{REMOVED}",
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

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """Add what the record holds beside its message, metrics included (``service.metrics``)."""
        super().add_fields(log_data, record, message_dict)
        # The formatter beneath leaves out what begins with an underscore.
        if "_aws" in record.__dict__:
            log_data["_aws"] = record.__dict__["_aws"]

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
                    "time": datetime.fromtimestamp(record.created, UTC),
                    "request_id": request_id.get(),
                }
            )


def configure(level: str = "INFO") -> None:
    """Send every log record of the process to stderr as JSON.

    Warnings, and exceptions that nobody handles, become records, too.
    """
    handler = logging.StreamHandler(_beneath(sys.stderr))
    handler.setFormatter(SafeJsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # botocore logs requests with their signatures at DEBUG; nothing below a warning of it is of use here.
    for noisy in ("botocore", "boto3", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    sys.unraisablehook = _unraisable
    threading.excepthook = _ended_thread


def capture_output(*, beside_json: bool = False) -> None:
    """Make a record of every line that is printed, too. For processes that have nothing else to say.

    Where something in the process prints JSON of its own (``beside_json``), a line that is an object stays
    one, without secrets.
    """
    # A log that cannot be written (a full disk) would be reported on stderr, and so to itself, for ever.
    logging.raiseExceptions = False
    printed = _PrintedBesideJson if beside_json else _Printed
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, _Printed):
            setattr(sys, name, printed(name, stream))


class _Printed(io.TextIOBase):
    """A stream whose every line becomes a record of the logger ``name``."""

    def __init__(self, name: str, beneath: TextIO) -> None:
        super().__init__()
        self.beneath = beneath
        self._log = logging.getLogger(name)
        # A line is often written in pieces, and threads must not mix theirs.
        self._begun = threading.local()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.beneath.fileno()

    def write(self, text: str) -> int:
        *lines, rest = f"{getattr(self._begun, 'text', '')}{text}".split("\n")
        self._begun.text = rest
        for line in lines:
            if line.strip():
                self.keep(line)
        return len(text)

    def keep(self, line: str) -> None:
        """Make a record of a line."""
        self._log.warning("%s", line)

    def flush(self) -> None:
        if getattr(self._begun, "text", ""):
            self.write("\n")


class _PrintedBesideJson(_Printed):
    def keep(self, line: str) -> None:
        """Make a record of a line, or write it again without secrets if it is an object already."""
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            told = None
        if isinstance(told, dict):
            self.beneath.write(f"{json.dumps(_safe(told))}\n")
        else:
            super().keep(line)


def _beneath(stream: TextIO) -> TextIO:
    return stream.beneath if isinstance(stream, _Printed) else stream


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        log.info("interrupted")
    else:
        log.critical("the process ends by an exception", exc_info=(kind, error, trace))


def _unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    log.error("an exception nobody can handle", exc_info=unraisable.exc_value)


def _ended_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_type is not SystemExit:
        name = ended.thread.name if ended.thread else None
        log.error("a thread ends by an exception", exc_info=ended.exc_value, extra={"thread_name": name})


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
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    return None


@lru_cache(512)  # every line has the same few names
def _is_secret(name: object) -> bool:
    return bool(_SECRET_NAME.fullmatch(re.sub(r"[-_]", "", str(name)).lower()))


def _cleaned(text: str) -> str:
    if _SUSPECT.search(text):
        for pattern, replacement in _SECRETS:
            text = pattern.sub(replacement, text)
    return text
