"""The cache of blobs: what it hands out is right, whoever meddled with it; others' work is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from itertools import product
from typing import TYPE_CHECKING

import pytest
from smas.errors import LocalFault
from smas.retries import Cancelled, Stop
from smas.transfer.cache import BlobCache

from tests.client.transfer.trees import digest, picture, write

if TYPE_CHECKING:
    from pathlib import Path

DATA = b"the bytes of a model"
SHA = digest(DATA)
DAY = 24 * 3600.0
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


@pytest.fixture
def cache(tmp_path: Path) -> BlobCache:
    """An empty cache."""
    return BlobCache(tmp_path / "cache")


def admit(cache: BlobCache, data: bytes = DATA) -> Path:
    """Put a downloaded blob in."""
    return cache.admit(digest(data), write(cache.partial(digest(data)), data))


def check_of(blob: Path) -> Path:
    """The check beside a blob."""
    return blob.with_name(f"{blob.name}.check")


def tamper(blob: Path, data: bytes) -> None:
    """Write into a blob in place, as its owner can; its time changes."""
    before = blob.stat()
    blob.chmod(0o644)
    blob.write_bytes(data)
    # As if written a second later: some file systems' clocks tick slowly.
    os.utime(blob, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000_000))


def unread(blob: Path) -> bool:
    """Whether nothing read the blob since its access time was set back (where the file system keeps it)."""
    return blob.stat().st_atime_ns == 0


def test_what_is_admitted_is_found(cache: BlobCache) -> None:
    """A blob has its bytes, is read-only, and the download is gone from where it grew."""
    assert cache.find(SHA, len(DATA), Stop()) is None
    blob = admit(cache)
    assert cache.find(SHA, len(DATA), Stop()) == blob
    assert blob.read_bytes() == DATA
    assert blob.stat().st_mode & 0o777 == 0o444
    assert not cache.partial(SHA).exists()
    assert cache.find(digest(b"another"), 1, Stop()) is None


def test_a_checked_blob_is_not_read_again(cache: BlobCache) -> None:
    """While its check fits, a blob of any size is found without reading it: not even wrong bytes show.

    That is what makes a second pull instant; only somebody who also forges the time gets past it.
    """
    blob = admit(cache)
    before = blob.stat()
    blob.chmod(0o644)
    blob.write_bytes(b"x" * len(DATA))
    os.utime(blob, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert cache.find(SHA, len(DATA), Stop()) == blob


@pytest.mark.parametrize("data", [b"x" * len(DATA), DATA[:-1], DATA + b"x", b""])
def test_a_blob_that_was_changed_in_place_is_removed(cache: BlobCache, data: bytes) -> None:
    """Other bytes, fewer or more: a damaged blob is never handed out, and makes room for a right one."""
    blob = admit(cache)
    tamper(blob, data)
    assert cache.find(SHA, len(DATA), Stop()) is None
    assert list(blob.parent.iterdir()) == []
    assert cache.find(SHA, len(DATA), Stop()) is None
    assert admit(cache).read_bytes() == DATA


def test_a_blob_that_was_only_touched_is_accepted_again(cache: BlobCache) -> None:
    """The right bytes with another time are read once, and from then on known to be right."""
    blob = admit(cache)
    tamper(blob, DATA)
    assert cache.find(SHA, len(DATA), Stop()) == blob
    assert check_of(blob).read_text() == f"{len(DATA)} {blob.stat().st_mtime_ns}\n"


@pytest.mark.parametrize("target", ["right", "wrong", "nothing"])
def test_a_symbolic_link_is_no_blob(cache: BlobCache, tmp_path: Path, target: str) -> None:
    """A link in a blob's place is removed even if it leads to the right bytes; what it leads to stays."""
    blob = admit(cache)
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
    blob = admit(cache)
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
    blob, other = admit(cache), admit(cache, DATA[::-1])
    tamper(blob, b"x" * len(DATA))
    check_of(other).replace(check_of(blob))
    assert cache.find(SHA, len(DATA), Stop()) is None


def test_the_size_is_part_of_what_is_asked_for(cache: BlobCache) -> None:
    """A blob of another size than the store names is not the one that was meant."""
    admit(cache)
    assert cache.find(SHA, len(DATA) + 1, Stop()) is None


def test_reading_a_blob_again_stops_when_asked(cache: BlobCache) -> None:
    """A request to stop ends a check of the bytes; the blob is neither accepted nor removed."""
    blob, stop = admit(cache), Stop()
    check_of(blob).unlink()
    stop.set()
    with pytest.raises(Cancelled):
        cache.find(SHA, len(DATA), stop)
    assert cache.find(SHA, len(DATA), Stop()) == blob


def test_threads_check_one_blob_at_once(cache: BlobCache) -> None:
    """Pulls side by side that find the same unchecked blob all get it, and leave nothing behind."""
    blob = admit(cache)
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
def open_folder(tmp_path: Path) -> Path:
    """A folder below which another user may look."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    return tmp_path


@ROOT_ONLY
def test_roots_cache_serves_others_who_can_not_write_to_it(open_folder: Path) -> None:
    """A machine's administrator fills a cache; everybody pulls from it without reading it all again."""
    cache = BlobCache(open_folder / "cache")
    blob = admit(cache)
    assert found_by_nobody(cache) == str(blob)


@ROOT_ONLY
def test_what_another_user_put_there_is_read_first(cache: BlobCache) -> None:
    """A blob or a check of somebody else proves nothing, however well it fits."""
    for owned in ("blob", "check"):
        blob = admit(cache)
        before = blob.stat()
        blob.chmod(0o644)
        blob.write_bytes(b"x" * len(DATA))
        os.utime(blob, ns=(before.st_atime_ns, before.st_mtime_ns))
        os.chown(blob if owned == "blob" else check_of(blob), 65534, 65534)
        assert cache.find(SHA, len(DATA), Stop()) is None


def test_a_cache_that_can_not_be_written_to_says_what_to_do(cache: BlobCache) -> None:
    """The error names the cache and both ways out."""
    blob = admit(cache)
    check_of(blob).unlink()
    check_of(blob).mkdir()  # what fails for root too
    with pytest.raises(LocalFault, match="can't be written to") as refusal:
        cache.find(SHA, len(DATA), Stop())
    assert "SMAS_CACHE" in refusal.value.hint
    assert "--no-cache" in refusal.value.hint


def test_removing_leaves_linked_folders_alone(cache: BlobCache, tmp_path: Path) -> None:
    """A pulled folder keeps its bytes; the cache forgets blob and check; removing twice is harmless."""
    os.link(admit(cache), tmp_path / "pulled")
    assert [blob.linked for blob in cache.blobs()] == [True]
    cache.remove(SHA)
    cache.remove(SHA)
    assert (tmp_path / "pulled").read_bytes() == DATA
    assert list(cache.blobs()) == []


def test_blobs_lists_what_is_complete(cache: BlobCache) -> None:
    """Each with its digest and size; checks, downloads and other files are none."""
    for data in (DATA, b"", b"another"):
        admit(cache, data)
    write(cache.partial(digest(b"incomplete")), b"incompl")
    write(cache.root / "blobs" / "ab" / "README", b"")
    found = {blob.sha256: (blob.size, blob.linked) for blob in cache.blobs()}
    assert found == {digest(data): (len(data), False) for data in (DATA, b"", b"another")}


def age(path: Path, seconds: float) -> None:
    """As if it was last used so long ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_prune_removes_what_nobody_used_for_long(cache: BlobCache) -> None:
    """What was found again counts as used; the rest goes, with its checks, and is counted."""
    old, young, found = admit(cache, b"old"), admit(cache, b"young"), admit(cache, b"found again")
    for blob in (old, found):
        age(check_of(blob), 2 * DAY)
    assert cache.find(digest(b"found again"), 11, Stop()) == found
    assert cache.prune(DAY) == (1, 3)
    assert {blob.sha256 for blob in cache.blobs()} == {young.name, found.name}
    assert not check_of(old).exists()
    assert cache.prune(0) == (2, 16)
    assert list(cache.blobs()) == []


def test_prune_removes_a_blob_without_a_check_by_its_own_age(cache: BlobCache) -> None:
    """A blob whose process died before the check was written does not stay for ever."""
    blob = admit(cache)
    check_of(blob).unlink()
    assert cache.prune(DAY) == (0, 0)
    age(blob, 2 * DAY)
    assert cache.prune(DAY) == (1, len(DATA))


@pytest.mark.parametrize(("old", "locked"), list(product([True, False], repeat=2)))
def test_prune_leaves_downloads_that_are_young_or_at_work(
    cache: BlobCache, *, old: bool, locked: bool
) -> None:
    """A download is removed, with its journal, only if nobody continued it for long and nobody does now."""
    part = write(cache.partial(SHA), b"x" * 4096)
    journal = write(part.with_suffix(".ranges"), b"20 8388608\n")
    if old:
        age(part, 2 * DAY)
    with ExitStack() as stack:
        if locked:
            stack.enter_context(cache.working_on(SHA, Stop()))
        size = part.stat().st_blocks * 512
        gone = old and not locked
        assert cache.prune(DAY) == ((1, size) if gone else (0, 0))
    assert (part.exists(), journal.exists()) == (not gone, not gone)


def test_an_empty_cache_is_pruned(cache: BlobCache) -> None:
    """Where nothing is, nothing is removed, and nothing is made."""
    assert cache.prune(0) == (0, 0)
    assert not cache.root.exists()


def test_partial_bytes_are_what_downloads_take_on_disk(cache: BlobCache) -> None:
    """Holes in a download take no space; downloads that have not begun take none either."""
    part = write(cache.partial(SHA), b"x" * 4096)
    os.truncate(part, 1 << 30)
    taken = cache.partial_bytes([SHA, digest(b"not begun")])
    assert 4096 <= taken < 1 << 20


def test_one_at_a_time_works_on_a_blob(cache: BlobCache) -> None:
    """Eight threads want the same blob: never two of them are inside, and all get their turn."""
    inside, lock, turns = 0, threading.Lock(), []

    def work() -> None:
        nonlocal inside
        with cache.working_on(SHA, Stop()):
            with lock:
                inside += 1
                turns.append(inside)
            write(cache.partial(SHA), DATA)  # gives the others the time that a system call takes
            with lock:
                inside -= 1

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert turns == [1] * 8


def test_different_blobs_are_worked_on_side_by_side(cache: BlobCache) -> None:
    """Only the same blob makes anybody wait."""
    with cache.working_on(SHA, Stop()), cache.working_on(digest(b"another"), Stop()):
        pass


def test_another_process_waits_for_its_turn(cache: BlobCache) -> None:
    """Pulls in two processes fetch a blob once: the second waits until the first is done."""
    code = """
import sys
from pathlib import Path
from smas.retries import Stop
from smas.transfer.cache import BlobCache
print("waiting", flush=True)
with BlobCache(Path(sys.argv[1])).working_on(sys.argv[2], Stop()):
    print(Path(sys.argv[3]).exists(), flush=True)
"""
    done = cache.root / "done"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with cache.working_on(SHA, Stop()):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(cache.root), SHA, str(done)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert process.stdout
        assert process.stdout.readline() == "waiting\n"
        write(done)
    assert process.communicate(timeout=60)[0] == "True\n"
    assert process.returncode == 0


def test_whoever_waits_for_a_blob_can_be_stopped(cache: BlobCache) -> None:
    """A request to stop ends the waiting, and leaves the lock to whoever has it."""
    stop, ended = Stop(), threading.Event()

    def wait() -> None:
        with pytest.raises(Cancelled), cache.working_on(SHA, stop):
            pass
        ended.set()

    with cache.working_on(SHA, Stop()):
        thread = threading.Thread(target=wait)
        thread.start()
        stop.set()
        thread.join(30)
        assert ended.is_set()
    with cache.working_on(SHA, Stop()):
        pass


def test_another_thread_may_end_the_work(cache: BlobCache) -> None:
    """Who completes the last range ends the work that another, still busy thread began; it is free then."""
    work, begun, free = ExitStack(), threading.Event(), threading.Event()

    def begin() -> None:
        work.enter_context(cache.working_on(SHA, Stop()))
        begun.set()
        free.wait(30)

    thread = threading.Thread(target=begin)
    thread.start()
    begun.wait(30)
    work.close()
    with cache.working_on(SHA, Stop()):
        free.set()
    thread.join()
