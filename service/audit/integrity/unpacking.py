"""Gzip as `validate-logs` reads it, in bounded memory.

What is signed is the text, not the gzip around it: the first member counts, whatever follows; a log file
whose text is all there is right even if the end of its gzip is missing.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, Final

import msgspec

from service.audit.log_files import MAX_TEXT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

_GZIP: Final = 16 + zlib.MAX_WBITS
_PIECE: Final = 1024 * 1024


class NoGzip(Exception):
    """It is no gzip, a broken one, or longer than any file of a trail."""


class Hashed(msgspec.Struct, frozen=True):
    """The SHA-256 (hexadecimal) of a text; whether its gzip is exactly one whole member."""

    sha256: str
    tidy: bool


def hashed(data: bytes) -> Hashed:
    """The hash of the text in a gzip, a piece at a time, cut off or not. Raises ``NoGzip``."""
    unpacking = zlib.decompressobj(_GZIP)
    digest = hashlib.sha256()
    for piece in _pieces(unpacking, data):
        digest.update(piece)
    return Hashed(digest.hexdigest(), tidy=unpacking.eof and not unpacking.unused_data)


def text_of(data: bytes) -> bytes:
    """The whole text in a gzip. Raises ``NoGzip``, for one that is cut off too."""
    unpacking = zlib.decompressobj(_GZIP)
    text = b"".join(_pieces(unpacking, data))
    if not unpacking.eof:
        raise NoGzip
    return text


def _pieces(unpacking: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    room = MAX_TEXT_BYTES
    try:
        while data and not unpacking.eof:
            piece = unpacking.decompress(data, _PIECE)
            yield piece
            room -= len(piece)
            if room < 0:
                raise NoGzip
            data = unpacking.unconsumed_tail
        yield unpacking.flush()
    except zlib.error as error:
        raise NoGzip from error
