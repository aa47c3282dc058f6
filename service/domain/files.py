"""Files of a version: where they stand, what they weigh, and which sets of them make sense."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

import msgspec

from service.domain.names import DIGEST
from service.errors import Fault, ValidationFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_FILES: Final = 1_000
MAX_PATH_BYTES: Final = 512
# "At most 50 GB": decimal, as the Hugging Face client counts it; hashed well within a Lambda's 15 minutes.
MAX_FILE_BYTES: Final = 50_000_000_000


class FileEntry(msgspec.Struct, frozen=True):
    """A file as its publisher describes it; ``size`` in bytes, ``sha256`` lower-case hex."""

    path: str
    sha256: str
    size: int


class StoredFile(msgspec.Struct, frozen=True):
    """A file of a published version, pinned to the S3 version of its blob."""

    path: str
    sha256: str
    size: int
    s3_version_id: str


def fault_in_path(path: str) -> str | None:  # noqa: PLR0911 - one return a rule
    """What is wrong with a file's path, or None."""
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        return "must be valid Unicode (it holds a lone surrogate)"
    if not 1 <= len(encoded) <= MAX_PATH_BYTES:
        return f"must be 1 to {MAX_PATH_BYTES} bytes of UTF-8"
    if any(unicodedata.category(character) == "Cc" for character in path):
        return "must not hold control characters"
    if "\\" in path:
        return "must use '/', not a backslash"
    if not unicodedata.is_normalized("NFC", path):
        return "must be in Unicode normal form C"
    if path.startswith("/"):
        return "must be relative"
    if any(segment in {"", ".", ".."} for segment in path.split("/")):
        return "must not hold an empty, '.' or '..' segment"
    return None


def fault_in_size(size: int) -> str | None:
    """What is wrong with a file's size in bytes, or None."""
    return None if 0 <= size <= MAX_FILE_BYTES else f"must be 0 to {MAX_FILE_BYTES} bytes"


def fault_in_digest(sha256: str) -> str | None:
    """What is wrong with a digest, or None."""
    return None if DIGEST.fullmatch(sha256) else "must be 64 lower-case hexadecimal digits"


def check_count(count: int) -> None:
    """Raise ``ValidationFailed`` unless ``count`` files may travel together."""
    if not 1 <= count <= MAX_FILES:
        raise ValidationFailed.at("files", f"must hold 1 to {MAX_FILES} files, not {count}")


def check_files(files: Sequence[FileEntry]) -> None:
    """Raise ``ValidationFailed``, naming every fault, unless the files can be a version together.

    No path may stand twice, none may be a folder of another, and a digest has one size.
    """
    check_count(len(files))
    faults: list[Fault] = []
    seen: set[str] = set()
    sizes: dict[str, int] = {}
    for index, file in enumerate(files):
        place = f"files[{index}]"
        checks = {"path": fault_in_path(file.path), "sha256": fault_in_digest(file.sha256)}
        checks["size"] = fault_in_size(file.size)
        faults += [Fault(f"{place}.{name}", message) for name, message in checks.items() if message]
        if file.path in seen:
            faults.append(Fault(f"{place}.path", "stands twice"))
        seen.add(file.path)
        if sizes.setdefault(file.sha256, file.size) != file.size:
            faults.append(Fault(f"{place}.size", "differs from another file with the same sha256"))
    for index, file in enumerate(files):
        segments = file.path.split("/")
        folders = ("/".join(segments[:depth]) for depth in range(1, len(segments)))
        if shadowed := next((folder for folder in folders if folder in seen), None):
            faults.append(Fault(f"files[{index}].path", f"lies inside {shadowed!r}, which is a file"))
    if faults:
        raise ValidationFailed.of(faults)
