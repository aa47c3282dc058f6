"""A download that grows in ranges, survives being killed, and is hashed while it grows."""

from __future__ import annotations

import hashlib
import os
import threading
from typing import TYPE_CHECKING, Final, Self

from smas.transfer.reading import BLOCK_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from smas.retries import Stop

RANGE_BYTES: Final = 8 << 20
# Lines of one width, each with its line break before it: one that a full disk or a kill cut short is none.
_DIGITS: Final = 8


class PartialFile:
    """The file at ``path``, of ``size`` bytes once complete, in ranges of 8 MiB.

    Beside it, with the ending ``.ranges``, one line for each range that was written whole. Bytes are hashed
    in order as they come, and those that came before their turn by whichever thread completes a range while
    no other is hashing. Use it as a context manager, with nobody else working on the same path.
    """

    def __init__(self, path: Path, size: int, stop: Stop) -> None:
        self.path = path
        self.size = size
        self._stop = stop
        self._journal_path = path.with_suffix(".ranges")
        self._header = f"{size} {RANGE_BYTES}"
        self._lock = threading.Lock()
        self._hashing = threading.Lock()
        self._digest = hashlib.sha256()
        self._hashed = 0
        self._buffer = memoryview(bytearray(BLOCK_BYTES))
        self.done: set[int] = set()

    @property
    def range_count(self) -> int:
        """How many ranges there are."""
        return -(-self.size // RANGE_BYTES)

    def bounds(self, number: int) -> tuple[int, int]:
        """Where range ``number`` (from 0) begins and ends (exclusive)."""
        return number * RANGE_BYTES, min(self.size, (number + 1) * RANGE_BYTES)

    def __enter__(self) -> Self:
        """Open, and find out what an earlier download left. Raises ``OSError``."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.open(self.path, flags, 0o600)
        try:
            self.done = self._read_journal()
            if not self.done:
                # What stands in the file belongs to no journal: an earlier attempt that was found wrong.
                os.ftruncate(self._file, 0)
                self._journal_path.write_text(self._header, encoding="ascii")
            os.ftruncate(self._file, self.size)
            self._journal = os.open(self._journal_path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        except BaseException:
            os.close(self._file)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._journal)
        os.close(self._file)

    def missing_runs(self, most: int, threads: int) -> list[range]:
        """Missing ranges, as runs that follow each other: what one request asks for.

        A run holds at most ``most`` ranges; where several ``threads`` share the file, fewer towards the end,
        so that they finish together and little is left to hash then.
        """
        runs: list[range] = []
        left = self.range_count - len(self.done)
        length = 0
        for number in range(self.range_count):
            if number in self.done:
                continue
            if runs and runs[-1].stop == number and len(runs[-1]) < length:
                runs[-1] = range(runs[-1].start, number + 1)
            else:
                length = most if threads == 1 else max(1, min(most, left // (2 * threads)))
                runs.append(range(number, number + 1))
            left -= 1
        return runs

    def write(self, data: bytes, offset: int) -> None:
        """Write all of ``data``, and hash it if it comes next. Raises ``OSError``."""
        view, at = memoryview(data), offset
        while view:
            count = os.pwrite(self._file, view, at)
            view, at = view[count:], at + count
        # While it is still in the core's cache; what comes out of turn is read again later.
        if offset == self._hashed and self._hashing.acquire(blocking=False):
            try:
                if offset == self._hashed:
                    self._digest.update(data)
                    self._hashed += len(data)
            finally:
                self._hashing.release()

    def complete(self, number: int) -> bool:
        """Range ``number`` is written whole; True to whoever completed the last one. Raises ``OSError``."""
        os.write(self._journal, f"\n{number:0{_DIGITS}}".encode())
        with self._lock:
            self.done.add(number)
            last = len(self.done) == self.range_count
        self._hash_on()
        return last

    def hexdigest(self) -> str:
        """SHA-256 of the complete file."""
        with self._hashing:
            self._hash_ready()
            return self._digest.hexdigest()

    def discard(self) -> None:
        """Remove the file and its journal: the bytes are not what they should be."""
        self._journal_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def finish(self) -> None:
        """Remove the journal: the file has moved to its place."""
        self._journal_path.unlink(missing_ok=True)

    def _hash_on(self) -> None:
        """Hash what is ready, unless somebody does: then they, or the next to complete a range, will."""
        if self._hashing.acquire(blocking=False):
            try:
                self._hash_ready()
            finally:
                self._hashing.release()

    def _hash_ready(self) -> None:
        while self._hashed < self.size and self._hashed // RANGE_BYTES in self.done:
            _, end = self.bounds(self._hashed // RANGE_BYTES)
            while self._hashed < end:
                self._stop.check()
                count = os.preadv(self._file, [self._buffer[: end - self._hashed]], self._hashed)
                if not count:
                    return  # somebody cut the file: the digest will tell
                self._digest.update(self._buffer[:count])
                self._hashed += count

    def _read_journal(self) -> set[int]:
        """Complete ranges; none if the journal is of another file, or cut so that it can't be trusted."""
        try:
            lines = self._journal_path.read_text(encoding="ascii").split("\n")
        except (FileNotFoundError, UnicodeDecodeError):
            return set()
        if lines[0] != self._header or os.fstat(self._file).st_size != self.size:
            return set()
        numbers = {int(line) for line in lines[1:] if len(line) == _DIGITS and line.isdigit()}
        return {number for number in numbers if number < self.range_count}
