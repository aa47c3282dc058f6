"""A folder of blobs by digest, shared by all pulls of this machine, and the place where partial ones wait.

::

    blobs/ab/abcdef…        the bytes, read-only; hard links to them stand in pulled folders
    blobs/ab/abcdef….check  size and time of last change when they were found to be right
    partial/abcdef….part    a download that is not complete, and
    partial/abcdef….ranges  which of its ranges are
    partial/abcdef….lock    held while somebody works on it

A blob is used without reading it again only while its check still fits and it belongs to the caller (or
root): whoever wrote to it changed its time, and what somebody else put there is read and hashed first.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from filelock import FileLock, Timeout

from smas.errors import LocalFault
from smas.transfer.digests import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from smas.retries import Stop

READ_ONLY: Final = 0o444
_LOOK_SECONDS: Final = 0.2
_ROOT: Final = 0
_BLOCK_BYTES: Final = 512  # what st_blocks counts in (POSIX leaves it open; Linux and macOS agree)


@dataclass(frozen=True, slots=True)
class CachedBlob:
    """What the cache holds of one digest; ``linked`` says that a pulled folder shares its bytes."""

    sha256: str
    size: int
    used_at: float
    linked: bool


class BlobCache:
    """The cache below ``root``, made when something is put there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, sha256: str, size: int, stop: Stop) -> Path | None:
        """The blob, known to be right; None if it is not there (a damaged one is removed)."""
        path = self._blob(sha256)
        try:
            status = path.lstat()
        except FileNotFoundError:
            return None
        good = stat.S_ISREG(status.st_mode) and status.st_size == size
        if good and not self._is_checked(path, status):
            good = digest_of(path, stop) == sha256
            if good:
                self._write_check(path)
        if not good:
            self.remove(sha256)
            return None
        with suppress(PermissionError):  # the cache of root, say, which we may only read
            os.utime(self._check(path))
        return path

    def admit(self, sha256: str, partial: Path) -> Path:
        """Take a complete download, whose digest was checked, in; answers where it is now."""
        path = self._blob(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.chmod(READ_ONLY)
        partial.replace(path)
        self._write_check(path)
        return path

    def remove(self, sha256: str) -> None:
        """Forget a blob; folders it is linked into keep it."""
        path = self._blob(sha256)
        self._check(path).unlink(missing_ok=True)
        path.unlink(missing_ok=True)

    def blobs(self) -> Iterator[CachedBlob]:
        """All complete blobs."""
        for path in sorted(self.root.glob("blobs/??/" + "?" * 64)):
            status, check = path.lstat(), self._check(path)
            used = check.stat().st_mtime if check.exists() else status.st_mtime
            yield CachedBlob(path.name, status.st_size, used, status.st_nlink > 1)

    def prune(self, unused_seconds: float) -> tuple[int, int]:
        """Remove what nobody used for so long, partial downloads too; answers how many files and bytes."""
        oldest, files, size = time.time() - unused_seconds, 0, 0
        for blob in list(self.blobs()):
            if blob.used_at <= oldest:
                self.remove(blob.sha256)
                files, size = files + 1, size + blob.size
        for part in self.root.glob("partial/*.part"):
            with self._try_lock(part.stem) as mine:
                if mine and part.exists() and part.stat().st_mtime <= oldest:
                    files, size = files + 1, size + part.stat().st_blocks * _BLOCK_BYTES
                    part.unlink()
                    part.with_suffix(".ranges").unlink(missing_ok=True)
        return files, size

    def clear(self) -> None:
        """Remove everything, locks too: for a cache that nobody else works with."""
        for name in ("blobs", "partial"):
            shutil.rmtree(self.root / name, ignore_errors=True)

    def partial(self, sha256: str) -> Path:
        """Where a download of that blob grows."""
        folder = self.root / "partial"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{sha256}.part"

    def partial_bytes(self, digests: Iterable[str]) -> int:
        """How much disk the partial downloads of those blobs take already."""
        parts = (self.root / "partial" / f"{sha256}.part" for sha256 in digests)
        return sum(part.stat().st_blocks * _BLOCK_BYTES for part in parts if part.exists())

    @contextmanager
    def working_on(self, sha256: str, stop: Stop) -> Iterator[None]:
        """Nobody else downloads that blob meanwhile; waits for whoever does. Raises ``Cancelled``."""
        # Whichever thread completes the blob leaves: not always the one that came in.
        lock = FileLock(self.partial(sha256).with_suffix(".lock"), thread_local=False)
        while True:
            stop.check()
            try:
                lock.acquire(timeout=_LOOK_SECONDS)
            except Timeout:
                continue
            break
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _try_lock(self, sha256: str) -> Iterator[bool]:
        lock = FileLock(self.partial(sha256).with_suffix(".lock"))
        try:
            lock.acquire(blocking=False)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def _blob(self, sha256: str) -> Path:
        return self.root / "blobs" / sha256[:2] / sha256

    @staticmethod
    def _check(blob: Path) -> Path:
        return blob.with_name(f"{blob.name}.check")

    def _is_checked(self, blob: Path, status: os.stat_result) -> bool:
        if status.st_uid not in (os.geteuid(), _ROOT):
            return False
        check = self._check(blob)
        try:
            written = check.read_bytes()
            owner = check.stat().st_uid
        except OSError:
            return False
        return owner in (os.geteuid(), _ROOT) and written == _check_of(status)

    def _write_check(self, blob: Path) -> None:
        check = self._check(blob)
        temporary = check.with_name(f".{check.name}.{secrets.token_hex(8)}")
        try:
            temporary.write_bytes(_check_of(blob.lstat()))
            temporary.replace(check)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            message = f"the cache {self.root} can't be written to: {error.strerror}"
            raise LocalFault(message, hint="name another with SMAS_CACHE, or pass --no-cache") from error


def _check_of(status: os.stat_result) -> bytes:
    """Size, and the time of the last change to the bytes (linking changes only the other time)."""
    return f"{status.st_size} {status.st_mtime_ns}\n".encode()
