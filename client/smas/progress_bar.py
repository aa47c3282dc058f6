"""A bar with rate and time left, on a terminal or in a notebook."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as RichProgress

if TYPE_CHECKING:
    from typing import TextIO

_REFRESHES_PER_SECOND: Final = 4


class Bar:
    """``Progress`` by rich; ``stream`` is where it is drawn (None: wherever rich finds it runs)."""

    def __init__(self, stream: TextIO | None = None, *, colour: bool = True) -> None:
        self._console = Console(file=stream, no_color=not colour, highlight=False, soft_wrap=True)
        self._lock = threading.Lock()
        self._shown: RichProgress | None = None
        self._task = TaskID(0)

    def begin(self, task: str, total: int) -> None:
        """See ``Progress.begin``."""
        self.end()
        if not total:
            return
        self._shown = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
            console=self._console,
            refresh_per_second=_REFRESHES_PER_SECOND,
        )
        self._task = self._shown.add_task(task, total=total)
        self._shown.start()

    def advance(self, count: int) -> None:
        """See ``Progress.advance``."""
        if self._shown is not None:
            self._shown.advance(self._task, count)

    def end(self) -> None:
        """See ``Progress.end``."""
        with self._lock:
            shown, self._shown = self._shown, None
        if shown is not None:
            shown.stop()

    def say(self, line: str) -> None:
        """See ``Progress.say``."""
        self._console.print(line, markup=False)
