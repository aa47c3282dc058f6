"""How models, versions and files are named: ``team/model``, ``team/model@ref``, ``smas://team/model@ref/path``.

The rules are the store's; checking them here gives an error before anything is sent.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from smas.errors import Invalid

SCHEME: Final = "smas://"
LATEST: Final = "latest"
MAX_PATH_BYTES: Final = 512
_TEAM: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,38}", re.ASCII)
_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}", re.ASCII)
_ALIAS: Final = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model's full name."""

    team: str
    model: str

    def __str__(self) -> str:
        return f"{self.team}/{self.model}"


@dataclass(frozen=True, slots=True)
class Reference:
    """A version of a model: ``ref`` is a number (as text), an alias, or ``latest``."""

    model: ModelName
    ref: str = LATEST

    def __str__(self) -> str:
        return f"{self.model}@{self.ref}"


def parse_model(text: str) -> ModelName:
    """``team/model``. Raises ``Invalid`` saying what is wrong."""
    team, slash, model = text.removeprefix(SCHEME).partition("/")
    if not slash or "@" in model:
        message = f"{text!r} does not name a model: write team/model, as in fraud/credit-risk"
        raise Invalid(message)
    if not _TEAM.fullmatch(team):
        message = (
            f"{team!r} is no team: 1 to 39 lower-case letters, digits and dashes, not starting with a dash"
        )
        raise Invalid(message)
    if not _MODEL.fullmatch(model):
        message = (
            f"{model!r} is no model name: 1 to 96 letters, digits, '.', '_' and '-', not starting with a sign"
        )
        raise Invalid(message)
    return ModelName(team, model)


def parse_reference(text: str) -> Reference:
    """``team/model[@ref]``; without a ref it is ``latest``. Raises ``Invalid``."""
    name, at, ref = text.partition("@")
    return Reference(parse_model(name), parse_ref(ref) if at else LATEST)


def parse_ref(text: str) -> str:
    """A version's number, an alias, or ``latest``. Raises ``Invalid``."""
    if not (_NUMBER.fullmatch(text) or _ALIAS.fullmatch(text)):
        message = f"{text!r} names no version: write its number, an alias, or 'latest'"
        raise Invalid(message)
    return text


def parse_alias(text: str) -> str:
    """An alias that can be moved. Raises ``Invalid``."""
    if not _ALIAS.fullmatch(text):
        message = (
            f"{text!r} is no alias: 1 to 63 lower-case letters, digits and dashes, starting with a letter"
        )
        raise Invalid(message)
    if text == LATEST:
        message = "'latest' can't be moved: it always means the newest available version"
        raise Invalid(message)
    return text


def fault_in_path(path: str) -> str | None:  # noqa: PLR0911 - one return a rule
    """What is wrong with a file's path in a version, or None.

    Relative, POSIX, Unicode normal form C, 1-512 bytes; no empty, ``.`` or ``..`` segment, no backslash, no
    control character. What a server sends is held against the same rules before it touches the disk.
    """
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        return "its name is not valid Unicode"
    if not 1 <= len(encoded) <= MAX_PATH_BYTES:
        return f"its path is {len(encoded)} bytes long; at most {MAX_PATH_BYTES} are allowed"
    if any(unicodedata.category(character) == "Cc" for character in path):
        return "its name holds a control character"
    if "\\" in path:
        return "its name holds a backslash"
    if not unicodedata.is_normalized("NFC", path):
        return "its name is not in Unicode normal form C"
    if path.startswith("/"):
        return "its path is not relative"
    if any(segment in {"", ".", ".."} for segment in path.split("/")):
        return "its path holds an empty, '.' or '..' segment"
    return None
