"""Programs that are shown: how an interrupt reaches them, and what they started."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from deployment.errors import Interrupted
from deployment.programs import show

if TYPE_CHECKING:
    from pathlib import Path

# Ends in order when it is interrupted, and says so.
AT_WORK = """\
import pathlib, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
folder = pathlib.Path(sys.argv[1])
(folder / "begun").touch()
try:
    time.sleep(60)
except KeyboardInterrupt:
    (folder / "in-order").touch()
"""


def signal_when(file: Path, number: int) -> None:
    """Send this process a signal as soon as the file is there."""
    while not file.exists():
        time.sleep(0.01)
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_what_a_script_is_at_is_interrupted_with_it(tmp_path: Path, number: int) -> None:
    """Else the bootstrap's Terraform would go on, and nobody would know."""
    script = tmp_path / "script"
    script.write_text('#!/bin/sh\n"$1" -c "$2" "$3"\n', encoding="utf-8")
    script.chmod(0o755)
    threading.Thread(target=signal_when, args=(tmp_path / "begun", number), daemon=True).start()
    with pytest.raises((Interrupted, KeyboardInterrupt)) as ended:
        show([str(script), sys.executable, AT_WORK, str(tmp_path)], dict(os.environ), asks=False)
    assert ended.type is Interrupted
    assert (tmp_path / "in-order").exists()


def test_what_asks_is_of_our_group_and_ends_with_us(tmp_path: Path) -> None:
    """It could not read from the terminal in another, and a kill is passed on."""
    group = f"import os, pathlib; pathlib.Path({str(tmp_path / 'group')!r}).write_text(str(os.getpgid(0)))"
    assert show([sys.executable, "-c", group], dict(os.environ)) == 0
    assert (tmp_path / "group").read_text(encoding="utf-8") == str(os.getpgid(0))

    threading.Thread(target=signal_when, args=(tmp_path / "begun", signal.SIGTERM), daemon=True).start()
    begun = time.monotonic()
    with pytest.raises(Interrupted):
        show([sys.executable, "-c", AT_WORK, str(tmp_path)], dict(os.environ))
    assert time.monotonic() - begun < 50
