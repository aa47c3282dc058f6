"""The locks: what is pinned, by which hashes, and what asked for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

if TYPE_CHECKING:
    from pathlib import Path

_HASH: Final = re.compile(r"^--hash=sha256:([0-9a-f]{64})$")
_VIA: Final = re.compile(r"^#(?: via)?\s+(?P<asked_by>(?!via$)\S.*)$")


class LockError(ValueError):
    """A lock holds a line that is not an exact version with hashes."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One version of one distribution.

    ``asked_by`` are the distributions that need it; ``wanted`` says that an input file names it itself.
    ``sha256`` are the files that an installer may take: an sdist and a wheel for each kind of machine.
    """

    name: NormalizedName
    version: str
    marker: str
    sha256: tuple[str, ...]
    asked_by: tuple[NormalizedName, ...]
    wanted: bool


@dataclass(frozen=True, slots=True)
class Lock:
    """A file of pins; one name may have several, each for other interpreters."""

    name: str
    pins: tuple[Pin, ...]

    def named(self, name: str) -> tuple[Pin, ...]:
        """The pins of one distribution."""
        return tuple(pin for pin in self.pins if pin.name == canonicalize_name(name))


def read_locks(folder: Path) -> tuple[Lock, ...]:
    """Every lock of a folder, by name; a file ``requirements/service.txt`` is the lock ``service``.

    Raises:
        LockError: a lock cannot be read, or there is none.
    """
    found = tuple(read_lock(path) for path in sorted(folder.glob("*.txt")))
    if not found:
        msg = f"{folder} has no locks"
        raise LockError(msg)
    return found


def read_lock(path: Path) -> Lock:
    """A lock as `uv pip compile --generate-hashes` writes it.

    Raises:
        LockError: a line is not an exact version with hashes.
    """
    pins: list[Pin] = []
    via: list[str] = []
    requirement = ""
    hashes: list[str] = []
    for line in (*path.read_text(encoding="utf-8").splitlines(), ""):
        text = line.strip().removesuffix("\\").strip()
        if line.startswith(" ") and text.startswith("#"):
            if asked := _VIA.match(text):
                via.append(asked["asked_by"])
        elif line.startswith(" ") and (hashed := _HASH.match(text)):
            hashes.append(hashed[1])
        elif text.startswith("#"):
            continue
        else:
            if requirement:
                pins.append(_pin(path, requirement, hashes, via))
            requirement, hashes, via = text, [], []
    return Lock(path.stem, tuple(pins))


def _pin(path: Path, line: str, hashes: list[str], via: list[str]) -> Pin:
    try:
        requirement = Requirement(line)
    except InvalidRequirement as error:
        msg = f"{path.name}: cannot read {line!r}"
        raise LockError(msg) from error
    specifiers = list(requirement.specifier)
    if len(specifiers) != 1 or specifiers[0].operator != "==" or not hashes:
        msg = f"{path.name}: {line!r} is not an exact version with hashes"
        raise LockError(msg)
    return Pin(
        name=canonicalize_name(requirement.name),
        version=specifiers[0].version,
        marker=str(requirement.marker or ""),
        sha256=tuple(sorted(hashes)),
        asked_by=tuple(canonicalize_name(each) for each in via if not each.startswith("-")),
        wanted=any(each.startswith("-r") for each in via),
    )
