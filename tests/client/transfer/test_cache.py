"""The cache of blobs: what it hands out is right, whoever meddled with it; others' work is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from smas.errors import LocalFault
from smas.retries import Cancelled, Stop
from smas.transfer.cache import BlobCache

from tests.client.transfer.trees import admit, check_of, digest, picture, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATA = b"the bytes of a model"
SHA = digest(DATA)
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


def tamper(blob: Path, data: bytes) -> None:
    """Write into a blob in place, as its owner can; its time changes."""
    before = blob.stat()
    blob.chmod(0o644)
    blob.write_bytes(data)
    # As if written a second later: some file systems' clocks tick slowly.
    os.utime(blob, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000_000))


def test_what_is_admitted_is_found(cache: BlobCache) -> None:
    """A blob has its bytes, is read-only, and the download is gone from where it grew."""
    assert cache.find(SHA, len(DATA), Stop()) is None
    blob = admit(cache, DATA)
    assert cache.find(SHA, len(DATA), Stop()) == blob
    assert blob.read_bytes() == DATA
    assert blob.stat().st_mode & 0o777 == 0o444
    assert not cache.partial(SHA).exists()
    assert cache.find(digest(b"another"), 1, Stop()) is None


def test_a_checked_blob_is_not_read_again(cache: BlobCache) -> None:
    """While its check fits, a blob of any size is found without reading it: not even wrong bytes show.

    That is what makes a second pull instant; only somebody who also forges the time gets past it.
    """
    blob = admit(cache, DATA)
    before = blob.stat()
    blob.chmod(0o644)
    blob.write_bytes(b"x" * len(DATA))
    os.utime(blob, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert cache.find(SHA, len(DATA), Stop()) == blob


@pytest.mark.parametrize("data", [b"x" * len(DATA), DATA[:-1], DATA + b"x", b""])
def test_a_blob_that_was_changed_in_place_is_removed(cache: BlobCache, data: bytes) -> None:
    """Other bytes, fewer or more: a damaged blob is never handed out, and makes room for a right one."""
    blob = admit(cache, DATA)
    tamper(blob, data)
    assert cache.find(SHA, len(DATA), Stop()) is None
    assert list(blob.parent.iterdir()) == []
    assert cache.find(SHA, len(DATA), Stop()) is None
    assert admit(cache, DATA).read_bytes() == DATA


def test_a_blob_that_was_only_touched_is_accepted_again(cache: BlobCache) -> None:
    """The right bytes with another time are read once, and from then on known to be right."""
    blob = admit(cache, DATA)
    tamper(blob, DATA)
    assert cache.find(SHA, len(DATA), Stop()) == blob
    assert check_of(blob).read_text() == f"{len(DATA)} {blob.stat().st_mtime_ns}\n"


@pytest.mark.parametrize("target", ["right", "wrong", "nothing"])
def test_a_symbolic_link_is_no_blob(cache: BlobCache, tmp_path: Path, target: str) -> None:
    """A link in a blob's place is removed even if it leads to the right bytes; what it leads to stays."""
    blob = admit(cache, DATA)
    other = tmp_path / "other"
    if target != "nothing":
        write(other, DATA if target == "right" else b"x" * len(DATA))
    blob.unlink()
    blob.symlink_to(other)
    before = picture(tmp_path)
    assert cache.find(SHA, len(DATA), Stop()) is None
    assert not blob.is_symlink()
    assert other.exists() == ("other" in before)


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("check", [None, b"", b"1 2\n", b"\xff\xfe", b"x" * 10_000, "folder"])
def test_without_a_check_that_fits_a_blob_is_read(
    cache: BlobCache, check: bytes | str | None, *, right: bool
) -> None:
    """A check that is missing, foreign or junk proves nothing: the bytes decide."""
    blob = admit(cache, DATA)
    if not right:
        tamper(blob, b"x" * len(DATA))
    check_of(blob).unlink()
    if isinstance(check, bytes):
        check_of(blob).write_bytes(check)
    elif check:
        check_of(blob).mkdir()
    if check == "folder":
        with pytest.raises(LocalFault if right else OSError):
            cache.find(SHA, len(DATA), Stop())
        return
    assert cache.find(SHA, len(DATA), Stop()) == (blob if right else None)
    if right:
        assert check_of(blob).read_text() == f"{len(DATA)} {blob.stat().st_mtime_ns}\n"


def test_a_check_of_another_blob_does_not_count(cache: BlobCache) -> None:
    """A check that fits other bytes of the same size does not make these ones right."""
    blob, other = admit(cache, DATA), admit(cache, DATA[::-1])
    tamper(blob, b"x" * len(DATA))
    check_of(other).replace(check_of(blob))
    assert cache.find(SHA, len(DATA), Stop()) is None


def test_the_size_is_part_of_what_is_asked_for(cache: BlobCache) -> None:
    """A blob of another size than the store names is not the one that was meant."""
    admit(cache, DATA)
    assert cache.find(SHA, len(DATA) + 1, Stop()) is None


def test_reading_a_blob_again_stops_when_asked(cache: BlobCache) -> None:
    """A request to stop ends a check of the bytes; the blob is neither accepted nor removed."""
    blob, stop = admit(cache, DATA), Stop()
    check_of(blob).unlink()
    stop.set()
    with pytest.raises(Cancelled):
        cache.find(SHA, len(DATA), stop)
    assert cache.find(SHA, len(DATA), Stop()) == blob


def test_threads_check_one_blob_at_once(cache: BlobCache) -> None:
    """Pulls side by side that find the same unchecked blob all get it, and leave nothing behind."""
    blob = admit(cache, DATA)
    found: list[Path | None] = []
    for _ in range(20):
        check_of(blob).unlink()
        together = threading.Barrier(8)

        def look() -> None:
            together.wait(30)  # noqa: B023 - the thread ends before the next one is made
            found.append(cache.find(SHA, len(DATA), Stop()))

        workers = [threading.Thread(target=look) for _ in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert found == [blob] * 160
    assert sorted(path.name for path in blob.parent.iterdir()) == [SHA, f"{SHA}.check"]


FIND_AS_NOBODY = """
import os, sys
from pathlib import Path
from smas.retries import Stop
from smas.transfer.cache import BlobCache
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
print(BlobCache(Path(sys.argv[1])).find(sys.argv[2], int(sys.argv[3]), Stop()))
"""


def found_by_nobody(cache: BlobCache) -> str:
    """What a user who may only read finds in the cache."""
    done = subprocess.run(
        [sys.executable, "-c", FIND_AS_NOBODY, str(cache.root), SHA, str(len(DATA))],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return done.stdout.strip()


@pytest.fixture
def open_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder below which another user may look, for one test."""
    closed = [
        (folder, folder.stat().st_mode)
        for folder in (tmp_path, *tmp_path.parents)
        if folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & 0o001
    ]
    for folder, mode in closed:
        folder.chmod(mode | 0o011)
    yield tmp_path
    for folder, mode in closed:
        folder.chmod(mode)


@ROOT_ONLY
def test_roots_cache_serves_others_who_can_not_write_to_it(open_folder: Path) -> None:
    """A machine's administrator fills a cache; everybody pulls from it without reading it all again."""
    cache = BlobCache(open_folder / "cache")
    blob = admit(cache, DATA)
    assert found_by_nobody(cache) == str(blob)


@ROOT_ONLY
def test_what_another_user_put_there_is_read_first(cache: BlobCache) -> None:
    """A blob or a check of somebody else proves nothing, however well it fits."""
    for owned in ("blob", "check"):
        blob = admit(cache, DATA)
        before = blob.stat()
        blob.chmod(0o644)
        blob.write_bytes(b"x" * len(DATA))
        os.utime(blob, ns=(before.st_atime_ns, before.st_mtime_ns))
        os.chown(blob if owned == "blob" else check_of(blob), 65534, 65534)
        assert cache.find(SHA, len(DATA), Stop()) is None


def test_a_cache_that_can_not_be_written_to_says_what_to_do(cache: BlobCache) -> None:
    """The error names the cache and both ways out."""
    blob = admit(cache, DATA)
    check_of(blob).unlink()
    check_of(blob).mkdir()  # what fails for root too
    with pytest.raises(LocalFault, match="can't be written to") as refusal:
        cache.find(SHA, len(DATA), Stop())
    assert "SMAS_CACHE" in refusal.value.hint
    assert "--no-cache" in refusal.value.hint
