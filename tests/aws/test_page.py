"""`docs/testing-on-aws.md` names tests that there are, and all files of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "testing-on-aws.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`(test_\w+::test_\w+)`", TEXT))))
def test_a_test_that_is_named_is_there(named: str) -> None:
    """An assumption without its test would wait for ever."""
    file, name = named.split("::")
    assert f"def {name}(" in (HERE / f"{file}.py").read_text(encoding="utf-8")


def test_every_file_is_told_of() -> None:
    """What it proves stands in the table; but this one proves nothing about AWS."""
    told = set(re.findall(r"^\| `(test_\w+\.py)` \|", TEXT, flags=re.MULTILINE))
    assert told == {path.name for path in HERE.glob("test_*.py")} - {Path(__file__).name}


def test_what_is_linked_is_there() -> None:
    """Records, policies and code that make an assumption."""
    linked = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert linked
    assert [each for each in linked if not (PAGE.parent / each).exists()] == []
    paths = re.findall(r"`((?:infra|service|emulator|tests)/[\w./-]+)`", TEXT)
    assert paths
    assert [each for each in paths if not (HERE.parents[1] / each).exists()] == []
