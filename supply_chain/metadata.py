"""What an installed distribution says of its licence, and the texts it came with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import Distribution, distributions
from typing import TYPE_CHECKING, Final

from license_expression import ExpressionError, get_spdx_licensing
from packaging.utils import NormalizedName, canonicalize_name

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path

SPDX: Final = get_spdx_licensing()

# Classifiers that name one licence; "BSD License" and "Apache Software License" name several.
# https://pypi.org/classifiers/
_CLASSIFIERS: Final = {
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: MIT No Attribution License (MIT-0)": "MIT-0",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
_NO_LICENCE: Final = {"License :: DFSG approved", "License :: OSI Approved"}
# Where installers put licence texts: dist-info/licenses (PEP 639), or dist-info itself.
_TEXT: Final = re.compile(r"(?i)^(licenses/.+|(licen[cs]e|copying|notice)[^/]*)$")


@dataclass(frozen=True, slots=True)
class Installed:
    """One installed distribution.

    ``declared`` is the SPDX expression of its metadata, empty where the metadata names no licence exactly;
    ``families`` are its classifiers, which may name several licences; ``says`` is all that it says in words.
    ``texts`` are the licence files that came with it, without the empty ones.
    """

    name: NormalizedName
    version: str
    declared: str
    families: tuple[str, ...]
    says: str
    texts: tuple[str, ...]
    _distribution: Distribution

    def digest(self, name: str) -> str | None:
        """The SHA-256 of one of its files: a licence file by its name, any other by its path."""
        for file in self._distribution.files or ():
            if str(file) == name or _in_dist_info(str(file)).removeprefix("licenses/") == name:
                return sha256(file.read_binary()).hexdigest()
        return None


def installed(site_packages: Path) -> dict[NormalizedName, Installed]:
    """Every distribution of an environment, by name."""
    found = (_read(each) for each in distributions(path=[str(site_packages)]))
    return {each.name: each for each in found}


def _read(distribution: Distribution) -> Installed:
    metadata: Message = distribution.metadata  # type: ignore[assignment]  # it is one; the stub names a protocol
    return Installed(
        name=canonicalize_name(distribution.name),
        version=distribution.version,
        declared=declared_licence(metadata),
        families=classified_as(metadata),
        says=said_of_licence(metadata),
        texts=tuple(
            sorted(
                str(file)
                for file in distribution.files or ()
                if _TEXT.match(_in_dist_info(str(file))) and file.read_binary().strip()
            )
        ),
        _distribution=distribution,
    )


def _in_dist_info(path: str) -> str:
    folder, _, name = path.partition("/")
    return name if folder.endswith(".dist-info") else ""


def declared_licence(metadata: Message) -> str:
    """The SPDX expression that core metadata names, or nothing.

    Read in this order: ``License-Expression`` (PEP 639), ``License`` where it is an expression, and a
    classifier that names one licence. Two that contradict each other name nothing.
    """
    for field in ("License-Expression", "License"):
        if expression := _expression(str(metadata.get(field) or "")):
            return expression
    classified = [each for each in _classifiers(metadata) if each not in _NO_LICENCE]
    licence = _CLASSIFIERS.get(classified[0], "") if len(classified) == 1 else ""
    words = _words(metadata)
    return licence if not words or licence.partition("-")[0] in words else ""


def said_of_licence(metadata: Message) -> str:
    """What metadata says of the licence in free words, for a person who has to read on."""
    said = (_words(metadata), *(each.rpartition(" :: ")[2] for each in _classifiers(metadata)))
    return "; ".join(part for part in said if part)


def classified_as(metadata: Message) -> tuple[str, ...]:
    """The licence classifiers' own names, such as "BSD License"."""
    return tuple(each.rpartition(" :: ")[2] for each in _classifiers(metadata) if each not in _NO_LICENCE)


def _words(metadata: Message) -> str:
    """The field ``License``, unless it is a whole text or says that nobody filled it in."""
    words = str(metadata.get("License") or "").strip()
    return "" if "\n" in words or words == "UNKNOWN" else words


def _classifiers(metadata: Message) -> list[str]:
    return [str(each) for each in metadata.get_all("Classifier") or () if str(each).startswith("License ::")]


def _expression(text: str) -> str:
    if not text or "\n" in text:
        return ""
    try:
        return str(SPDX.parse(text, validate=True, strict=True))
    except ExpressionError:
        return ""
