"""The page that says who may do what."""

from __future__ import annotations

from tests.infra.access_page import FOLDERS, PAGE, PROMISES, page


def test_the_page_is_what_the_tests_hold_us_to() -> None:
    """``python -m tests.infra.access_page`` writes it anew; read the difference first."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_promise_of_the_page_is_a_named_test() -> None:
    """The page points at tests that are there."""
    named = {test for _, tests in PROMISES for test in tests}
    defined = {
        f"{path.stem}::{line.removeprefix('def ').partition('(')[0]}"
        for folder in FOLDERS
        for path in folder.glob("test_*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("def test_")
    }
    assert named - defined == set()
