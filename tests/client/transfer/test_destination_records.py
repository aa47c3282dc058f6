"""A folder between pulls: its record, its names, stale files, and pulls that meet."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest
from smas.errors import Invalid, LocalFault
from smas.retries import Cancelled, Stop

from tests.client.transfer.pulling import blob, look, opened, pull
from tests.client.transfer.trees import digest, picture, published, pulled, write

if TYPE_CHECKING:
    from pathlib import Path


def test_stale_files_are_removed_with_the_folders_they_leave_empty(dest: Path) -> None:
    """What an earlier version had and this one lacks goes; folders that still hold something stay."""
    pull(dest, {"keep": b"1", "old": b"2", "a/b/old": b"3", "c/old": b"4"})
    write(dest / "c/mine", b"mine")
    assert pull(dest, {"keep": b"1"}) == []
    expected = {"keep": digest(b"1"), "c": "folder", "c/mine": digest(b"mine")}
    assert pulled(dest) == expected
    write(dest / "old", b"2")
    pull(dest, {"keep": b"1"})
    assert (dest / "old").exists()  # the same bytes, but not what a pull wrote


@pytest.mark.parametrize(
    "what", ["changed", "folder", "link", "gone", "parent is a file", "parent is a link"]
)
def test_stale_files_that_are_no_longer_ours_are_kept(dest: Path, tmp_path: Path, what: str) -> None:
    """What somebody changed or put in a stale file's place stays, is told once, and is theirs then."""
    pull(dest, {"a/old": b"1"}, "copy")
    old = dest / "a/old"
    old.unlink()
    match what:
        case "changed":
            write(old, b"mine")
        case "folder":
            old.mkdir()
        case "link":
            old.symlink_to(write(tmp_path / "mine", b"1"))
        case "parent is a file":
            old.parent.rmdir()
            write(dest / "a", b"mine")
        case "parent is a link":
            old.parent.rmdir()
            write(tmp_path / "theirs/old", b"1")
            (dest / "a").symlink_to(tmp_path / "theirs")
    before = picture(tmp_path / "theirs"), pulled(dest)
    assert pull(dest, {}) == ([] if what == "gone" else ["a/old"])
    assert (picture(tmp_path / "theirs"), pulled(dest)) == before
    assert pull(dest, {}) == []


def test_two_pulls_into_one_folder_wait_for_each_other(dest: Path) -> None:
    """The second begins when the first is done, and sees what it wrote."""
    order: list[str] = []
    begun = threading.Event()

    def second() -> None:
        begun.set()
        with opened(dest) as destination:
            order.append("second")
            assert set(destination.record.files) == {"a"}

    with opened(dest) as destination:
        thread = threading.Thread(target=second)
        thread.start()
        begun.wait(30)
        destination.place(published("a", b"1"), blob(dest, b"1"), "link")
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]


def test_whoever_waits_for_the_folder_can_be_stopped(dest: Path) -> None:
    """A request to stop ends the waiting and leaves the other pull alone."""
    stop, ended = Stop(), threading.Event()

    def second() -> None:
        with pytest.raises(Cancelled), opened(dest, stop):
            pass
        ended.set()

    with opened(dest):
        thread = threading.Thread(target=second)
        thread.start()
        stop.set()
        thread.join(30)
        assert ended.is_set()


def test_a_folder_that_is_no_folder_is_an_error(tmp_path: Path) -> None:
    """A file, or something below a file, can't be pulled into."""
    write(tmp_path / "file")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(LocalFault, match="can't be used as a folder"), opened(path):
            pass


def test_the_named_folder_may_be_a_link(tmp_path: Path) -> None:
    """Whoever names a link to a folder means that folder."""
    (tmp_path / "real/folder").mkdir(parents=True)
    (tmp_path / "real/link").symlink_to("folder")
    pull(tmp_path / "real/link", {"a": b"1"})
    assert (tmp_path / "real/folder/a").read_bytes() == b"1"


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["a", "a/b"], "'a' is a file of the same version"),
        (["a/b/c", "a"], "'a' is a file of the same version"),
        (["a", "a"], "names a path twice"),
        (["../a"], "'..' segment"),
        (["/a"], "not relative"),
        (["a//b"], "an empty"),
        (["a\\b"], "a backslash"),
        (["e\u0301"], "normal form C"),
        (["\udcff"], "not valid Unicode"),
        ([".smas/pulled.json"], "keep their own record"),
        ([".SMAS"], "keep their own record"),
        ([".\u017fmas/x"], "keep their own record"),
        (["a/" + "b" * 256], "takes names of at most 255 bytes"),
        (["é" * 128 + "/a"], "takes names of at most 255 bytes"),
    ],
)
def test_versions_that_can_not_be_written_here_are_refused(
    dest: Path, paths: list[str], message: str
) -> None:
    """Whatever the store says, before anything is written, and with every fault named."""
    with opened(dest) as destination:
        with pytest.raises(Invalid, match="can't be written here") as refusal:
            destination.check_names([published(path) for path in (*paths, "good")])
        assert message in refusal.value.errors[0].message
        assert len(refusal.value.errors) == 1
    assert pulled(dest) == {}


def test_names_may_be_as_long_as_the_file_system_takes(dest: Path) -> None:
    """Both limits at once: names of 255 bytes in a path of 512."""
    path = f"{'a' * 255}/{'é' * 127}/z"
    pull(dest, {path: b"1", "b" * 255: b"2"}, "copy")
    assert (dest / path).read_bytes() == b"1"


def test_names_that_differ_in_case_are_fine_where_case_matters(dest: Path) -> None:
    """Nothing is refused that the file system can hold."""
    dest.mkdir(parents=True)
    write(dest / "x")
    if (dest / "X").exists():
        pytest.skip("this file system ignores case")
    pull(dest, {"a": b"1", "A": b"2", "straße": b"3", "STRASSE": b"4"})
    assert (dest / "A").read_bytes() == b"2"
    assert (dest / "a").read_bytes() == b"1"


@pytest.mark.parametrize(
    "record", [b"", b"{", b"[]", b'{"files": {"a": 1}}', b"\xff", b'{"files": {"a": {"sha256": 1}}}']
)
def test_a_damaged_record_stops_a_pull(dest: Path, record: bytes) -> None:
    """Without its record a pull can't know what is its own: it says how to go on, and touches nothing."""
    write(dest / ".smas/pulled.json", record)
    write(dest / "a", b"mine")
    with pytest.raises(LocalFault, match=r"pulled\.json is damaged") as refusal, opened(dest):
        pass
    assert "remove it" in refusal.value.hint
    assert (dest / ".smas/pulled.json").read_bytes() == record
    assert pulled(dest) == {"a": digest(b"mine")}


def test_a_record_that_is_no_file_is_an_error_of_this_machine(dest: Path) -> None:
    """A folder in the record's or the lock's place is told, not a crash."""
    for name in ("pulled.json", "lock"):
        (dest / name / ".smas" / name).mkdir(parents=True)
        with pytest.raises(LocalFault, match=name), opened(dest / name):
            pass


def test_the_record_survives_a_failing_pull(dest: Path) -> None:
    """What was placed before something went wrong is remembered as ours."""

    def fails() -> None:
        with opened(dest) as destination:
            destination.place(published("a", b"1"), blob(dest, b"1"), "link")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fails()
    assert look(dest, published("a", b"2")) == ("wanted", None)


def test_space_is_asked_for_where_the_bytes_will_be(dest: Path) -> None:
    """What is free is enough, and a byte more than there is is refused; the folder need not exist yet."""
    with opened(dest) as destination:
        status = os.statvfs(dest)
        destination.require_space(0, dest / "not" / "yet")
        beyond = 2 * status.f_blocks * status.f_frsize
        with pytest.raises(LocalFault, match="bytes free, but") as refusal:
            destination.require_space(beyond, dest / "not" / "yet")
        assert "smas cache prune" in refusal.value.hint
        assert destination.is_on_device_of(dest.parent / "not" / "yet")


def test_a_file_may_become_a_folder_and_the_other_way_round(dest: Path) -> None:
    """A version with ``a/b`` follows one with ``a``, and back: what the pull itself wrote makes way."""
    pull(dest, {"a": b"file"})
    pull(dest, {"a/b": b"inside"})
    assert pulled(dest) == {"a": "folder", "a/b": digest(b"inside")}
    pull(dest, {"a": b"file"})
    assert pulled(dest) == {"a": digest(b"file")}


def test_a_folder_with_somebodys_own_file_does_not_make_way(dest: Path) -> None:
    """A file that no pull wrote keeps its folder, and the version that wants a file there is refused."""
    pull(dest, {"a/b": b"inside"})
    write(dest / "a/mine", b"own")
    assert look(dest, published("a", b"file")) == ("wanted", "it is a folder")
    assert (dest / "a/mine").read_bytes() == b"own"


def test_what_a_killed_pull_placed_is_known_to_be_ours(dest: Path) -> None:
    """After a kill between placing and recording, the next version replaces and removes it like any other."""
    pull(dest, {"model": b"one", "same": b"one"})
    version = [published("model", b"two"), published("extra", b"two"), published("same", b"two")]
    with opened(dest) as destination:
        destination.announce(version)
        killed = (dest / ".smas/pulled.json").read_bytes()
        for file in version[:2]:
            destination.place(file, blob(dest, b"two"), "link")
    write(dest / ".smas/pulled.json", killed)
    write(dest / ".smas/half-done.new", b"half")

    assert pull(dest, {"model": b"three", "same": b"three"}) == []
    assert pulled(dest) == {"model": digest(b"three"), "same": digest(b"three")}
    assert sorted(path.name for path in (dest / ".smas").iterdir()) == ["lock", "pulled.json"]
