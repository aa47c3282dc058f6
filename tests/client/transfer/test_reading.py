"""Reading and hashing files: the digest is hashlib's for every size, and stopping leaves nothing behind."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smas.errors import Invalid, LocalFault
from smas.retries import Cancelled, Stop
from smas.transfer.digests import digest_of, digest_of_open, hash_selected
from smas.transfer.reading import _LARGE_BYTES, BLOCK_BYTES, blocks_of
from smas.transfer.selection import Fingerprint, LocalFile

from tests.client.transfer.trees import digest, write

if TYPE_CHECKING:
    from pathlib import Path

AROUND = sorted(
    {
        max(0, border + step)
        for border in (0, BLOCK_BYTES, 4 * BLOCK_BYTES, _LARGE_BYTES, _LARGE_BYTES + 4 * BLOCK_BYTES)
        for step in (-1, 0, 1)
    }
)
# No two blocks are alike, so one that is lost, doubled or out of turn changes the digest.
PATTERN = b"".join(number.to_bytes(8, "big") for number in range((_LARGE_BYTES + 5 * BLOCK_BYTES) // 8))


@pytest.mark.parametrize("size", AROUND)
def test_digests_are_hashlibs_around_every_threshold(tmp_path: Path, size: int) -> None:
    """One byte more or less than a block, or than where a thread reads ahead, loses nothing."""
    path = write(tmp_path / "file", PATTERN[:size])
    assert digest_of(path, Stop()) == digest(PATTERN[:size])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(0, 3 * BLOCK_BYTES), start=st.integers(0, 100))
def test_digests_are_hashlibs_for_any_size(tmp_path: Path, size: int, start: int) -> None:
    """The blocks are the file's bytes in order, and a descriptor's position does not matter."""
    data = PATTERN[start : start + size]
    descriptor = os.open(write(tmp_path / "file", data), os.O_RDONLY)
    try:
        os.lseek(descriptor, start, os.SEEK_SET)
        assert b"".join(bytes(block) for block in blocks_of(descriptor)) == data
        assert digest_of_open(descriptor, Stop()) == digest(data)
    finally:
        os.close(descriptor)


def test_memory_is_bounded_whatever_the_size(tmp_path: Path) -> None:
    """No block is larger than the block size, also in a file that is read ahead."""
    with write(tmp_path / "file", PATTERN).open("rb") as file:
        sizes = [len(block) for block in blocks_of(file.fileno())]
    assert max(sizes) <= BLOCK_BYTES
    assert sum(sizes) == len(PATTERN)


@pytest.mark.parametrize("size", [BLOCK_BYTES, _LARGE_BYTES + BLOCK_BYTES])
def test_hashing_stops_when_asked_and_leaves_no_thread(tmp_path: Path, size: int) -> None:
    """A request to stop ends hashing at the next block, and the thread that reads ahead ends with it."""
    path, stop, before = write(tmp_path / "file", PATTERN[:size]), Stop(), set(threading.enumerate())
    stop.set()
    with pytest.raises(Cancelled):
        digest_of(path, stop)
    assert set(threading.enumerate()) <= before


def test_whoever_stops_reading_leaves_no_thread(tmp_path: Path) -> None:
    """Blocks that nobody asks for any more keep no thread and no descriptor busy."""
    before = set(threading.enumerate())
    with write(tmp_path / "file", PATTERN).open("rb") as file:
        blocks = blocks_of(file.fileno())
        assert bytes(next(blocks)) == PATTERN[:BLOCK_BYTES]
        assert set(threading.enumerate()) > before
        del blocks
    assert set(threading.enumerate()) <= before


def test_what_can_not_be_read_is_said(tmp_path: Path) -> None:
    """A file that is missing, or a folder, is an error of this machine that names it."""
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(LocalFault, match=f"{path} can't be read"):
            digest_of(path, Stop())


@pytest.mark.parametrize("size", [0, _LARGE_BYTES])
def test_an_error_of_the_disk_is_not_the_end_of_the_file(tmp_path: Path, size: int) -> None:
    """Reading that fails raises, in a thread of its own too; it never makes a shorter file."""
    path = write(tmp_path / "file", PATTERN[:size])
    descriptor = os.open(path, os.O_WRONLY)  # reading from it fails
    try:
        with pytest.raises(OSError, match="Bad file descriptor"):
            digest_of_open(descriptor, Stop())
    finally:
        os.close(descriptor)


def test_hashing_a_selected_file_tells_when_it_began(tmp_path: Path) -> None:
    """The digest comes with the time before the first byte was read, after the file was written."""
    path = write(tmp_path / "file", b"bytes")
    file = LocalFile("file", path, Fingerprint.of(path.stat()))
    hashed, sha256, begun = hash_selected(file, Stop())
    assert (hashed, sha256) == (file, digest(b"bytes"))
    assert begun >= path.stat().st_mtime_ns - 20_000_000  # file systems' clocks tick some milliseconds apart


def test_a_file_that_is_written_to_is_not_hashed(tmp_path: Path) -> None:
    """A file that is no longer the one selected is refused, changed, replaced or gone."""
    path = write(tmp_path / "file", b"bytes")
    file = LocalFile("file", path, Fingerprint.of(path.stat()))
    write(path, b"other bytes")
    with pytest.raises(Invalid, match="was changed while it was pushed"):
        hash_selected(file, Stop())
    path.unlink()
    with pytest.raises(Invalid, match="can't be read any more"):
        hash_selected(file, Stop())
