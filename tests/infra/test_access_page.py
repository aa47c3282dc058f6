"""The page that says who may do what."""

from __future__ import annotations

from tests.infra.access_page import PAGE, page


def test_the_page_is_what_the_tests_hold_us_to() -> None:
    """``python -m tests.infra.access_page`` writes it anew; read the difference first."""
    assert PAGE.read_text(encoding="utf-8") == page()
