"""A folder as one pull after the other finds and leaves it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from smas.retries import Stop
from smas.transfer.destination import Destination

from tests.client.transfer.trees import digest, published, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from smas.results import File


@contextmanager
def opened(dest: Path, stop: Stop | None = None) -> Iterator[Destination]:
    """The folder, for one pull."""
    destination = Destination(dest, stop or Stop())
    with destination.opened():
        yield destination


def blob(dest: Path, data: bytes) -> Path:
    """These bytes in a cache beside the folder."""
    path = dest.parent.parent / "cache" / digest(data)
    if not path.exists():
        write(path, data).chmod(0o444)
    return path


def pull(dest: Path, files: dict[str, bytes], how: str = "link", *, overwrite: bool = False) -> list[str]:
    """What a pull does with the folder; answers which stale files were kept."""
    version = [published(path, data) for path, data in files.items()]
    with opened(dest) as destination:
        destination.check_names(version)
        found = destination.compare(version, read_all=False)
        assert overwrite or not found.in_the_way
        for file in found.unchanged:
            destination.keep(file)
        kept = destination.remove_all_but(version)[1]
        destination.announce(found.wanted)
        for file in found.wanted:
            destination.place(file, blob(dest, files[file.path]), how)
        destination.record.placing = {}
        return kept


def look(dest: Path, file: File, *, read_all: bool = False) -> tuple[str, str | None]:
    """What a pull finds in a file's place, and why it would be in the way."""
    with opened(dest) as destination:
        found = destination.compare([file], read_all=read_all)
    why = found.in_the_way[0].message if found.in_the_way else None
    return ("unchanged" if found.unchanged else "wanted", why)
