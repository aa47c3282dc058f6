"""Which files of this machine a push takes, decided before anything is sent.

Everything that can't be published is named at once. What is left out by default (hidden files, empty
folders) is told, never silent.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from smas.errors import Fault, Invalid, LocalFault
from smas.references import fault_in_path

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILES: Final = 1_000
MAX_FILE_BYTES: Final = 50_000_000_000
# Where a pull keeps its record; never published.
OWN_FOLDER: Final = ".smas"
_KINDS: Final = (
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISCHR, "a device"),
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What the file system says of a file; it changes whenever the bytes do (times in nanoseconds)."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Fingerprint:
        """From ``os.stat``."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file to publish: its ``path`` in the version, and where it is."""

    path: str
    source: Path
    fingerprint: Fingerprint

    @property
    def size(self) -> int:
        """In bytes."""
        return self.fingerprint.size

    def check_unchanged(self) -> None:
        """Raise ``Invalid`` if the file is not the one that was selected."""
        try:
            now = Fingerprint.of(self.source.stat())
        except OSError as error:
            message = f"{self.source} can't be read any more: {error.strerror}"
            raise Invalid(message, hint=_CHANGED_HINT) from error
        if now != self.fingerprint:
            message = f"{self.source} was changed while it was pushed; nothing was published"
            raise Invalid(message, hint=_CHANGED_HINT)


_CHANGED_HINT: Final = "wait until whatever writes it is done, then push again"


@dataclass(slots=True)
class Selection:
    """The files, in the order of their paths, what was left out, and what can't be published."""

    files: list[LocalFile] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def select(source: Path, *, hidden: bool = False, follow_symlinks: bool = False) -> Selection:
    """The files of a folder, or one file.

    Symbolic links are refused unless ``follow_symlinks`` (they may lead out of the folder); hidden files are
    left out unless ``hidden``. Names are brought into Unicode normal form C. Raises ``Invalid`` naming every
    file that can't be published, ``LocalFault`` if ``source`` can't be read.
    """
    selection = Selection()
    try:
        status = source.stat()
    except OSError as error:
        message = f"{source} can't be read: {error.strerror}"
        raise LocalFault(message) from error
    if stat.S_ISDIR(status.st_mode):
        _Walk(selection, hidden=hidden, follow=follow_symlinks).folder(source, "", ())
        if not selection.files and not selection.faults:
            message = f"{source} holds no file to publish"
            hint = "hidden files are left out; --hidden takes them" if selection.left_out else ""
            raise Invalid(message, hint=hint)
    else:
        _Walk(selection, hidden=True, follow=True).file(source, source.name, status)
    selection.files.sort(key=lambda file: file.path)
    faults = [*selection.faults, *_faults_together(selection.files)]
    if faults:
        more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
        message = f"can't be published: {faults[0].location}: {faults[0].message}{more}"
        raise Invalid(message, errors=faults)
    return selection


@dataclass(frozen=True, slots=True)
class _Walk:
    selection: Selection
    hidden: bool
    follow: bool

    def folder(self, folder: Path, prefix: str, above: tuple[tuple[int, int], ...]) -> None:
        """All of ``folder``; ``above`` are the folders it lies in, by device and inode."""
        try:
            status = folder.stat()
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            return self._fault(_shown(prefix or str(folder)), f"the folder can't be read: {error.strerror}")
        here = (status.st_dev, status.st_ino)
        if here in above:
            return self._fault(_shown(prefix), "the link leads back to a folder it lies in")
        if not entries and prefix:
            self.selection.left_out.append(f"{_shown(prefix)}/ (an empty folder)")
        for entry in entries:
            path = f"{prefix}/{entry.name}" if prefix else entry.name
            if entry.name == OWN_FOLDER and not prefix:
                continue
            if entry.name.startswith(".") and not self.hidden:
                self.selection.left_out.append(f"{_shown(path)} (hidden)")
            else:
                self._entry(entry, path, (*above, here))
        return None

    def file(self, source: Path, path: str, status: os.stat_result) -> None:
        """One file."""
        named = unicodedata.normalize("NFC", path)
        if wrong := self._fault_in(source, named, status):
            return self._fault(_shown(path), wrong)
        self.selection.files.append(LocalFile(named, source, Fingerprint.of(status)))
        return None

    def _entry(self, entry: os.DirEntry[str], path: str, above: tuple[tuple[int, int], ...]) -> None:
        source = Path(entry.path)
        if entry.is_symlink() and not self.follow:
            target = _shown(str(source.readlink()))
            return self._fault(
                _shown(path),
                f"it is a symbolic link, to {target}: --follow-symlinks takes what links lead to",
            )
        try:
            status = source.stat()
        except OSError as error:
            link = "the link leads nowhere" if entry.is_symlink() else "it can't be read"
            return self._fault(_shown(path), f"{link}: {error.strerror}")
        if stat.S_ISDIR(status.st_mode):
            return self.folder(source, path, above)
        return self.file(source, path, status)

    def _fault_in(self, source: Path, path: str, status: os.stat_result) -> str | None:
        for is_kind, kind in _KINDS:
            if is_kind(status.st_mode):
                return f"it is {kind}, not a file"
        if wrong := fault_in_path(path):
            return wrong
        if path.split("/", maxsplit=1)[0].casefold() == OWN_FOLDER:
            return f"nothing can be pulled under that name: {OWN_FOLDER} is where pulls keep their own record"
        if status.st_size > MAX_FILE_BYTES:
            return f"it is {status.st_size:,} bytes long; at most {MAX_FILE_BYTES:,} are allowed: split it"
        try:
            with source.open("rb"):
                return None
        except OSError as error:
            return f"it can't be read: {error.strerror}"

    def _fault(self, path: str, message: str) -> None:
        self.selection.faults.append(Fault(path, message))


def _faults_together(files: list[LocalFile]) -> Iterator[Fault]:
    if len(files) > MAX_FILES:
        message = f"{len(files):,} files; a version holds at most {MAX_FILES:,}: pack some of them together"
        yield Fault("the folder", message)
    for before, after in pairwise(files):
        if before.path == after.path:
            sources = f"{_shown(str(before.source))} and {_shown(str(after.source))}"
            yield Fault(_shown(before.path), f"{sources} have the same name in Unicode normal form C")
    paths = {file.path for file in files}
    for file in files:
        if any(str(folder) in paths for folder in PurePosixPath(file.path).parents):
            yield Fault(_shown(file.path), "in Unicode normal form C, a folder it lies in is a file as well")


def names_differing_in_case(paths: list[str]) -> list[tuple[str, str]]:
    """Pairs of paths (or folders in them) that a case-insensitive file system can't tell apart."""
    seen: dict[str, str] = {}
    pairs: dict[tuple[str, str], None] = {}
    for path in paths:
        segments = path.split("/")
        for depth in range(1, len(segments) + 1):
            part = "/".join(segments[:depth])
            first = seen.setdefault(case_folded(part), part)
            if first != part:
                pairs[first, part] = None
    return list(pairs)


def case_folded(path: str) -> str:
    """The same for all names that a case-insensitive file system can't tell apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def _shown(path: str) -> str:
    """A name fit for a terminal: what is not valid Unicode, and control characters, escaped."""
    text = path.encode(errors="surrogateescape").decode(errors="backslashreplace")
    return "".join(
        c if unicodedata.category(c) not in {"Cc", "Cf", "Cs"} else c.encode("unicode_escape").decode()
        for c in text
    )
