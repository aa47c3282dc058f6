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


def last_meaningful_line(log: Path, offset: int = 0) -> str | None:
    """The line written after byte `offset` of `log` that best tells a cause; None if nothing was written.

    An exception's own line comes first, then the last line that speaks of an error, then the last line at
    all. A structured line counts by its message.
    """
    with log.open("rb") as file:
        end = file.seek(0, 2)
        file.seek(max(offset, end - TAIL_BYTES))
        text = file.read().decode(errors="replace")
    lines = [message for line in text.splitlines() if (message := _message(line))]
    for pattern in (_EXCEPTION, _SAYS_ERROR):
        for line in reversed(lines):
            if pattern.search(line):
                return line
    return lines[-1] if lines else None


def _message(line: str) -> str:
    line = line.strip()
    if line.startswith("{"):
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            return line
        if isinstance(entry, dict) and isinstance(entry.get("message"), str):
            return str(entry["message"])
    return line
