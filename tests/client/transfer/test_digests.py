"""Remembered digests: used while a file is what it was, never for other bytes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from smas.errors import LocalFault
from smas.transfer.digests import DigestCache
from smas.transfer.selection import Fingerprint, LocalFile

from tests.client.transfer.trees import digest, write

SECOND = 1_000_000_000
SEEN = Fingerprint(device=1, inode=2, size=3, mtime_ns=4 * SECOND, ctime_ns=5 * SECOND)
LATER = 100 * SECOND
SHA = digest(b"abc")


@pytest.fixture
def cache(tmp_path: Path) -> DigestCache:
    """A cache that nobody used yet, in a folder that does not exist yet."""
    return DigestCache(tmp_path / "cache" / "digests.sqlite3")


def local(seen: Fingerprint, path: str = "file") -> LocalFile:
    """A file as it was selected."""
    return LocalFile(path, Path(path), seen)


def test_a_digest_is_known_again(cache: DigestCache) -> None:
    """What was hashed long after it was written need not be hashed again, under whatever path."""
    assert cache.known([local(SEEN)]) == {}
    cache.remember([(local(SEEN), SHA, LATER)])
    assert cache.known([local(SEEN, "elsewhere/file")]) == {"elsewhere/file": SHA}


@pytest.mark.parametrize("field", ["device", "inode", "size", "mtime_ns", "ctime_ns"])
def test_a_digest_holds_only_while_nothing_changed(cache: DigestCache, field: str) -> None:
    """Any difference in what the file system says is another file."""
    cache.remember([(local(SEEN), SHA, LATER)])
    for step in (-1, 1):
        changed = replace(SEEN, **{field: getattr(SEEN, field) + step})
        assert cache.known([local(changed)]) == {}
    assert cache.known([local(SEEN)]) == {"file": SHA}


@pytest.mark.parametrize("last", ["mtime_ns", "ctime_ns"])
@pytest.mark.parametrize(("after", "kept"), [(2 * SECOND, False), (2 * SECOND + 1, True), (-SECOND, False)])
def test_a_file_written_just_before_is_not_remembered(
    cache: DigestCache, last: str, after: int, *, kept: bool
) -> None:
    """Two seconds after the later of both times a file is settled; a time in the future never is."""
    seen = replace(SEEN, **{last: 50 * SECOND})
    cache.remember([(local(seen), SHA, 50 * SECOND + after)])
    assert cache.known([local(seen)]) == ({"file": SHA} if kept else {})


def test_real_files_are_recognised_until_they_change(cache: DigestCache, tmp_path: Path) -> None:
    """Writing, replacing, and touching a file each make its digest unknown; reading does not."""
    path = write(tmp_path / "file", b"one")

    def known() -> bool:
        return bool(cache.known([local(Fingerprint.of(path.stat()))]))

    def remember() -> None:
        seen = Fingerprint.of(path.stat())
        cache.remember([(local(seen), digest(path.read_bytes()), seen.ctime_ns + 3 * SECOND)])

    def touch() -> None:
        os.utime(path, ns=(0, 0))

    def replace_file() -> None:
        write(tmp_path / "new", b"one").replace(path)

    remember()
    assert path.read_bytes() == b"one"
    assert known()
    for change in (touch, replace_file, lambda: write(path, b"longer")):
        remember()
        assert known()
        change()
        assert not known()


def test_inodes_of_64_bits_are_remembered(cache: DigestCache) -> None:
    """File systems that use the last bit of a number are no exception."""
    seen = replace(SEEN, inode=2**64 - 1, device=2**63)
    cache.remember([(local(seen), SHA, LATER)])
    assert cache.known([local(seen)]) == {"file": SHA}
    assert cache.known([local(replace(seen, inode=2**64 - 2))]) == {}


@dataclass
class Inode:
    """A file of the file system below."""

    number: int
    data: bytes
    mtime_ns: int
    ctime_ns: int

    def fingerprint(self) -> Fingerprint:
        """What the file system says of it."""
        return Fingerprint(7, self.number, len(self.data), self.mtime_ns, self.ctime_ns)


class AnySequenceOfWrites(RuleBasedStateMachine):
    """A file system with a coarse clock that reuses inodes at once, used by somebody and a client in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.cache = DigestCache(Path(self.folder.name) / "digests.sqlite3")
        self.now = LATER
        self.tick = 2 * SECOND
        self.file = Inode(1, b"first", self.stamp(), self.stamp())

    def stamp(self) -> int:
        """The time as the file system tells it: FAT's clock ticks every two seconds."""
        return self.now // self.tick * self.tick

    @rule(seconds=st.sampled_from([0.001, 0.5, 1.0, 1.999, 2.0, 2.001, 5.0, 3600.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += int(seconds * SECOND)

    @rule(data=st.sampled_from([b"first", b"other", b"third", b"longer bytes"]))
    def write(self, data: bytes) -> None:
        """The file is written in place."""
        self.file.data, self.file.mtime_ns, self.file.ctime_ns = data, self.stamp(), self.stamp()

    @rule(data=st.sampled_from([b"first", b"other"]), number=st.integers(1, 3))
    def replace(self, data: bytes, number: int) -> None:
        """Another file takes its name; its number may be one that was free again."""
        self.file = Inode(number, data, self.stamp(), self.stamp())

    @rule(mtime=st.integers(0, 10))
    def set_mtime(self, mtime: int) -> None:
        """Somebody sets the time of the last change, as archives and rsync do."""
        self.file.mtime_ns, self.file.ctime_ns = mtime * SECOND, self.stamp()

    @rule(data=st.none() | st.sampled_from([b"other", b"third"]))
    def hash_and_remember(self, data: bytes | None) -> None:
        """A push hashes the file; somebody may write to it meanwhile without the clock telling."""
        seen, begun, sha256 = self.file.fingerprint(), self.now, digest(self.file.data)
        if data is not None:
            self.now += 1
            self.write(data)
        if self.file.fingerprint() == seen:
            self.cache.remember([(local(seen), sha256, begun)])

    @invariant()
    def a_known_digest_is_the_files(self) -> None:
        """Whatever happened, the cache says nothing or the truth."""
        for sha256 in self.cache.known([local(self.file.fingerprint())]).values():
            assert sha256 == digest(self.file.data)

    def teardown(self) -> None:
        """Nothing stays on disk."""
        self.folder.cleanup()


TestAnySequenceOfWrites = AnySequenceOfWrites.TestCase
TestAnySequenceOfWrites.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@settings(max_examples=20)
@given(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_the_last_of_many_digests_of_one_inode_holds(sizes: list[int]) -> None:
    """An inode has one row: its newest digest, however often it was hashed."""
    with TemporaryDirectory() as folder:
        cache = DigestCache(Path(folder) / "digests.sqlite3")
        for size in sizes:
            cache.remember([(local(replace(SEEN, size=size)), digest(bytes(size)), LATER)])
        known = [cache.known([local(replace(SEEN, size=size))]) for size in range(10)]
        last = sizes[-1]
        assert known == [{"file": digest(bytes(size))} if size == last else {} for size in range(10)]


def test_two_processes_remember_at_once(tmp_path: Path) -> None:
    """Pushes side by side wait for each other's writes; nothing of either is lost."""
    code = """
import sys
from pathlib import Path
from smas.transfer.digests import DigestCache
from smas.transfer.selection import Fingerprint, LocalFile
cache, first = DigestCache(Path(sys.argv[1])), int(sys.argv[2])
sys.stdin.readline()
for inode in range(first, first + 50):
    cache.remember([(LocalFile("f", Path("f"), Fingerprint(1, inode, 3, 4, 5)), f"{inode:064x}", 10**11)])
"""
    path = tmp_path / "digests.sqlite3"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path), str(first)], stdin=subprocess.PIPE, env=environment
        )
        for first in (0, 1000)
    ]
    for process in processes:
        assert process.stdin
        process.stdin.write(b"go\n")
        process.stdin.close()
    assert [process.wait(120) for process in processes] == [0, 0]
    inodes = [*range(50), *range(1000, 1050)]
    files = [local(Fingerprint(1, inode, 3, 4, 5), str(inode)) for inode in inodes]
    assert DigestCache(path).known(files) == {str(inode): f"{inode:064x}" for inode in inodes}


@pytest.mark.parametrize("damage", ["text", "cut", "torn", "other table", "folder"])
def test_a_damaged_database_is_told_clearly(tmp_path: Path, damage: str) -> None:
    """Whatever is wrong with the file, the error names it and says that removing it loses nothing."""
    path = tmp_path / "digests.sqlite3"
    cache = DigestCache(path)
    many = [(local(replace(SEEN, inode=inode)), SHA, LATER) for inode in range(2000)]
    if damage != "folder":
        cache.remember(many)
    match damage:
        case "text":
            path.write_text("this is no database " * 1000)
        case "cut":
            os.truncate(path, path.stat().st_size // 2)
        case "torn":
            data = bytearray(path.read_bytes())
            data[4096:] = b"\xff" * (len(data) - 4096)
            path.write_bytes(data)
        case "other table":
            path.unlink()
            with sqlite3.connect(path) as database:
                database.execute("CREATE TABLE digests (name TEXT)")
            database.close()
        case _:
            path.mkdir()
    for call in (lambda: cache.known([many[1999][0]]), lambda: cache.remember(many)):
        with pytest.raises(LocalFault, match="remembers digests, can't be used") as refusal:
            call()
        assert str(path) in refusal.value.detail
        assert "nothing is lost" in refusal.value.hint


def test_a_folder_that_can_not_be_made_is_told_clearly(tmp_path: Path) -> None:
    """A cache below something that is no folder is an error of this machine, not a crash."""
    write(tmp_path / "file", b"")
    with pytest.raises(LocalFault, match="can't be used"):
        DigestCache(tmp_path / "file" / "digests.sqlite3").remember([(local(SEEN), SHA, LATER)])


def test_the_oldest_digests_make_room(cache: DigestCache) -> None:
    """The database does not grow for ever: of more than 200,000 digests those computed last stay."""
    old = [(local(replace(SEEN, inode=number)), SHA, LATER) for number in range(10)]
    new = [(local(replace(SEEN, inode=number)), SHA, 2 * LATER) for number in range(10, 200_010)]
    cache.remember(old)
    cache.remember(new[:-10])
    assert len(cache.known([local(replace(SEEN, inode=n), str(n)) for n in range(20)])) == 20
    cache.remember(new[-10:])
    files = [local(replace(SEEN, inode=n), str(n)) for n in (*range(20), 200_009)]
    assert set(cache.known(files)) == {*map(str, range(10, 20)), "200009"}
