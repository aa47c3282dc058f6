"""Reads on in a log file from where an earlier reading ended, even one of another process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

# What is read at once, and so what is in memory; a longer line comes in pieces.
MOST_BYTES = 512 * 1024
_ANCHOR_BYTES = 256


@dataclass(frozen=True, slots=True)
class Position:
    """How far a file has been read, in bytes, and the digest of what stands just before that.

    The digest tells whether it is still the same file: a start may empty or replace it.
    """

    offset: int
    anchor: str


BEGINNING = Position(0, hashlib.sha256().hexdigest())


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end, and the position after it."""

    text: bytes
    after: Position


def lines_after(path: Path, position: Position) -> list[Line]:
    """The next whole lines after `position`; from the beginning if the file is not the one it was.

    Empty if there is no such file, or nothing more in it yet.
    """
    try:
        with path.open("rb") as file:
            start = position.offset if _anchor(file, position.offset) == position.anchor else 0
            before = _before(file, start)
            data = file.read(MOST_BYTES)
    except FileNotFoundError:
        return []
    whole = data.split(b"\n")
    rest = whole.pop()
    ends = [text + b"\n" for text in whole]
    if not ends and len(rest) == MOST_BYTES:
        ends = [rest]
    lines: list[Line] = []
    place = 0
    for text in ends:
        place += len(text)
        tail = (before + data[max(0, place - _ANCHOR_BYTES) : place])[-_ANCHOR_BYTES:]
        after = Position(start + place, hashlib.sha256(tail).hexdigest())
        lines.append(Line(text.rstrip(b"\r\n"), after))
    return lines


def _anchor(file: BinaryIO, offset: int) -> str | None:
    """The digest of what stands before `offset`; None if the file is shorter."""
    if file.seek(0, 2) < offset:
        return None
    return hashlib.sha256(_before(file, offset)).hexdigest()


def _before(file: BinaryIO, offset: int) -> bytes:
    """Up to `_ANCHOR_BYTES` before `offset`, at which the file then stands."""
    file.seek(max(0, offset - _ANCHOR_BYTES))
    return file.read(offset - file.tell())
