"""How far a long question is, on stderr."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from smas.cli.status import Status

if TYPE_CHECKING:
    import pytest


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        """It is."""
        return True


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def test_a_terminal_has_one_line_that_is_written_over() -> None:
    """Drawn at most ten times a second, and gone before anything else is printed."""
    stream, clock = Terminal(), Clock()
    status = Status(stream, clock)
    status.tell("one")
    status.tell("too soon")
    clock.now += 0.2
    status.tell("two")
    status.clear()
    status.clear()
    assert stream.getvalue() == "\rone\x1b[K\rtwo\x1b[K\r\x1b[K"
    status.tell("at once after that")
    assert stream.getvalue().endswith("\rat once after that\x1b[K")


def test_a_line_is_never_longer_than_the_terminal() -> None:
    """Or it could not be written over."""
    stream = Terminal()
    Status(stream, Clock()).tell("x" * 1000)
    assert len(stream.getvalue()) < 1000


def test_a_log_gets_a_line_now_and_then() -> None:
    """Nothing for what is answered soon; no control characters."""
    stream, clock = io.StringIO(), Clock()
    status = Status(stream, clock)
    for second in range(25):
        clock.now = float(second)
        status.tell(f"at {second}")
    status.clear()
    assert stream.getvalue() == "at 10\nat 20\n"


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody is told anything."""
    status = Status(None)
    status.tell("x")
    status.clear()
    assert capsys.readouterr() == ("", "")
