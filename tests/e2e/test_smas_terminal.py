"""What the installed command shows: on a terminal, on one without colours, and into a pipe."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from tests.e2e.smas_command import Smas, noise

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Stack

# Long enough for a bar to be drawn.
SLOWLY: Final = ("--limit-rate", "2M")
BAR: Final = "━"
# ECMA-48 "select graphic rendition" with a colour or bold; 0 puts everything back.
COLOUR: Final = re.compile(r"\x1b\[(?!0m)[0-9;]+m")


def on_terminal(smas: Smas, *arguments: str | Path) -> tuple[int, str]:
    """Exit code, and everything that a terminal gets to see."""
    terminal, end = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "smas", *map(str, arguments)],
            env={**smas.environment(), "TERM": "xterm-256color", "COLUMNS": "100", **smas.variables},
            stdin=end,
            stdout=end,
            stderr=end,
        )
    finally:
        os.close(end)
    shown = b""
    with process:
        try:
            while data := os.read(terminal, 65536):
                shown += data
        except OSError:  # how Linux tells that nobody holds the other end any more
            pass
        finally:
            os.close(terminal)
    return process.returncode, shown.decode()


def test_a_terminal_shows_a_bar_with_rate_and_time_left(stack: Stack, model: str, tmp_path: Path) -> None:
    """Bar, bytes, rate, time left; in colour; the version's name comes last."""
    smas = Smas(tmp_path).login(stack)
    code, shown = on_terminal(smas, "push", noise(tmp_path / "a.bin", 2), model, *SLOWLY)
    assert code == 0, shown
    assert BAR in shown
    assert re.search(r"/2\.1 MB", shown)
    assert re.search(r"\d MB/s", shown)
    assert re.search(r"\d:\d\d", shown)
    assert COLOUR.search(shown)
    assert shown.split()[-1] == f"{model}@1"


def test_no_color_takes_the_colours_and_leaves_the_bar(stack: Stack, model: str, tmp_path: Path) -> None:
    """NO_COLOR (no-color.org): not one colour, of the bar or of an error."""
    smas = Smas(tmp_path, {"NO_COLOR": "1"}).login(stack)
    code, shown = on_terminal(smas, "push", noise(tmp_path / "a.bin", 2), model, *SLOWLY)
    assert code == 0, shown
    assert BAR in shown
    assert not COLOUR.search(shown)
    refused = on_terminal(smas, "pull", "fraud/there-is-none", tmp_path / "in")
    assert (refused[0], COLOUR.search(refused[1])) == (5, None)
    coloured = on_terminal(Smas(tmp_path), "pull", "fraud/there-is-none", tmp_path / "in")
    assert (coloured[0], bool(COLOUR.search(coloured[1]))) == (5, True)


def test_a_pipe_gets_plain_lines(stack: Stack, model: str, tmp_path: Path) -> None:
    """The result alone on stdout, talk in whole lines on stderr; no bar and no control character."""
    smas = Smas(tmp_path).login(stack)
    done = smas.run("push", noise(tmp_path / "a.bin", 2), model, *SLOWLY)
    assert (done.returncode, done.stdout) == (0, f"{model}@1\n")
    assert f"published {model}@1: 1 file, verifying" in done.stderr.splitlines()
    assert BAR not in done.stderr
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stderr)
    quiet = smas.run("--quiet", "pull", model, tmp_path / "in")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, f"{tmp_path / 'in'}\n", "")
