"""Folders and files as tests describe them."""

from __future__ import annotations

import os
import stat
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from smas.errors import Invalid
from smas.results import File
from smas.transfer.selection import select

if TYPE_CHECKING:
    from pathlib import Path

    from smas.transfer.cache import BlobCache


def digest(data: bytes) -> str:
    """SHA-256 in lower-case hex."""
    return sha256(data).hexdigest()


def published(path: str, data: bytes = b"") -> File:
    """A file of a version that holds these bytes."""
    return File(path=path, sha256=digest(data), size=len(data), s3_version_id="v1")


def write(path: Path, data: bytes = b"") -> Path:
    """A file with these bytes, and the folders it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def picture(root: Path) -> dict[str, str]:
    """Everything below ``root``: names, kinds and bytes; links are not followed."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = os.path.join(folder, name)  # noqa: PTH118 - names need not be Unicode
            mode = os.lstat(path).st_mode
            shown = os.path.relpath(path, root)
            if stat.S_ISLNK(mode):
                found[shown] = f"link to {os.readlink(path)}"  # noqa: PTH115
            elif stat.S_ISREG(mode):
                with open(path, "rb") as file:  # noqa: PTH123
                    found[shown] = digest(file.read())
            else:
                found[shown] = "folder" if stat.S_ISDIR(mode) else "something else"
    return found


def pulled(root: Path) -> dict[str, str]:
    """The same without what pulls keep for themselves."""
    return {path: what for path, what in picture(root).items() if not f"{path}/".startswith(".smas/")}


def admit(cache: BlobCache, data: bytes) -> Path:
    """Put a blob into a cache as a download would."""
    return cache.admit(digest(data), write(cache.partial(digest(data)), data))


def check_of(blob: Path) -> Path:
    """The check beside a blob."""
    return blob.with_name(f"{blob.name}.check")


def refusals(source: Path, **options: bool) -> dict[str, str]:
    """What a push refuses of a folder, and why; its sentence leads with the first."""
    with pytest.raises(Invalid) as refusal:
        select(source, **options)
    first = refusal.value.errors[0]
    assert refusal.value.detail.startswith(f"can't be published: {first.location}: {first.message}")
    return {fault.location: fault.message for fault in refusal.value.errors}
