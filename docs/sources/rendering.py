"""From SVG to PNG, the same on every machine: with the font of the lock and none of the machine's own.

The PNG carries the digest of the SVG that it was rendered from, in a chunk of text, so that a test without
the renderer sees whether it is out of date.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_KEYWORD: Final = b"Source-SHA256"
_FONT: Final = "font_source_sans_pro"
_WEIGHTS: Final = ("Regular", "Semibold")
_ZOOM: Final = 1.5


def digest(svg: str) -> str:
    """What the PNG is stamped with."""
    return hashlib.sha256(svg.encode()).hexdigest()


def render(svg: str) -> bytes:
    """The PNG of an SVG, stamped."""
    import resvg_py  # noqa: PLC0415 - only where something is drawn; tests read the stamp without it

    image = resvg_py.svg_to_bytes(
        svg_string=svg,
        zoom=_ZOOM,
        skip_system_fonts=True,
        font_files=[str(_fonts() / f"SourceSansPro-{weight}.otf") for weight in _WEIGHTS],
    )
    return _stamped(bytes(image), digest(svg))


def stamp(png: bytes) -> str | None:
    """The digest of the SVG that a PNG was rendered from, if it says so."""
    for kind, content in _chunks(png):
        keyword, _, text = content.partition(b"\0")
        if kind == b"tEXt" and keyword == _KEYWORD:
            return text.decode("latin-1")
    return None


def _fonts() -> Path:
    """Where the font's package keeps its files; importing it would load every one of them."""
    spec = find_spec(_FONT)
    if spec is None or spec.origin is None:
        message = f"The package {_FONT} is not installed; run `make docs`."
        raise ModuleNotFoundError(message)
    return Path(spec.origin).parent / "files"


def _stamped(png: bytes, text: str) -> bytes:
    """The PNG with a chunk of text before its last one."""
    chunks = list(_chunks(png))
    chunks.insert(-1, (b"tEXt", _KEYWORD + b"\0" + text.encode("latin-1")))
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks of a PNG, each its kind and content (https://www.w3.org/TR/png-3/#5Chunk-layout)."""
    found = []
    at = len(_SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    return found
