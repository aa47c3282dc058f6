"""Names of the files that a push takes: what a version can't hold is refused, and shown harmlessly."""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from smas.errors import Invalid
from smas.transfer.selection import names_differing_in_case, select

from tests.client.transfer.trees import refusals, write

if TYPE_CHECKING:
    from pathlib import Path

NFC, NFD = "\u00e9", "e\u0301"


def holds_both_normal_forms(folder: Path) -> bool:
    """Whether the file system keeps names as they are written."""
    write(folder / NFC)
    write(folder / NFD)
    both = len(list(folder.iterdir())) == 2
    for path in folder.iterdir():
        path.unlink()
    return both


def test_names_are_brought_into_normal_form_c(folder: Path) -> None:
    """The same name is the same path, from whatever system it is pushed; the file is still found."""
    write(folder / f"caf{NFD}" / f"mod{NFD}le", b"x")
    (file,) = select(folder).files
    assert file.path == f"caf{NFC}/mod{NFC}le"
    assert file.source.read_bytes() == b"x"


def test_two_names_that_are_one_in_normal_form_c_are_refused(folder: Path) -> None:
    """Of two files that would have one path neither is silently lost: both are named."""
    if not holds_both_normal_forms(folder):
        pytest.skip("this file system normalises names itself")
    write(folder / f"a/{NFC}", b"1")
    write(folder / f"a/{NFD}", b"2")
    (message,) = refusals(folder).values()
    assert str(folder / f"a/{NFC}") in message
    assert str(folder / f"a/{NFD}") in message


def test_a_file_that_is_a_folder_in_normal_form_c_is_refused(folder: Path) -> None:
    """No version holds a file and a folder of the same name, whatever stands between them in the order."""
    if not holds_both_normal_forms(folder):
        pytest.skip("this file system normalises names itself")
    write(folder / NFC)
    write(folder / f"{NFC}-1")
    write(folder / NFD / "inside")
    assert list(refusals(folder)) == [f"{NFC}/inside"]


@pytest.mark.parametrize(
    ("name", "shown", "message"),
    [
        (b"bad\xff", "bad\\xff", "its name is not valid Unicode"),
        (b"a\nb", "a\\nb", "its name holds a control character"),
        (b"a\x1b[31m", "a\\x1b[31m", "its name holds a control character"),
        (b"a\\b", "a\\b", "its name holds a backslash"),
    ],
)
def test_names_that_no_version_can_hold_are_refused(
    folder: Path, name: bytes, shown: str, message: str
) -> None:
    """They are shown escaped, so that a terminal shows them and nothing else happens."""
    descriptor = os.open(os.fsencode(folder) + b"/" + name, os.O_WRONLY | os.O_CREAT)
    os.close(descriptor)
    assert refusals(folder) == {shown: message}


def test_folders_with_such_names_are_shown_escaped_too(folder: Path) -> None:
    """Whether a folder is empty, a circle, or holds files: its name never reaches a terminal as it is."""
    top = os.fsencode(folder)
    for name in (b"empty\xff", b"circle\n", b"full\xfe"):
        os.mkdir(top + b"/" + name)  # noqa: PTH102 - pathlib takes no bytes
    os.symlink(b"..", top + b"/circle\n/up")  # noqa: PTH211
    write(folder / os.fsdecode(b"full\xfe") / "file")
    assert set(refusals(folder, follow_symlinks=True)) == {"circle\\n/up", "full\\xfe/file"}
    with pytest.raises(Invalid) as refusal:
        select(folder)
    assert str(refusal.value).isprintable()
    (folder / os.fsdecode(b"full\xfe") / "file").unlink()
    (folder / "circle\n/up").unlink()
    write(folder / "file")
    lines = [line for line in select(folder).left_out if "empty folder" in line]
    assert lines == [
        "circle\\n/ (an empty folder)",
        "empty\\xff/ (an empty folder)",
        "full\\xfe/ (an empty folder)",
    ]


def test_a_path_may_be_512_bytes_and_no_more(folder: Path) -> None:
    """The limit counts the bytes of the whole path in normal form C."""
    deep = "a" * 255 + "/" + "b" * 200 + "/"
    write(folder / deep / ("c" * (512 - len(deep))))
    write(folder / deep / (NFD * 20))
    assert len(select(folder).files) == 2
    write(folder / deep / ("d" * (513 - len(deep))))
    assert list(refusals(folder).values()) == ["its path is 513 bytes long; at most 512 are allowed"]


def segments() -> st.SearchStrategy[str]:
    """Names that differ in little but case."""
    return st.text(
        st.sampled_from("aAbBßsS\u0130iI\u212aKk\u00e9\u00c9\u03c3\u03c2\u03a3"), min_size=1, max_size=3
    )


def folded(path: str) -> str:
    """Unicode's canonical caseless matching (chapter 3, D145)."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())


@settings(max_examples=300)
@given(
    st.lists(st.lists(segments(), min_size=1, max_size=3).map("/".join), max_size=8, unique=True).map(
        lambda found: [unicodedata.normalize("NFC", path) for path in found]
    )
)
@example(["A/x", "a/y"])
@example(["a", "A", "a/b"])
@example(["straße", "STRASSE"])
@example([])
def test_names_differ_in_case_exactly_where_folding_makes_them_one(described: list[str]) -> None:
    """Of files and folders, each spelling is told beside the first one seen; different names never are."""
    parts: dict[str, None] = {}
    for path in described:
        split = path.split("/")
        parts.update(dict.fromkeys("/".join(split[: n + 1]) for n in range(len(split))))
    pairs = names_differing_in_case(described)
    assert len(set(pairs)) == len(pairs)
    for first, other in pairs:
        assert first != other
        assert folded(first) == folded(other)
        assert {first, other} <= set(parts)
    firsts = {folded(part): part for part in reversed(parts)}
    assert sorted(pairs) == sorted((firsts[folded(p)], p) for p in parts if firsts[folded(p)] != p)
