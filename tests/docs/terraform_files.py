"""What `infra/` says, as text: resources by address, and the maps whose entries become alarms."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY: Final = Path(__file__).parents[2]
INFRA: Final = REPOSITORY / "infra"
_RESOURCE: Final = re.compile(r'^resource "(\w+)" "(\w+)"', re.MULTILINE)


def files() -> Iterator[str]:
    """The text of every file of the three configurations."""
    for folder in (INFRA, INFRA / "cloudtrail", INFRA / "bootstrap"):
        for path in sorted(folder.glob("*.tf")):
            yield path.read_text(encoding="utf-8")


def resources() -> set[str]:
    """The addresses of all resources, without their modules."""
    return {f"{kind}.{name}" for text in files() for kind, name in _RESOURCE.findall(text)}


def entries(path: Path, name: str) -> list[str]:
    """The keys of a map of locals, those at its own indentation."""
    text = path.read_text(encoding="utf-8")
    begun = re.search(rf"^( *){name} = (?:merge\(\n +)?{{$", text, re.MULTILINE)
    assert begun, f"{path.name} has no map {name}"
    inner = text[begun.end() :]
    deeper = re.search(r"^( +)\S", inner, re.MULTILINE)
    assert deeper
    end = re.search(rf"^{' ' * (len(deeper[1]) - 2)}}}", inner, re.MULTILINE)
    assert end
    return re.findall(rf"^{deeper[1]}([\w-]+) += ", inner[: end.start()], re.MULTILINE)
