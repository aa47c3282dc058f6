"""A download that grows in ranges: killed anywhere, it goes on, and its digest is the bytes'."""

from __future__ import annotations

import os
import threading
from itertools import chain, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from smas.retries import Cancelled, Stop
from smas.transfer.partial_file import RANGE_BYTES, PartialFile

from tests.client.transfer.trees import digest

if TYPE_CHECKING:
    from collections.abc import Iterable

LAST = 12345
TINY = 3 * RANGE_BYTES + LAST
# Ranges differ from each other, so one in another's place changes the digest.
RANGES = [bytes([number + 1]) * RANGE_BYTES for number in range(4)]
DATA = b"".join(RANGES)[:TINY]
SHA = digest(DATA)


def fetch(partial: PartialFile, numbers: Iterable[int], data: bytes = DATA) -> list[bool]:
    """Write these ranges whole; answers who was told that it was the last."""
    told = []
    for number in numbers:
        start, end = partial.bounds(number)
        partial.write(data[start:end], start)
        told.append(partial.complete(number))
    return told


def missing(partial: PartialFile) -> list[int]:
    """The ranges that would be asked for."""
    return list(chain.from_iterable(partial.missing_runs(8, 1)))


@settings(max_examples=20)
@given(order=st.permutations(range(4)), killed_after=st.integers(0, 4))
def test_any_order_of_ranges_and_any_kill_gives_the_digest_of_the_bytes(
    order: list[int], killed_after: int
) -> None:
    """Ranges come in any order, before and after a kill; none that was finished is asked for again."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.part"
        with PartialFile(path, TINY, Stop()) as partial:
            assert missing(partial) == [0, 1, 2, 3]
            fetch(partial, order[:killed_after])
        with PartialFile(path, TINY, Stop()) as partial:
            assert missing(partial) == sorted(order[killed_after:])
            assert partial.done == set(order[:killed_after])
            told = fetch(partial, order[killed_after:])
            assert told == [False] * (len(told) - 1) + [True] * bool(told)
            assert partial.hexdigest() == SHA
        assert path.read_bytes() == DATA


class KilledAnywhere(RuleBasedStateMachine):
    """A download whose process dies, whose disk fills up, and whose files somebody meddles with."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / "x.part"
        self.journal = self.path.with_suffix(".ranges")
        self.finished: set[int] = set()
        self.last: int | None = None
        self.partial = PartialFile(self.path, TINY, Stop())

    @initialize()
    def begin(self) -> None:
        """The download begins."""
        self.partial.__enter__()

    def reopen(self) -> None:
        """A new process opens what the old one left; of that one only its files remain."""
        self.last = None
        self.partial.__exit__()
        self.partial = PartialFile(self.path, TINY, Stop())
        self.partial.__enter__()

    @precondition(lambda self: len(self.finished) < 4)
    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        """A missing range arrives."""
        number = data.draw(st.sampled_from(sorted(set(range(4)) - self.finished)))
        assert fetch(self.partial, [number]) == [len(self.finished) == 3]
        self.finished.add(number)
        self.last = number

    @rule(number=st.integers(0, 3), part=st.integers(1, 1000))
    def killed_in_a_range(self, number: int, part: int) -> None:
        """The process dies while it writes a range that is not finished."""
        if number not in self.finished:
            self.partial.write(b"\xff" * part, self.partial.bounds(number)[0])
        self.reopen()

    def tear(self, cut: int) -> None:
        """The journal's last line is cut short."""
        assert self.last is not None
        os.truncate(self.journal, self.journal.stat().st_size - cut)
        self.finished.discard(self.last)
        self.last = None

    @precondition(lambda self: self.last is not None)
    @rule(cut=st.integers(1, 9))
    def torn_line(self, cut: int) -> None:
        """The process dies while it writes to the journal: that range is fetched again."""
        self.tear(cut)
        self.reopen()

    @precondition(lambda self: self.last is not None and len(self.finished) < 4)
    @rule(cut=st.integers(1, 9), data=st.data())
    def torn_line_and_more(self, cut: int, data: st.DataObject) -> None:
        """The disk was full for a moment: the line after the one that was cut short counts, and is whole."""
        number = data.draw(st.sampled_from(sorted(set(range(4)) - self.finished)))
        self.tear(cut)
        fetch(self.partial, [number])
        self.finished.add(number)
        self.reopen()

    @rule(shorter=st.sampled_from([1, RANGE_BYTES, TINY]))
    def shorter_file(self, shorter: int) -> None:
        """The data file was cut: nothing of it is trusted."""
        os.truncate(self.path, TINY - shorter)
        self.finished.clear()
        self.reopen()

    @rule(size=st.sampled_from([0, 1, TINY - 1, TINY + 1, 10 * TINY]))
    def journal_of_another_size(self, size: int) -> None:
        """The journal belongs to another file: it says nothing about this one."""
        self.journal.write_text(f"{size} {RANGE_BYTES}\n00000000\n00000001")
        self.finished.clear()
        self.reopen()

    @rule(junk=st.sampled_from([b"", b"\n", b"\xff\xfe", b"9" * 5000 + b"\n", b"\n\n\n"]))
    def junk_for_a_journal(self, junk: bytes) -> None:
        """The journal is no journal."""
        self.journal.write_bytes(junk)
        self.finished.clear()
        self.reopen()

    @rule(line=st.sampled_from([b"9" * 5000, b"00000099", b"-0000001", b"0000000x", b"1", b"", b"000000001"]))
    def junk_in_the_journal(self, line: bytes) -> None:
        """A line that names no range of this file is passed over."""
        with self.journal.open("ab") as journal:
            journal.write(b"\n" + line)
        self.reopen()

    @rule()
    def lost_journal(self) -> None:
        """Without its journal a file is begun anew."""
        self.journal.unlink()
        self.finished.clear()
        self.reopen()

    @rule()
    def check_digest(self) -> None:
        """Once complete, its digest is that of the bytes, and the next process says the same."""
        fetch(self.partial, sorted(set(range(4)) - self.finished))
        self.finished = set(range(4))
        assert self.partial.hexdigest() == SHA
        self.reopen()
        assert self.partial.hexdigest() == SHA
        assert self.path.read_bytes() == DATA

    @invariant()
    def finished_ranges_are_not_asked_for_again(self) -> None:
        """What is missing is exactly what was not finished."""
        assert self.partial.done == self.finished
        assert missing(self.partial) == sorted(set(range(4)) - self.finished)

    def teardown(self) -> None:
        """Nothing stays on disk."""
        self.partial.__exit__()
        self.folder.cleanup()


TestKilledAnywhere = KilledAnywhere.TestCase
TestKilledAnywhere.settings = settings(
    max_examples=20, stateful_step_count=10, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@settings(max_examples=200)
@given(
    ranges=st.integers(0, 200),
    most=st.integers(1, 10),
    threads=st.integers(1, 64),
    data=st.data(),
    odd=st.booleans(),
)
def test_runs_partition_exactly_what_is_missing(
    ranges: int, most: int, threads: int, data: st.DataObject, *, odd: bool
) -> None:
    """Every missing range is in one run, no finished one is, and no run is longer than allowed."""
    partial = PartialFile(Path("never opened.part"), max(0, ranges * RANGE_BYTES - odd), Stop())
    assert partial.range_count == ranges
    partial.done = data.draw(st.sets(st.integers(0, ranges - 1)) if ranges else st.just(set()))
    runs = partial.missing_runs(most, threads)
    assert list(chain.from_iterable(runs)) == [n for n in range(ranges) if n not in partial.done]
    assert all(1 <= len(run) <= most for run in runs)


@pytest.mark.parametrize(("ranges", "most", "threads"), [(200, 8, 4), (64, 8, 2), (9, 8, 4)])
def test_runs_get_shorter_towards_the_end(ranges: int, most: int, threads: int) -> None:
    """Many requests begin long and end with single ranges, so that all threads finish together."""
    lengths = [
        len(run)
        for run in PartialFile(Path("x.part"), ranges * RANGE_BYTES, Stop()).missing_runs(most, threads)
    ]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] == min(most, max(1, ranges // (2 * threads)))
    assert lengths[-threads:] == [1] * threads


@given(size=st.integers(0, 2**50))
def test_ranges_cover_the_file(size: int) -> None:
    """The ranges follow each other from the first byte to the last, and none is empty."""
    partial = PartialFile(Path("x.part"), size, Stop())
    count = partial.range_count
    ends = [partial.bounds(number) for number in {0, 1, count // 2, count - 1} if 0 <= number < count]
    assert all(0 < end - start <= RANGE_BYTES for start, end in ends)
    if count:
        assert partial.bounds(0)[0] == 0
        assert partial.bounds(count - 1)[1] == size
    else:
        assert size == 0


def test_an_empty_file_is_complete_at_once(tmp_path: Path) -> None:
    """Zero bytes have no range, and a digest."""
    with PartialFile(tmp_path / "x.part", 0, Stop()) as partial:
        assert partial.missing_runs(8, 4) == []
        assert partial.hexdigest() == digest(b"")
    assert (tmp_path / "x.part").read_bytes() == b""


def test_threads_complete_ranges_at_once(tmp_path: Path) -> None:
    """One thread alone is told that the file is complete, and the digest is right whoever hashed."""
    told: list[bool] = []
    with PartialFile(tmp_path / "x.part", TINY, Stop()) as partial:
        together = threading.Barrier(4)

        def work(number: int) -> None:
            together.wait(30)
            told.extend(fetch(partial, [number]))

        workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert sorted(told) == [False, False, False, True]
        assert partial.hexdigest() == SHA


def test_discarding_begins_anew(tmp_path: Path) -> None:
    """Bytes that were found wrong leave nothing that the next attempt could build on."""
    path = tmp_path / "x.part"
    with PartialFile(path, TINY, Stop()) as partial:
        fetch(partial, range(4), data=bytes(TINY))
        assert partial.hexdigest() == digest(bytes(TINY))
        partial.discard()
        assert list(tmp_path.iterdir()) == []
        with PartialFile(path, TINY, Stop()) as again:
            assert missing(again) == [0, 1, 2, 3]
            fetch(again, range(4))
            assert again.hexdigest() == SHA


def test_bytes_without_a_journal_are_not_kept(tmp_path: Path) -> None:
    """What stands in a file that no journal vouches for is not mixed with what is fetched."""
    path = tmp_path / "x.part"
    path.write_bytes(b"\xff" * TINY)
    with PartialFile(path, TINY, Stop()):
        assert path.stat().st_size == TINY
        assert not any(path.read_bytes())


def test_a_finished_file_leaves_no_journal(tmp_path: Path) -> None:
    """Once the bytes have moved to their place, nothing claims that they are here."""
    with PartialFile(tmp_path / "x.part", TINY, Stop()) as partial:
        partial.path.rename(tmp_path / "blob")
        partial.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["blob"]


def test_a_symbolic_link_is_not_written_through(tmp_path: Path) -> None:
    """A link in the place of the partial file is refused, and what it leads to stays as it is."""
    canary = tmp_path / "canary"
    canary.write_bytes(b"precious")
    (tmp_path / "x.part").symlink_to(canary)
    with pytest.raises(OSError, match="symbolic links"), PartialFile(tmp_path / "x.part", TINY, Stop()):
        pass
    assert canary.read_bytes() == b"precious"


def test_a_file_cut_while_it_is_hashed_is_wrong_not_endless(tmp_path: Path) -> None:
    """Somebody who truncates a download in progress makes its digest wrong; hashing still ends."""
    with PartialFile(tmp_path / "x.part", TINY, Stop()) as partial:
        fetch(partial, [1, 2, 3])  # nothing is hashed before range 0
        start, end = partial.bounds(0)
        partial.write(DATA[start:end], start)
        os.truncate(partial.path, RANGE_BYTES + 1)
        assert partial.complete(0)
        assert partial.hexdigest() != SHA


def test_hashing_stops_when_asked(tmp_path: Path) -> None:
    """A request to stop is heard before what waits is hashed; the ranges are in the journal already."""
    stop = Stop()
    with PartialFile(tmp_path / "x.part", TINY, stop) as partial:
        fetch(partial, [1])  # waits for range 0
        stop.set()
        with pytest.raises(Cancelled):
            fetch(partial, [0])
    with PartialFile(tmp_path / "x.part", TINY, Stop()) as partial:
        assert missing(partial) == [2, 3]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.sets(st.integers(1, TINY - 1), max_size=12), begun=st.permutations([0, 1]))
def test_ranges_that_come_in_pieces_are_hashed_in_their_order(
    tmp_path: Path, cuts: set[int], begun: list[int]
) -> None:
    """Blocks of any length, across ranges or not, from two requests in turn: the digest is the bytes'."""
    half = 2 * RANGE_BYTES
    ends = sorted({*cuts, half, TINY})
    blocks = list(zip([0, *ends], ends, strict=False))
    halves = [[b for b in blocks if b[1] <= half], [b for b in blocks if b[0] >= half]]
    turns = zip_longest(halves[begun[0]], halves[begun[1]])
    with PartialFile(tmp_path / "x.part", TINY, Stop()) as partial:
        for start, end in filter(None, chain.from_iterable(turns)):
            partial.write(DATA[start:end], start)
            for number in range(4):
                if start < partial.bounds(number)[1] <= end:
                    partial.complete(number)
        assert partial.hexdigest() == SHA
        partial.discard()


def test_one_thread_asks_for_as_much_as_it_may(tmp_path: Path) -> None:
    """Where nobody shares the file, nothing is gained by short requests at its end."""
    runs = PartialFile(tmp_path / "x.part", 20 * RANGE_BYTES, Stop()).missing_runs(8, 1)
    assert [len(run) for run in runs] == [8, 8, 4]
