"""The folder a pull writes into: what is there decides what happens to it, and placing is all or nothing."""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from smas.errors import LocalFault
from smas.retries import Cancelled, Stop
from smas.transfer.destination import Destination

from tests.client.transfer.pulling import blob, look, opened, pull
from tests.client.transfer.trees import digest, published, pulled, write

if TYPE_CHECKING:
    from pathlib import Path


HOWS = pytest.mark.parametrize("how", ["link", "copy", "move"])


def place(dest: Path, path: str, data: bytes = b"new") -> None:
    """Place one file."""
    with opened(dest) as destination:
        destination.place(published(path, data), blob(dest, data), "link")


@HOWS
def test_files_get_their_names_and_bytes(dest: Path, how: str) -> None:
    """Each file is where the version says, in folders made for it, and nothing else is left."""
    files = {"a": b"1", "b/c/d": b"2", "b/c/e": b"", ".hidden": b"3"}
    pull(dest, files, how)
    expected = {path: digest(data) for path, data in files.items()} | {"b": "folder", "b/c": "folder"}
    assert pulled(dest) == expected
    assert set(json.loads((dest / ".smas/pulled.json").read_text())["files"]) == set(files)


def test_a_link_shares_the_bytes_and_a_copy_does_not(dest: Path) -> None:
    """Links are the cache's own read-only files; copies and moved files are the user's to write to."""
    source = blob(dest, b"1")
    mask = os.umask(0o027)
    try:
        pull(dest, {"linked": b"1"}, "link")
        pull(dest, {"linked": b"1", "copied": b"1"}, "copy")
        pull(dest, {"linked": b"1", "copied": b"1", "moved": b"1"}, "move")
    finally:
        os.umask(mask)
    linked, copied, moved = ((dest / name).stat() for name in ("linked", "copied", "moved"))
    assert linked.st_ino == moved.st_ino  # what was moved was the cache's name for the same bytes
    assert copied.st_ino != linked.st_ino
    assert (copied.st_mode & 0o777, copied.st_nlink) == (0o640, 1)
    assert moved.st_mode & 0o777 == 0o640
    assert not source.exists()


def test_the_umask_is_left_alone(dest: Path) -> None:
    """Pulls of several threads at once leave the process's umask as it was, whoever comes in between."""
    mask, interval = os.umask(0o077), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def work(number: int) -> None:
        for _ in range(50):
            with opened(dest / str(number)):
                pass

    try:
        workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert os.umask(0o077) == 0o077
    finally:
        sys.setswitchinterval(interval)
        os.umask(mask)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) + 1, 3 << 20])
def test_copies_are_whole(dest: Path, size: int) -> None:
    """Every byte of a copy is there, for files of any size."""
    data = os.urandom(size)
    pull(dest, {"copy": data}, "copy")
    assert (dest / "copy").read_bytes() == data


def test_copying_stops_when_asked_and_leaves_nothing(dest: Path) -> None:
    """A request to stop ends a copy; no half of it stays under any name, and the record is still written."""
    stop, data = Stop(), b"x" * (2 << 20)
    destination = Destination(dest, stop)

    def stopped() -> None:
        with destination.opened():
            stop.set()
            destination.place(published("a/b", data), blob(dest, data), "copy")

    with pytest.raises(Cancelled):
        stopped()
    assert pulled(dest) == {"a": "folder"}
    assert json.loads((dest / ".smas/pulled.json").read_text())["files"] == {}


@HOWS
def test_the_same_bytes_are_placed_again(dest: Path, how: str) -> None:
    """Placing what already is the very same file changes nothing and leaves no second name."""
    pull(dest, {"a": b"1"}, "link")
    (dest / ".smas/pulled.json").unlink()
    with opened(dest) as destination:
        destination.place(published("a", b"1"), blob(dest, b"1"), how)
    assert pulled(dest) == {"a": digest(b"1")}


def test_what_is_there_already_is_not_wanted(dest: Path) -> None:
    """A file with the right bytes needs nothing, whether or not a pull wrote it; from then on it is ours."""
    write(dest / "a", b"1")
    assert look(dest, published("a", b"1")) == ("unchanged", None)
    pull(dest, {"a": b"1"})
    assert pull(dest, {}) == []
    assert pulled(dest) == {}


def test_what_is_missing_is_wanted(dest: Path) -> None:
    """Nothing, or a folder without the file, is not in anybody's way."""
    assert look(dest, published("a/b/c", b"1")) == ("wanted", None)
    (dest / "a").mkdir()
    assert look(dest, published("a/b/c", b"1")) == ("wanted", None)
    assert pulled(dest) == {"a": "folder"}


def test_what_a_pull_wrote_may_be_replaced(dest: Path) -> None:
    """An untouched file of an earlier version makes room for the new one."""
    pull(dest, {"a": b"1"})
    assert look(dest, published("a", b"2")) == ("wanted", None)
    pull(dest, {"a": b"2"})
    assert (dest / "a").read_bytes() == b"2"


def test_what_was_there_before_is_in_the_way(dest: Path) -> None:
    """Somebody's own file is not replaced unasked, and the reason says that it is nobody's pull."""
    write(dest / "a", b"mine")
    assert look(dest, published("a", b"1")) == ("wanted", "it was there before")
    pull(dest, {"a": b"1"}, overwrite=True)
    assert (dest / "a").read_bytes() == b"1"


def test_what_was_changed_since_is_in_the_way(dest: Path) -> None:
    """A pulled file that somebody edited is not replaced unasked, and the reason says so."""
    pull(dest, {"a": b"1"}, "copy")
    write(dest / "a", b"edited")
    assert look(dest, published("a", b"2")) == ("wanted", "it was changed since it was pulled")
    assert look(dest, published("a", b"edited")) == ("unchanged", None)


def test_what_was_touched_but_not_changed_is_ours(dest: Path) -> None:
    """Another time on the same bytes is no change: the file is read and found to be as it was pulled."""
    pull(dest, {"a": b"1"}, "copy")
    os.utime(dest / "a", ns=(0, 0))
    assert look(dest, published("a", b"1")) == ("unchanged", None)
    assert look(dest, published("a", b"2")) == ("wanted", None)


def test_reading_all_finds_what_a_forged_time_hides(dest: Path) -> None:
    """What looks untouched is not read, unless every file is asked to be."""
    pull(dest, {"a": b"1"}, "copy")
    before = (dest / "a").stat()
    write(dest / "a", b"x")
    os.utime(dest / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert look(dest, published("a", b"1")) == ("unchanged", None)
    assert look(dest, published("a", b"1"), read_all=True) == ("wanted", "it was changed since it was pulled")


def test_comparing_stops_when_asked(dest: Path) -> None:
    """A request to stop is heard before the next file is read."""
    stop = Stop()
    destination = Destination(dest, stop)
    with destination.opened():
        stop.set()
        with pytest.raises(Cancelled):
            destination.compare([published("a")], read_all=True)


@pytest.mark.parametrize("what", ["folder", "link", "broken link", "pipe"])
def test_what_is_no_file_is_in_the_way(dest: Path, what: str) -> None:
    """A folder, a link even to the right bytes, or a pipe in a file's place is told, and not read."""
    dest.mkdir(parents=True)
    match what:
        case "folder":
            (dest / "a").mkdir()
        case "link":
            (dest / "a").symlink_to(blob(dest, b"1"))
        case "broken link":
            (dest / "a").symlink_to("nowhere")
        case _:
            os.mkfifo(dest / "a")
    expected = "it is a folder" if what == "folder" else "it is not a regular file"
    assert look(dest, published("a", b"1")) == ("wanted", expected)
    if what == "folder":
        write(dest / "a/inside", b"mine")
        with pytest.raises(LocalFault, match="Is a directory"):
            place(dest, "a")
        assert pulled(dest) == {"a": "folder", "a/inside": digest(b"mine")}
    else:
        place(dest, "a")
        assert pulled(dest) == {"a": digest(b"new")}


@pytest.mark.parametrize("what", ["file", "link to a folder", "broken link"])
def test_what_is_no_folder_where_one_should_be_is_an_error(dest: Path, tmp_path: Path, what: str) -> None:
    """Nothing is written through a link, and no file makes room for a folder: the error says what to do."""
    dest.mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    if what == "file":
        write(dest / "a", b"mine")
    else:
        (dest / "a").symlink_to(outside if what == "link to a folder" else tmp_path / "nowhere")
    before = pulled(dest)
    for call in (lambda: look(dest, published("a/b")), lambda: place(dest, "a/b")):
        with pytest.raises(LocalFault, match="is not a folder but a file or a symbolic link") as refusal:
            call()
        assert "move it away" in refusal.value.hint
    assert pulled(dest) == before
    assert list(outside.iterdir()) == []
