"""The folder a pull writes into: what is there already, what would be in the way, and writing safely.

Nothing is ever written outside the folder: paths are the store's own rules again, every folder on the way is
opened without following symbolic links, and files take their final name in one step. What a pull wrote is
remembered in ``.smas/pulled.json``, so that the next one may replace or remove exactly that.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from filelock import FileLock, Timeout

from smas.errors import Fault, Invalid, LocalFault
from smas.references import fault_in_path
from smas.transfer.digests import digest_of_open
from smas.transfer.folder_tree import FolderTree, local_fault, unlink_if_there
from smas.transfer.placing import NEW_FILE, bring
from smas.transfer.selection import OWN_FOLDER, case_folded, names_differing_in_case

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from smas.results import File
    from smas.retries import Stop

_DIGEST: Final = re.compile("[0-9a-f]{64}")
_LOOK_SECONDS: Final = 0.2
_TEMPORARY: Final = ".new"
_UNKNOWN: Final = -1


class Written(msgspec.Struct, frozen=True):
    """A file as a pull left it."""

    sha256: str
    size: int
    mtime_ns: int


class Record(msgspec.Struct):
    """What pulls wrote into a folder, by path, and from where.

    ``placing`` are the digests, by path, that a pull is about to write: should it be killed, what it wrote is
    known to be ours all the same.
    """

    store: str = ""
    reference: str = ""
    files: dict[str, Written] = {}
    placing: dict[str, str] = {}


@dataclass(slots=True)
class Comparison:
    """The files of a version against the folder; ``in_the_way`` are local paths and why."""

    unchanged: list[File] = field(default_factory=list)
    wanted: list[File] = field(default_factory=list)
    in_the_way: list[Fault] = field(default_factory=list)


class Destination:
    """The folder ``root``, made if it does not exist; pulls into the same folder wait for each other."""

    def __init__(self, root: Path, stop: Stop) -> None:
        self.root = root
        self._stop = stop
        self.record = Record()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Make and open the folder, and read its record; the record is written at the end, come what may."""
        self._tree = FolderTree(self.root)
        try:
            self._mode = self._mode_of_new_files()
            self._refuse_own_links()
            with self._alone():
                self._remove_temporary()
                self.record = self._read_record()
                self._adopt_placed()
                try:
                    yield
                finally:
                    self._write_record()
        finally:
            self._tree.close()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until no other pull into this folder is at work."""
        lock = FileLock(self.own_folder / "lock")
        while True:
            self._stop.check()
            try:
                lock.acquire(timeout=_LOOK_SECONDS)
            except Timeout:
                continue
            except OSError as error:
                raise local_fault(error, self.own_folder / "lock") from error
            break
        try:
            yield
        finally:
            lock.release()

    @property
    def own_folder(self) -> Path:
        """Where the record is, and what pulls need besides."""
        return self.root / OWN_FOLDER

    def check_names(self, files: Sequence[File]) -> None:
        """Raise ``Invalid`` unless every path may be written here, and all of them side by side."""
        faults = [Fault(repr(file.path), wrong) for file in files if (wrong := self._fault_in(file.path))]
        seen = {file.path for file in files}
        faults += [
            Fault(repr(file.path), f"{folder!r} is a file of the same version")
            for file in files
            if (folder := next((up for up in _folders_of(file.path) if up in seen), None))
        ]
        if len(seen) != len(files):
            faults.append(Fault("the version", "names a path twice"))
        if faults:
            message = f"the version can't be written here: {faults[0].location}: {faults[0].message}"
            raise Invalid(message, errors=faults)
        pairs = names_differing_in_case([file.path for file in files])
        if pairs and self._ignores_case():
            first, second = pairs[0]
            message = f"{self.root} is on a file system that can't hold both {first!r} and {second!r}"
            faults = [Fault(one, f"differs from {other} in case only") for one, other in pairs]
            raise LocalFault(message, hint="pull to a case-sensitive file system", errors=faults)

    def compare(self, files: Sequence[File], *, read_all: bool) -> Comparison:
        """Which files are here already; ``read_all`` hashes also those that look untouched.

        What an earlier pull wrote and these files lack is in nobody's way: ``remove_all_but`` comes first.
        """
        found = Comparison()
        stale = set(self.record.files) - {file.path for file in files}
        for file in files:
            self._stop.check()
            makes_way = self._makes_way(file.path, stale)
            state = "absent" if makes_way else self._state_of(file, read_all=read_all)
            if state == "same":
                found.unchanged.append(file)
            else:
                found.wanted.append(file)
                if state not in {"absent", "ours"}:
                    found.in_the_way.append(Fault(file.path, state))
        return found

    def place(self, file: File, blob: Path, how: str) -> None:
        """Give ``blob`` the file's final name: ``how`` is "link", "copy", or "move".

        A link or move that the file system refuses becomes a copy. Raises ``LocalFault``.
        """
        folder, name = self._tree.parent(file.path, make=True)
        own = self._tree.folder((OWN_FOLDER,), make=True)
        temporary = f"{secrets.token_hex(8)}{_TEMPORARY}"
        try:
            try:
                bring(blob, own, temporary, how, self._mode, self._stop)
                os.replace(temporary, name, src_dir_fd=own, dst_dir_fd=folder)
            finally:
                # Still there if it failed, or if both names already were the same file.
                unlink_if_there(temporary, own)
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except OSError as error:
            raise local_fault(error, self.root / file.path) from error
        finally:
            os.close(own)
            os.close(folder)
        self.record.files[file.path] = Written(file.sha256, status.st_size, status.st_mtime_ns)

    def announce(self, files: Sequence[File]) -> None:
        """Remember that these files are about to be placed, until the record is written at the end."""
        self.record.placing = {file.path: file.sha256 for file in files}
        self._write_record()

    def keep(self, file: File) -> None:
        """The file is here already and is what it should be: from now on it is ours."""
        folder, name = self._tree.parent(file.path, make=False)
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        finally:
            os.close(folder)
        self.record.files[file.path] = Written(file.sha256, status.st_size, status.st_mtime_ns)

    def remove_all_but(self, files: Sequence[File]) -> tuple[list[str], list[str]]:
        """Remove what an earlier pull wrote and this version does not have; answers (removed, kept).

        A file that was changed since is not ours to remove.
        """
        wanted = {file.path for file in files}
        # Where case does not matter, what would be removed by its old name may be wanted by its new one.
        renamed = {case_folded(path) for path in wanted} if self._ignores_case() else set()
        removed, kept = [], []
        for path in sorted(set(self.record.files) - wanted):
            written = self.record.files.pop(path)
            if case_folded(path) in renamed:
                continue
            try:
                found = self._find(path, written, read_all=False)
            except LocalFault:
                found = "something else stands in a folder's place"
            if found == written.sha256:
                self._tree.remove(path)
                removed.append(path)
            elif found != "absent":
                kept.append(path)
        return removed, kept

    def is_on_device_of(self, other: Path) -> bool:
        """Whether hard links to files below ``other`` (or its nearest folder that exists) can stand here."""
        return os.fstat(self._tree.descriptor).st_dev == _nearest(other).stat().st_dev

    def require_space(self, size: int, where: Path) -> None:
        """Raise ``LocalFault`` unless ``size`` bytes are free at ``where``."""
        status = os.statvfs(_nearest(where))
        free = status.f_bavail * status.f_frsize
        if free < size:
            message = f"{where} has {free:,} bytes free, but {size:,} are needed"
            raise LocalFault(message, hint="free some space (`smas cache prune`), or pull elsewhere")

    # --- inside --------------------------------------------------------------------------------------

    def _fault_in(self, path: str) -> str | None:
        if wrong := fault_in_path(path):
            return wrong
        segments = path.split("/")
        if segments[0].casefold() == OWN_FOLDER:
            return f"{OWN_FOLDER} is where pulls keep their own record"
        longest = os.fpathconf(self._tree.descriptor, "PC_NAME_MAX")
        for segment in segments:
            if len(segment.encode()) > longest:
                return f"this file system takes names of at most {longest} bytes"
        return None

    def _ignores_case(self) -> bool:
        try:
            twin = os.stat(OWN_FOLDER.upper(), dir_fd=self._tree.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return os.path.samestat(
            twin, os.stat(OWN_FOLDER, dir_fd=self._tree.descriptor, follow_symlinks=False)
        )

    def _state_of(self, file: File, *, read_all: bool) -> str:
        """``absent``, ``same``, ``ours`` (free to replace), or what else is there."""
        written = self.record.files.get(file.path)
        found = self._find(file.path, written, read_all=read_all)
        if found == file.sha256:
            return "same"
        if not _DIGEST.fullmatch(found):
            return found
        if written and found == written.sha256:
            return "ours"
        return "it was changed since it was pulled" if written else "it was there before"

    def _makes_way(self, path: str, stale: set[str]) -> bool:
        """Whether all that stands in the place of ``path`` is stale, as a file where it wants a folder."""
        above = [folder for folder in _folders_of(path) if folder in stale]
        below = [other for other in stale if other.startswith(f"{path}/")]
        inside = {
            (Path(folder) / name).relative_to(self.root).as_posix()
            for folder, _, names in os.walk(self.root / path)
            for name in names
        }
        if not (above or below) or not inside <= set(below):
            return False
        return all(self._is_as_written(other) for other in (*above, *below))

    def _is_as_written(self, path: str) -> bool:
        written = self.record.files[path]
        return self._find(path, written, read_all=False) == written.sha256

    def _find(self, path: str, written: Written | None, *, read_all: bool) -> str:
        """The digest of the file at ``path``; ``absent``, or what it is if it is no file.

        What looks as it was ``written`` is not read, unless ``read_all``. Raises ``LocalFault``.
        """
        try:
            folder, name = self._tree.parent(path, make=False)
        except FileNotFoundError:
            return "absent"
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if not stat.S_ISREG(status.st_mode):
                return "it is a folder" if stat.S_ISDIR(status.st_mode) else "it is not a regular file"
            untouched = written and (status.st_size, status.st_mtime_ns) == (written.size, written.mtime_ns)
            return written.sha256 if written and untouched and not read_all else self._digest(name, folder)
        except FileNotFoundError:
            return "absent"
        except OSError as error:
            raise local_fault(error, self.root / path) from error
        finally:
            os.close(folder)

    def _digest(self, name: str, folder: int) -> str:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            return digest_of_open(descriptor, self._stop)
        finally:
            os.close(descriptor)

    def _mode_of_new_files(self) -> int:
        """What the umask leaves; asking for it would change it for all threads, so a file tells."""
        own, name = self._tree.folder((OWN_FOLDER,), make=True), secrets.token_hex(8)
        try:
            descriptor = os.open(name, NEW_FILE, 0o666, dir_fd=own)
            try:
                return stat.S_IMODE(os.fstat(descriptor).st_mode)
            finally:
                os.close(descriptor)
                os.unlink(name, dir_fd=own)
        except OSError as error:
            raise local_fault(error, self.own_folder) from error
        finally:
            os.close(own)

    def _refuse_own_links(self) -> None:
        """Raise ``LocalFault`` if somebody had what pulls keep for themselves written elsewhere."""
        for folder, folders, files in os.walk(self.own_folder):
            for path in (Path(folder, name) for name in (*folders, *files)):
                if path.is_symlink():
                    message = f"{path} is a symbolic link; nothing is written through it"
                    raise LocalFault(message, hint="remove it, or pull into another folder")

    def _adopt_placed(self) -> None:
        """What a pull that was killed had placed is ours; nobody knows when it was, so it is read."""
        placing, self.record.placing = self.record.placing, {}
        for path, sha256 in placing.items():
            try:
                if self._find(path, None, read_all=True) == sha256:
                    self.record.files[path] = Written(sha256, _UNKNOWN, _UNKNOWN)
            except LocalFault:
                continue  # something else stands there, which is told when it is in the way

    def _remove_temporary(self) -> None:
        """What a pull that was killed left half-done."""
        own = self._tree.folder((OWN_FOLDER,), make=True)
        try:
            for name in os.listdir(own):  # noqa: PTH208 - of an open folder
                if name.endswith(_TEMPORARY):
                    unlink_if_there(name, own)
        except OSError as error:
            raise local_fault(error, self.own_folder) from error
        finally:
            os.close(own)

    @property
    def _record_path(self) -> Path:
        return self.own_folder / "pulled.json"

    def _read_record(self) -> Record:
        damaged = LocalFault(
            f"{self._record_path} is damaged",
            hint="remove it: files that are as they should be are kept, others are not overwritten",
        )
        try:
            record = msgspec.json.decode(self._record_path.read_bytes(), type=Record)
        except FileNotFoundError:
            return Record()
        except msgspec.MsgspecError as error:
            raise damaged from error
        except OSError as error:
            raise local_fault(error, self._record_path) from error
        # The folder may come from somebody else: no record leads out of it, either.
        if any(self._fault_in(path) for path in (*record.files, *record.placing)):
            raise damaged
        return record

    def _write_record(self) -> None:
        temporary = self._record_path.with_name(f"{secrets.token_hex(8)}{_TEMPORARY}")
        try:
            temporary.write_bytes(msgspec.json.format(msgspec.json.encode(self.record), indent=1))
            temporary.replace(self._record_path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise local_fault(error, self._record_path) from error


def _nearest(path: Path) -> Path:
    """``path``, or the nearest folder above it that exists."""
    return next(found for found in (path.absolute(), *path.absolute().parents) if found.exists())


def _folders_of(path: str) -> list[str]:
    segments = path.split("/")
    return ["/".join(segments[:depth]) for depth in range(1, len(segments))]
