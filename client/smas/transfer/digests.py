"""SHA-256 of files: computed, and remembered for files that have not changed since.

Remembered by device, inode, size and both times, so a push of a folder in which one file changed hashes one
file. As git does with its index, a file that was written only just before is not remembered: it could be
written again within one tick of the file system's clock.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from smas.errors import LocalFault
from smas.transfer.reading import blocks_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from smas.retries import Stop
    from smas.transfer.selection import LocalFile

# Coarser than the clock of any file system we know of (FAT: 2 s).
_SETTLED_NS: Final = 2_000_000_000
_MOST_ROWS: Final = 200_000
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS digests (
    device INTEGER, inode INTEGER, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER,
    sha256 TEXT, used_at INTEGER,
    PRIMARY KEY (device, inode)
) WITHOUT ROWID
"""


def digest_of(path: Path, stop: Stop) -> str:
    """SHA-256 of a file, lower-case hex. Raises ``LocalFault``, ``Cancelled``."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return digest_of_open(descriptor, stop)
        finally:
            os.close(descriptor)
    except OSError as error:
        message = f"{path} can't be read: {error.strerror}"
        raise LocalFault(message) from error


def digest_of_open(descriptor: int, stop: Stop) -> str:
    """The same of an open file, from its start. Raises ``OSError``, ``Cancelled``."""
    digest = hashlib.sha256()
    for block in blocks_of(descriptor):
        stop.check()
        digest.update(block)
    return digest.hexdigest()


class DigestCache:
    """Digests of files as they were, in one SQLite file; any number of processes may use it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def known(self, files: Sequence[LocalFile]) -> dict[str, str]:
        """Of those files, by their path, the digests that still hold. Raises ``LocalFault``."""
        if not self._path.exists():
            return {}
        with self._opened() as database:
            found = {}
            for file in files:
                seen = file.fingerprint
                row = database.execute(
                    "SELECT sha256 FROM digests WHERE device = ? AND inode = ? AND size = ? AND mtime_ns = ?"
                    " AND ctime_ns = ?",
                    (_signed(seen.device), _signed(seen.inode), seen.size, seen.mtime_ns, seen.ctime_ns),
                ).fetchone()
                if row:
                    found[file.path] = row[0]
            return found

    def remember(self, hashed: Sequence[tuple[LocalFile, str, int]]) -> None:
        """Remember digests, each with the Unix time in nanoseconds at which hashing began.

        Raises ``LocalFault``.
        """
        rows = [
            (
                _signed(file.fingerprint.device),
                _signed(file.fingerprint.inode),
                file.size,
                file.fingerprint.mtime_ns,
                file.fingerprint.ctime_ns,
                sha256,
                begun_ns // 1_000_000_000,
            )
            for file, sha256, begun_ns in hashed
            if begun_ns - max(file.fingerprint.mtime_ns, file.fingerprint.ctime_ns) > _SETTLED_NS
        ]
        if not rows:
            return
        with self._opened() as database:
            database.executemany("INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            database.execute(
                "DELETE FROM digests WHERE used_at < (SELECT MIN(used_at) FROM"
                " (SELECT used_at FROM digests ORDER BY used_at DESC LIMIT ?))",
                (_MOST_ROWS,),
            )

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """One transaction."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=10)) as database, database:
                database.execute(_SCHEMA)
                yield database
        except (sqlite3.DatabaseError, OSError) as error:
            message = f"{self._path}, which remembers digests, can't be used: {error}"
            raise LocalFault(message, hint="remove it (nothing is lost), or pass --rehash") from error


def hash_selected(file: LocalFile, stop: Stop) -> tuple[LocalFile, str, int]:
    """Hash a selected file: file, digest, and when hashing began (Unix nanoseconds).

    Raises ``Invalid`` if the file is being written to.
    """
    begun = time.time_ns()
    file.check_unchanged()
    sha256 = digest_of(file.source, stop)
    file.check_unchanged()
    return file, sha256, begun


def _signed(number: int) -> int:
    """SQLite's integers are signed 64-bit ones; some file systems' inodes use the last bit."""
    return number - (1 << 64) if number >= 1 << 63 else number
