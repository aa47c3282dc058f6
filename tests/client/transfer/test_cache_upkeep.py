"""The cache as a place that many share: who works on what, what it holds, and what is removed from it."""

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
from smas.retries import Cancelled, Stop

from tests.client.transfer.trees import admit, check_of, digest, write

if TYPE_CHECKING:
    from pathlib import Path

    from smas.transfer.cache import BlobCache

DATA = b"the bytes of a model"
SHA = digest(DATA)
DAY = 24 * 3600.0


def test_removing_leaves_linked_folders_alone(cache: BlobCache, tmp_path: Path) -> None:
    """A pulled folder keeps its bytes; the cache forgets blob and check; removing twice is harmless."""
    os.link(admit(cache, DATA), tmp_path / "pulled")
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
    blob = admit(cache, DATA)
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
