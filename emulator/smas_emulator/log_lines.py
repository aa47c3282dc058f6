"""Finds the line of a log that says why a program ended."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TAIL_BYTES = 64 * 1024
_EXCEPTION = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception|Exit|NotFound|Interrupt|Failure)\b")
_SAYS_ERROR = re.compile(r"\b(?:error|critical|fatal|failed|cannot)\b", re.IGNORECASE)

_TRACEBACKS = ("exc_info", "exception")  # where structured loggers put them


def last_meaningful_line(log: Path, offset: int = 0) -> str | None:
    """The line written after byte `offset` of `log` that best tells a cause; None if nothing was written.

    An exception's own line comes first, then the last line that speaks of an error, then the last line at
    all. A structured line counts by its message and traceback.
    """
    with log.open("rb") as file:
        end = file.seek(0, 2)
        file.seek(max(offset, end - TAIL_BYTES))
        text = file.read().decode(errors="replace")
    lines = [spoken for line in text.splitlines() for spoken in _spoken(line) if spoken]
    for pattern in (_EXCEPTION, _SAYS_ERROR):
        for line in reversed(lines):
            if pattern.search(line):
                return line
    return lines[-1] if lines else None


def _spoken(line: str) -> list[str]:
    """What a line says: itself, or the message and the traceback of a structured one."""
    line = line.strip()
    if line.startswith("{"):
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            return [line]
        said = [entry.get(name) for name in ("message", *_TRACEBACKS)]
        return [part for text in said if isinstance(text, str) for part in text.splitlines()] or [line]
    return [line]
