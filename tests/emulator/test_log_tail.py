"""Reading on in a log: every line once, across readers, and through whatever a restart does to the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smas_emulator.log_tail import BEGINNING, MOST_BYTES, Position, lines_after

if TYPE_CHECKING:
    from pathlib import Path


def read_on(file: Path, position: Position = BEGINNING) -> tuple[list[bytes], Position]:
    """All whole lines after a position, and the position after them."""
    texts: list[bytes] = []
    while lines := lines_after(file, position):
        texts += [line.text for line in lines]
        position = lines[-1].after
    return texts, position


@given(
    st.lists(st.binary(max_size=400).filter(lambda text: b"\n" not in text and b"\r" not in text)),
    st.integers(0, 30),
)
def test_every_line_comes_once(
    tmp_path_factory: pytest.TempPathFactory, texts: list[bytes], first: int
) -> None:
    """However many are there at first, and wherever a reader ends, the next goes on at the next line."""
    file = tmp_path_factory.mktemp("log") / "a.log"
    file.write_bytes(b"".join(text + b"\n" for text in texts[:first]))
    before, position = read_on(file)
    with file.open("ab") as more:
        more.write(b"".join(text + b"\n" for text in texts[first:]))

    after, _ = read_on(file, position)

    assert before + after == texts


def test_each_line_has_its_own_position(tmp_path: Path) -> None:
    """A reader that got only a part of them further goes on right after that part."""
    file = tmp_path / "a.log"
    file.write_bytes(b"".join(b"line %d\n" % number for number in range(100)))
    lines = lines_after(file, BEGINNING)

    assert read_on(file, lines[41].after)[0] == [b"line %d" % number for number in range(42, 100)]


def test_an_unfinished_line_waits_for_its_end(tmp_path: Path) -> None:
    """A line is read when it is whole."""
    file = tmp_path / "a.log"
    file.write_bytes(b"one\ntw")
    texts, position = read_on(file)
    assert texts == [b"one"]
    with file.open("ab") as more:
        more.write(b"o\n")

    assert read_on(file, position)[0] == [b"two"]


@pytest.mark.parametrize(
    "text", [b"", b"new\n", b"a much longer beginning than it had before\nand another\n"]
)
@pytest.mark.parametrize("how", ["emptied", "replaced"])
def test_another_file_is_read_from_its_beginning(tmp_path: Path, how: str, text: bytes) -> None:
    """Emptied or replaced, and whether by then it is shorter or longer than it was: nothing is skipped."""
    file = tmp_path / "a.log"
    file.write_bytes(b"old\nolder\n")
    _, position = read_on(file)
    if how == "replaced":
        file.unlink()
    file.write_bytes(text)

    assert read_on(file, position)[0] == text.splitlines()


def test_no_file_is_no_line(tmp_path: Path) -> None:
    """A process that was never started has no log yet."""
    assert lines_after(tmp_path / "none.log", BEGINNING) == []


def test_no_line_is_too_long_to_get_past(tmp_path: Path) -> None:
    """A line longer than what is read at once comes in pieces; those after it come as well."""
    file = tmp_path / "a.log"
    file.write_bytes(b"x" * (MOST_BYTES + 10) + b"\nnext\n")

    assert [len(text) for text in read_on(file)[0]] == [MOST_BYTES, 10, 4]
