"""Patterns of actions, resources and values, where `*` is any text, `/` too, and `?` any one character.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from smas_emulator.iam.context import NOTHING
from smas_emulator.iam.variables import Text, parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from smas_emulator.iam.context import Context
    from smas_emulator.iam.variables import Part

_WILDCARDS = re.compile(r"([*?])")

# A pattern is pieces with a `*` between each two, a piece is plain texts with a `?` between each two.
_Piece: TypeAlias = tuple[str, ...]


class Pattern:
    """A pattern, compiled.

    The value of a variable is taken to the letter: a `*` in a tag is no wildcard. A variable without a value
    makes the pattern match nothing. Its `beginning` is what it begins with, whatever the request.
    """

    __slots__ = ("beginning", "matches")

    # Whether a text fits, with the request's values in place of the variables.
    matches: Callable[[str, Context], bool]

    def __init__(self, parts: Iterable[Part]) -> None:
        pieces = _pieces(parts)
        self.beginning = pieces[0][0].beginning
        self.matches = _matcher(pieces)

    @classmethod
    def of(cls, text: str, *, variables: bool) -> Pattern:
        """The pattern as a policy writes it. Raises `ValueError` for a broken variable."""
        return cls(parts(text, variables=variables))


def _matcher(pieces: tuple[tuple[Text, ...], ...]) -> Callable[[str, Context], bool]:
    """What decides; most patterns are plain texts, or end in their only `*`."""
    beginning, ending = pieces[0][0].beginning, pieces[-1][-1].ending
    if any(chunk.fixed is None for piece in pieces for chunk in piece):

        def fits_filled(text: str, context: Context) -> bool:
            if not text.startswith(beginning) or not text.endswith(ending):
                return False
            filled = _filled(pieces, context)
            return filled is not None and _fit(filled, text)

        return fits_filled
    match _filled(pieces, NOTHING):
        case ((whole,),):
            return lambda text, _context: text == whole
        case ((prefix,), ("",)):
            return lambda text, _context: text.startswith(prefix)
        case filled:
            return lambda text, _context: filled is not None and _fit(filled, text)


def _pieces(parts: Iterable[Part]) -> tuple[tuple[Text, ...], ...]:
    pieces: list[list[list[Part]]] = [[[]]]
    for part in parts:
        if not isinstance(part, str):
            pieces[-1][-1].append(part)
            continue
        for each in _WILDCARDS.split(part):
            if each == "*":
                pieces.append([[]])
            elif each == "?":
                pieces[-1].append([])
            elif each:
                pieces[-1][-1].append(each)
    return tuple(tuple(Text(chunk) for chunk in piece) for piece in pieces)


def _filled(pieces: tuple[tuple[Text, ...], ...], context: Context) -> tuple[_Piece, ...] | None:
    filled = []
    for piece in pieces:
        chunks = []
        for chunk in piece:
            text = chunk.filled(context)
            if text is None:
                return None
            chunks.append(text)
        filled.append(tuple(chunks))
    return tuple(filled)


def _fit(pieces: tuple[_Piece, ...], text: str) -> bool:
    """Whether the first piece begins the text, the last ends it, and the others follow in between.

    It is enough to look for the first place of each: whatever is left over is for the `*`. So the time
    grows with the lengths alone, however many wildcards there are.
    """
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return len(text) == _length(first) and _stands(first, text, 0)
    begin, end = _length(first), len(text) - _length(last)
    if begin > end or not _stands(first, text, 0) or not _stands(last, text, end):
        return False
    for piece in pieces[1:-1]:
        begin = _end_of(piece, text, begin, end)
        if begin < 0:
            return False
    return True


def _length(piece: _Piece) -> int:
    return len(piece[0]) if len(piece) == 1 else sum(map(len, piece)) + len(piece) - 1


def _stands(piece: _Piece, text: str, at: int) -> bool:
    """Whether a piece stands at a place of a text that is long enough for it."""
    for chunk in piece:
        if not text.startswith(chunk, at):
            return False
        at += len(chunk) + 1
    return True


def _end_of(piece: _Piece, text: str, begin: int, end: int) -> int:
    """Where the first such piece between two places ends; -1 if there is none."""
    length = _length(piece)
    if len(piece) == 1:
        found = text.find(piece[0], begin, end)
        return -1 if found < 0 else found + length
    for at in range(begin, end - length + 1):
        if _stands(piece, text, at):
            return at + length
    return -1
