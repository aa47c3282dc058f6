"""Shows the logs of all processes as they are written, each line with the name of its process."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

POLL_SECONDS = 0.2
_COLOURS = ("\x1b[36m", "\x1b[33m", "\x1b[35m", "\x1b[32m")
_RESET = "\x1b[0m"


@dataclass(slots=True)
class _Followed:
    """One log file and how far it has been shown."""

    path: Path
    position: int
    unfinished: bytes = field(default=b"")

    def new_lines(self) -> list[bytes]:
        """Whole lines written since the last call."""
        with self.path.open("rb") as file:
            if file.seek(0, 2) < self.position:  # emptied under our eyes: begin again
                self.position, self.unfinished = 0, b""
            file.seek(self.position)
            data = self.unfinished + file.read()
            self.position = file.tell()
        *lines, self.unfinished = data.split(b"\n")
        return lines


def show_logs(folder: Path, output: TextIO, *, colour: bool, last: int, follow: Callable[[], bool]) -> None:
    """Write the last `last` lines of every `*.log` in `folder`, then what is added while `follow` says so.

    Files that appear later are shown from their beginning.
    """
    followed: dict[str, _Followed] = {}
    width = 10
    first = True
    while True:
        for path in sorted(folder.glob("*.log")):
            if path.stem not in followed:
                followed[path.stem] = _Followed(path, 0)
            lines = followed[path.stem].new_lines()
            for line in deque(lines, maxlen=last) if first else lines:
                name = f"{path.stem:<{width}}"
                prefix = _coloured(name, list(followed).index(path.stem)) if colour else name
                output.write(f"{prefix} | {line.decode(errors='replace')}\n")
        output.flush()
        first = False
        if not follow():
            return
        time.sleep(POLL_SECONDS)


def _coloured(text: str, number: int) -> str:
    return f"{_COLOURS[number % len(_COLOURS)]}{text}{_RESET}"
