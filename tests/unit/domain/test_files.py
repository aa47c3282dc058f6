"""Files of a version: every rule broken alone is refused, everything else is accepted."""

from __future__ import annotations

import unicodedata
from hashlib import sha256

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.domain.files import (
    MAX_FILES,
    MAX_PATH_BYTES,
    FileEntry,
    check_count,
    check_files,
    fault_in_digest,
    fault_in_path,
    fault_in_size,
)
from service.errors import ValidationFailed

FIFTY_GB = 50_000_000_000
CONTROL = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))]
DIGEST = "ab" * 32


def segments() -> st.SearchStrategy[str]:
    """Names of files and folders that break no rule: most of Unicode, in form C."""
    characters = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="/\\")
    return (
        st.text(characters, min_size=1, max_size=12)
        .map(lambda text: unicodedata.normalize("NFC", text))
        .filter(lambda text: text not in {".", ".."} and len(text.encode()) <= 60)
    )


def paths() -> st.SearchStrategy[str]:
    """Paths that break no rule; joining segments may compose characters, but never across a slash."""
    return st.lists(segments(), min_size=1, max_size=8).map("/".join)


def entries(*described: str) -> list[FileEntry]:
    """Files with these paths, each with bytes of its own."""
    return [FileEntry(path, sha256(str(n).encode()).hexdigest(), n) for n, path in enumerate(described)]


def faults(files: list[FileEntry]) -> list[tuple[str, str]]:
    """What is wrong with these files, as ``(location, message)``."""
    try:
        check_files(files)
    except ValidationFailed as failure:
        return [(fault.location, fault.message) for fault in failure.errors]
    return []


@settings(max_examples=200)
@given(path=paths())
@example(path="a")
@example(path="...")
@example(path=".hidden/..x/x..")
@example(path="\u2028/\ufeff")
@example(path=" leading and trailing ")
@example(path="100%/a?b#c&d=e+f;g*h.bin")
@example(path="é" * (MAX_PATH_BYTES // 2))
def test_a_path_that_breaks_no_rule_is_accepted(path: str) -> None:
    """Every relative POSIX path in form C without control characters can be published."""
    assert fault_in_path(path) is None


@settings(max_examples=100)
@given(path=paths(), control=st.sampled_from(CONTROL), data=st.data())
def test_no_control_character_passes(path: str, control: str, data: st.DataObject) -> None:
    """A control character is refused wherever in a path it stands."""
    place = data.draw(st.integers(0, len(path)))
    assert fault_in_path(path[:place] + control + path[place:]) == "must not hold control characters"


@settings(max_examples=50)
@given(before=paths(), after=paths(), segment=st.sampled_from(["", ".", ".."]))
def test_no_empty_or_dotted_segment_passes(before: str, after: str, segment: str) -> None:
    """No segment is empty, ``.`` or ``..``, neither inside nor at the end."""
    wanted = "must not hold an empty, '.' or '..' segment"
    assert [fault_in_path(f"{before}/{segment}/{after}"), fault_in_path(f"{before}/{segment}")] == [
        wanted
    ] * 2


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "must be 1 to 512 bytes of UTF-8"),
        ("/a", "must be relative"),
        ("//a", "must be relative"),
        (".", "must not hold an empty, '.' or '..' segment"),
        ("..", "must not hold an empty, '.' or '..' segment"),
        ("../a", "must not hold an empty, '.' or '..' segment"),
        ("a\\b", "must use '/', not a backslash"),
        ("e\u0301", "must be in Unicode normal form C"),
        ("\u212b", "must be in Unicode normal form C"),
        ("a\ud800", "must be valid Unicode (it holds a lone surrogate)"),
    ],
)
def test_a_path_that_breaks_one_rule_is_told_which(path: str, message: str) -> None:
    """A path that breaks one rule alone is refused with that rule."""
    assert fault_in_path(path) == message


def test_a_path_may_be_512_bytes_and_no_more() -> None:
    """The limit counts bytes of UTF-8, not characters."""
    limit = "must be 1 to 512 bytes of UTF-8"
    lengths = {"a" * 512: None, "a" * 513: limit, "é" * 256: None, "é" * 256 + "a": limit}
    assert {path: fault_in_path(path) for path in lengths} == lengths


def test_a_file_may_be_fifty_gigabytes_and_no_more() -> None:
    """A size is 0 to 50 GB, decimal."""
    assert [fault_in_size(size) for size in (0, 1, FIFTY_GB)] == [None] * 3
    limit = f"must be 0 to {FIFTY_GB} bytes"
    assert [fault_in_size(size) for size in (-1, FIFTY_GB + 1)] == [limit] * 2


def test_a_digest_is_sixty_four_lower_case_digits() -> None:
    """Any other way to write a digest is refused."""
    assert fault_in_digest(DIGEST) is None
    wanted = "must be 64 lower-case hexadecimal digits"
    assert [fault_in_digest(text) for text in (DIGEST.upper(), DIGEST[1:], DIGEST + "\n")] == [wanted] * 3


@pytest.mark.parametrize("count", [1, MAX_FILES])
def test_a_version_may_have_one_to_a_thousand_files(count: int) -> None:
    """Both ends of the range are inside it, and the limit is the contract's."""
    assert MAX_FILES == 1_000
    check_count(count)
    assert faults(entries(*(f"f{n}" for n in range(count)))) == []


@pytest.mark.parametrize("count", [0, MAX_FILES + 1])
def test_no_version_has_no_file_or_more_than_a_thousand(count: int) -> None:
    """Outside the range all files together are refused, saying how many there are."""
    wanted = [("files", f"must hold 1 to 1000 files, not {count}")]
    assert faults(entries(*(f"f{n}" for n in range(count)))) == wanted


@settings(max_examples=50)
@given(st.lists(segments(), min_size=1, max_size=20, unique=True))
def test_different_names_in_one_folder_are_no_conflict(names: list[str]) -> None:
    """Files beside each other never conflict, whatever one's name says of the other's."""
    assert faults(entries(*(f"folder/{name}" for name in names))) == []


@settings(max_examples=50)
@given(path=paths(), data=st.data())
def test_no_file_is_a_folder_of_another(path: str, data: st.DataObject) -> None:
    """A file at any folder of another's path is refused, in either order, naming the one inside."""
    inside = f"{path}/{data.draw(segments())}"
    message = f"lies inside {path!r}, which is a file"
    assert faults(entries(path, inside)) == [("files[1].path", message)]
    assert faults(entries(inside, path)) == [("files[0].path", message)]


@pytest.mark.parametrize(
    "described",
    [("a", "ab"), ("a.b", "a/b"), ("a-b", "a/b", "a.c"), ("a/b", "a/bc"), ("A", "a/b"), ("b", "a/b")],
)
def test_a_common_beginning_is_no_folder(described: tuple[str, ...]) -> None:
    """Only whole segments make a folder; case matters."""
    assert faults(entries(*described)) == []


def test_no_path_stands_twice() -> None:
    """The second of two equal paths is named."""
    assert faults(entries("a", "b", "a")) == [("files[2].path", "stands twice")]


def test_a_digest_has_one_size() -> None:
    """The same bytes under two paths are welcome, with two sizes they are refused."""
    same = [FileEntry("a", DIGEST, 1), FileEntry("b", DIGEST, 1)]
    other = [FileEntry("a", DIGEST, 1), FileEntry("b", DIGEST, 2)]
    assert faults(same) == []
    assert faults(other) == [("files[1].size", "differs from another file with the same sha256")]


def test_every_fault_is_told_at_once() -> None:
    """A publisher mends everything in one round."""
    files = [FileEntry("/a", "AB", -1), FileEntry("b", DIGEST, 1), FileEntry("b/c", DIGEST, 2)]
    assert [location for location, _ in faults(files)] == [
        "files[0].path",
        "files[0].sha256",
        "files[0].size",
        "files[2].size",
        "files[2].path",
    ]
